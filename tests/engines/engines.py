"""The deployed service on real engines, with a proxy before each of them."""

import csv
import io
import logging
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chalicelib import bootstrap
from chalicelib.usecases.context import Context
from chalicelib.usecases.ports import OpenWork
from devstack.aws.compliance_put import put_compliance_items
from devstack.aws.compliance_store import find_store
from devstack.aws.resources import Tables, create_tables
from devstack.aws.session import make_session
from devstack.environment import ACCOUNT, REGION, build_settings
from devstack.inspec.loader import read_clock
from devstack.local_app import Handlers
from devstack.slack import Message, SlackStandIn
from devstack.stack import Stack, run_stack
from tests.engines.proxy import Faults, proxy

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

ROOT = Path(__file__).parents[2]
DYNAMODB, SSM, S3, SLACK = "DynamoDB", "SSM", "S3", "Slack"


def node_id(number: int) -> str:
    return f"i-{number:017x}"


def long_ago() -> datetime:
    """When the first execution of a test began."""
    return read_clock() - timedelta(minutes=5)


@dataclass
class Engines:
    """The service, its vendors, and what goes wrong between them."""

    stack: Stack
    faults: Faults
    handlers: Handlers
    tables: Tables
    dynamodb: "DynamoDBClient"
    s3: "S3Client"
    prefix: str
    began: datetime = field(default_factory=long_ago)
    started: list["subprocess.Popen[str]"] = field(default_factory=list)

    @property
    def slack(self) -> SlackStandIn:
        return self.stack.slack

    @property
    def slack_url(self) -> str:
        """The base URL of Slack, through its proxy."""
        return os.environ["SLACK_BASE_URL"]

    def reset(self) -> None:
        """Begin anew: empty tables and bucket, no nodes, no messages, no faults."""
        self.end_processes()
        self.began = long_ago()
        self.faults.end()
        self.slack.reset()
        for group in find_store().list_groups():
            find_store().forget(group.instance_id)
        for key in self._keys():
            self.s3.delete_object(Bucket=self.stack.resources.reports_bucket, Key=key)
        for name in (self.tables.findings, self.tables.nodes, self.tables.ledger):
            self.dynamodb.delete_table(TableName=name)
        create_tables(self.dynamodb, prefix=self.prefix)

    def forget_the_process(self) -> None:
        """Let the next call of a handler find a Lambda environment that is new."""
        forget_the_process()

    def report(
        self, node: int, titles: Sequence[str], run: str = "run-1", at: datetime | None = None
    ) -> None:
        """Let a node report these titles as non-compliant, and one as compliant."""
        items = [
            {
                "Id": f"c-{title.replace(' ', '-')}",
                "Title": title,
                "Severity": "HIGH",
                "Status": "NON_COMPLIANT",
            }
            for title in titles
        ]
        fine = {"Id": "fine", "Title": "fine", "Severity": "LOW", "Status": "COMPLIANT"}
        put_compliance_items(
            find_store(),
            {
                "ResourceId": node_id(node),
                "ResourceType": "ManagedInstance",
                "ComplianceType": "Custom:InSpec",
                "ExecutionSummary": {
                    "ExecutionTime": int((at or datetime.now(UTC)).timestamp()),
                    "ExecutionId": run,
                    "ExecutionType": "Command",
                },
                "Items": [*items, fine],
            },
        )

    def scan(self, began: datetime | None = None, nodes: int = 1) -> list[dict[str, Any]]:
        """Hand over the event of an association execution; the facts of its passes.

        Unless told otherwise it began before anything of this test was reported, and each a
        second, which is what SSM counts in, after the one before it.
        """
        self.began += timedelta(seconds=1)
        answer = self.handlers.scan(began or self.began, {"Success": nodes})
        passes: list[dict[str, Any]] = answer["scans"]
        return passes

    def reconcile(self) -> list[dict[str, Any]]:
        """Hand over the tick of every 15 minutes; the facts of its passes."""
        passes: list[dict[str, Any]] = self.handlers.reconcile()["scans"]
        return passes

    def context(self, ahead: timedelta = timedelta()) -> Context:
        """The ports as the composition root builds them, with a clock that goes before."""
        runtime = bootstrap.runtime()
        return replace(
            runtime.context(ACCOUNT, REGION), clock=lambda: runtime.clock() + ahead, concurrency=1
        )

    def open_work(self) -> OpenWork:
        """What is unfinished."""
        return self.context().work.open()

    def stored(self) -> list[tuple[str, str]]:
        """Node and title of each stored finding."""
        rows = self._rows(self.tables.findings)
        return sorted((row["instance_id"]["S"], row["title"]["S"]) for row in rows)

    def is_held(self) -> bool:
        """Whether somebody holds the lease, or held it when it died."""
        return any(row["pk"]["S"] == "LEASE" for row in self._rows(self.tables.ledger))

    def settled(self) -> bool:
        """Whether nobody holds the lease, and no job, mark or message is open."""
        rows = self._rows(self.tables.ledger)
        kinds = {row["sk"]["S"].partition("#")[0] for row in rows if row["pk"]["S"] == "OPEN"}
        return kinds <= {"CHANNEL"} and not self.is_held()

    def completed(self) -> int:
        """How many executions are answered or need no answer."""
        return sum(row["pk"]["S"] == "JOB" for row in self._rows(self.tables.ledger))

    def posts(self) -> list[str]:
        """The header of each message in the channel, threads left out."""
        return [_header(message) for message in self.slack.messages if message.thread_ts is None]

    def announced(self) -> list[tuple[str, str]]:
        """Node and title of each row of each file in the channel."""
        return sorted(row for file in self.files() for row in _rows_of(file))

    def files(self) -> list[bytes]:
        """The files in the channel."""
        return [file.content for message in self.slack.messages for file in message.files]

    def objects(self) -> list[bytes]:
        """What the bucket holds."""
        bucket = self.stack.resources.reports_bucket
        return [self.s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in self._keys()]

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start a process that calls a handler, as a Lambda environment of its own would."""
        process = subprocess.Popen(  # noqa: S603 - our own program and arguments
            [sys.executable, "-m", "tests.engines.child", *arguments],
            cwd=ROOT,
            env={**os.environ, "SSM_CONCURRENCY": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def end_processes(self) -> None:
        """End what a test that failed left running."""
        for process in self.started:
            process.kill()
            process.communicate()
        self.started.clear()

    def _keys(self) -> list[str]:
        listed = self.s3.list_objects_v2(Bucket=self.stack.resources.reports_bucket)
        return [each["Key"] for each in listed.get("Contents", [])]

    def _rows(self, table: str) -> list[dict[str, Any]]:
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
        return [row for page in pages for row in page["Items"]]


@contextmanager
def running_engines(dynamodb_url: str) -> Iterator[Engines]:
    """A service on tables of DynamoDB Local, with nothing left of it afterwards."""
    before = dict(os.environ)
    faults = Faults()
    with ExitStack() as all_of_it:
        running = all_of_it.enter_context(run_stack())
        session = make_session()
        dynamodb = session.client("dynamodb", endpoint_url=dynamodb_url)
        s3 = session.client("s3", endpoint_url=running.aws.url)
        all_of_it.enter_context(closing(dynamodb))
        all_of_it.enter_context(closing(s3))
        prefix = f"{uuid.uuid4()}-"
        tables = create_tables(dynamodb, prefix=prefix)
        url = {
            vendor: all_of_it.enter_context(proxy(vendor, upstream, faults))
            for vendor, upstream in {
                DYNAMODB: dynamodb_url,
                SSM: running.aws.url,
                S3: running.aws.url,
                SLACK: running.slack.page_url,
            }.items()
        }
        env = build_settings(
            aws_url=running.aws.url,
            slack_url=f"{url[SLACK]}/api/",
            findings_table=tables.findings,
            nodes_table=tables.nodes,
            ledger_table=tables.ledger,
            reports_bucket=running.resources.reports_bucket,
        )
        endpoints = {f"AWS_ENDPOINT_URL_{name.upper()}": url[name] for name in (DYNAMODB, SSM, S3)}
        os.environ.update({**env, **endpoints})
        forget_the_process()
        try:
            handlers = Handlers({}, io.StringIO())
            engines = Engines(running, faults, handlers, tables, dynamodb, s3, prefix)
            all_of_it.callback(engines.end_processes)
            yield engines
        finally:
            forget_the_process()
            os.environ.clear()
            os.environ.update(before)


def forget_the_process() -> None:
    """What a new Lambda environment begins with: no runtime, and no logger bound to a stream."""
    bootstrap.runtime.cache_clear()
    logging.Logger.manager.loggerDict.pop(bootstrap.SERVICE, None)


def _header(message: Message) -> str:
    return next(
        (block["text"]["text"] for block in message.blocks if block["type"] == "header"),
        message.text,
    )


def _rows_of(content: bytes) -> list[tuple[str, str]]:
    rows = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    return [(row["instance_id"], row["title"]) for row in rows]
