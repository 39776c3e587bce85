"""The deployed service on real engines, with a proxy in front of each vendor."""

import csv
import io
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

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
from tests.engines.proxy import Faults, run_proxy
from tests.functional.service import reset_process

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

ROOT = Path(__file__).parents[2]
DYNAMODB, SSM, S3, SLACK = "DynamoDB", "SSM", "S3", "Slack"


def build_node_id(number: int) -> str:
    return f"i-{number:017x}"


def choose_start() -> datetime:
    """Returns when the first execution of a test began."""
    return read_clock() - timedelta(minutes=5)


@dataclass
class Engines:
    """The service, its vendors, and the faults between them."""

    stack: Stack
    faults: Faults
    handlers: Handlers
    tables: Tables
    dynamodb: "DynamoDBClient"
    s3: "S3Client"
    prefix: str
    began: datetime = field(default_factory=choose_start)
    started: list["subprocess.Popen[str]"] = field(default_factory=list)

    @property
    def slack(self) -> SlackStandIn:
        return self.stack.slack

    @property
    def slack_url(self) -> str:
        """The base URL of Slack's proxy."""
        return os.environ["SLACK_BASE_URL"]

    def reset(self) -> None:
        """Empties tables and bucket, and removes nodes, messages, faults and processes."""
        self.kill_processes()
        self.began = choose_start()
        self.faults.clear()
        self.slack.reset()
        for group in find_store().list_groups():
            find_store().forget(group.instance_id)
        for key in self._list_keys():
            self.s3.delete_object(Bucket=self.stack.resources.reports_bucket, Key=key)
        for name in (self.tables.findings, self.tables.nodes, self.tables.ledger):
            self.dynamodb.delete_table(TableName=name)
        create_tables(self.dynamodb, prefix=self.prefix)

    def report(
        self,
        node: int,
        titles: Sequence[str],
        run: str = "run-1",
        at: datetime | None = None,
        passed: Sequence[str] = (),
    ) -> None:
        """Lets a node report these titles as non-compliant, others as compliant, always "fine"."""
        failed = dict.fromkeys(titles, "NON_COMPLIANT")
        items = [
            {
                "Id": f"c-{title.replace(' ', '-')}",
                "Title": title,
                "Severity": "HIGH",
                "Status": status,
            }
            for title, status in (failed | dict.fromkeys([*passed, "fine"], "COMPLIANT")).items()
        ]
        put_compliance_items(
            find_store(),
            {
                "ResourceId": build_node_id(node),
                "ResourceType": "ManagedInstance",
                "ComplianceType": "Custom:InSpec",
                "ExecutionSummary": {
                    "ExecutionTime": int((at or datetime.now(UTC)).timestamp()),
                    "ExecutionId": run,
                    "ExecutionType": "Command",
                },
                "Items": items,
            },
        )

    def scan(self, began: datetime | None = None, nodes: int = 1) -> list[dict[str, Any]]:
        """Sends the event of an association execution; returns the facts of its scans.

        By default the execution began before the first report of the test, and each
        one a second after the one before it. SSM counts in seconds.
        """
        self.began += timedelta(seconds=1)
        response = self.handlers.scan(began or self.began, {"Success": nodes})
        scans: list[dict[str, Any]] = response["scans"]
        return scans

    def reconcile(self) -> list[dict[str, Any]]:
        """Sends the event of the 15-minute schedule; returns the facts of its scans."""
        scans: list[dict[str, Any]] = self.handlers.reconcile()["scans"]
        return scans

    def build_context(self, ahead: timedelta = timedelta()) -> Context:
        """Builds the ports as bootstrap.py does, with a clock that is ahead."""
        runtime = bootstrap.runtime()
        return replace(
            runtime.context(ACCOUNT, REGION), clock=lambda: runtime.clock() + ahead, concurrency=1
        )

    def read_open_work(self) -> OpenWork:
        """Reads the unfinished part of the ledger."""
        return self.build_context().work.open()

    def list_findings(self) -> list[tuple[str, str]]:
        """Lists node and title of each stored finding."""
        rows = self._list_rows(self.tables.findings)
        return sorted((row["instance_id"]["S"], row["title"]["S"]) for row in rows)

    def is_lease_taken(self) -> bool:
        """Whether a process holds the lease, or held it when it died."""
        return any(row["pk"]["S"] == "LEASE" for row in self._list_rows(self.tables.ledger))

    def is_work_done(self) -> bool:
        """Whether the lease is free and no job, mark or message is open."""
        rows = self._list_rows(self.tables.ledger)
        kinds = {row["sk"]["S"].partition("#")[0] for row in rows if row["pk"]["S"] == "OPEN"}
        return kinds <= {"CHANNEL", "DAY", "FACTS", "RECEIPT"} and not self.is_lease_taken()

    def count_completed_jobs(self) -> int:
        """Counts the executions that are answered or need no answer."""
        return sum(row["pk"]["S"] == "JOB" for row in self._list_rows(self.tables.ledger))

    def list_headers(self) -> list[str]:
        """Lists the header of each message in the channel, without replies in threads."""
        return [
            _find_header(message) for message in self.slack.messages if message.thread_ts is None
        ]

    def list_announced(self) -> list[tuple[str, str]]:
        """Lists node and title of each row of each alert's file in the channel."""
        return sorted(row for file in self.list_files() for row in _read_rows(file))

    def list_files(self) -> list[bytes]:
        """Lists the content of each file in the channel that is not one of changes."""
        files = (file for message in self.slack.messages for file in message.files)
        return [file.content for file in files if not file.name.endswith("-changes.csv")]

    def list_objects(self) -> list[bytes]:
        """Lists the content of each object in the bucket."""
        bucket = self.stack.resources.reports_bucket
        return [
            self.s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in self._list_keys()
        ]

    def start_process(self, *arguments: str) -> "subprocess.Popen[str]":
        """Starts a process that calls a handler, as another Lambda environment does."""
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

    def kill_processes(self) -> None:
        """Kills the processes that this object started and that still run."""
        for process in self.started:
            process.kill()
            process.communicate()
        self.started.clear()

    def _list_keys(self) -> list[str]:
        listed = self.s3.list_objects_v2(Bucket=self.stack.resources.reports_bucket)
        return [each["Key"] for each in listed.get("Contents", [])]

    def _list_rows(self, table: str) -> list[dict[str, Any]]:
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
        return [row for page in pages for row in page["Items"]]


@contextmanager
def run_engines(dynamodb_url: str) -> Iterator[Engines]:
    """Runs a service on tables of DynamoDB Local, and removes every trace of it afterwards."""
    before = dict(os.environ)
    faults = Faults()
    with ExitStack() as stack:
        running = stack.enter_context(run_stack())
        session = make_session()
        dynamodb = session.client("dynamodb", endpoint_url=dynamodb_url)
        s3 = session.client("s3", endpoint_url=running.aws.url)
        stack.enter_context(closing(dynamodb))
        stack.enter_context(closing(s3))
        prefix = f"{uuid.uuid4()}-"
        tables = create_tables(dynamodb, prefix=prefix)
        url = {
            vendor: stack.enter_context(run_proxy(vendor, upstream, faults))
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
        reset_process()
        try:
            handlers = Handlers({}, io.StringIO())
            engines = Engines(running, faults, handlers, tables, dynamodb, s3, prefix)
            stack.callback(engines.kill_processes)
            yield engines
        finally:
            reset_process()
            os.environ.clear()
            os.environ.update(before)


def _find_header(message: Message) -> str:
    return next(
        (block["text"]["text"] for block in message.blocks if block["type"] == "header"),
        message.text,
    )


def _read_rows(content: bytes) -> list[tuple[str, str]]:
    rows = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    return [(row["instance_id"], row["title"]) for row in rows]
