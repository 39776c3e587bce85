"""A whole stack over HTTP for one test: AWS, Slack, settings, handlers, logs."""

import io
import logging
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from botocore.config import Config

from chalicelib import bootstrap
from devstack.aws.server import AwsServer, serve_aws
from devstack.aws.session import make_session
from devstack.inspec.loader import read_clock
from devstack.local_app import Handlers
from devstack.stack import Stack, run_stack

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

NODE = "i-0123456789abcdef0"


@dataclass
class Service:
    """The deployed service as tests use it."""

    stack: Stack
    handlers: Handlers
    log: io.StringIO
    ssm: "SSMClient"

    def put(
        self,
        *titles: str,
        node: str = NODE,
        run: str = "run-1",
        at: datetime | None = None,
        compliant: int = 1,
    ) -> None:
        """Let a node report these titles as non-compliant."""
        failed = [
            {"Id": f"c-{number}", "Title": title, "Severity": "HIGH", "Status": "NON_COMPLIANT"}
            for number, title in enumerate(titles)
        ]
        passed = [
            {"Id": f"p-{number}", "Title": "fine", "Severity": "LOW", "Status": "COMPLIANT"}
            for number in range(compliant)
        ]
        self.put_items([*failed, *passed], node=node, run=run, at=at)

    def put_items(
        self,
        items: list[dict[str, Any]],
        *,
        node: str = NODE,
        run: str = "run-1",
        at: datetime | None = None,
        compliance_type: str = "Custom:InSpec",
    ) -> None:
        """Let a node report these compliance items."""
        self.ssm.put_compliance_items(
            ResourceId=node,
            ResourceType="ManagedInstance",
            ComplianceType=compliance_type,
            ExecutionSummary={
                "ExecutionTime": at or datetime.now(UTC),
                "ExecutionId": run,
                "ExecutionType": "Command",
            },
            Items=items,  # type: ignore[arg-type]
        )

    def scan(self, **nodes: int) -> dict[str, Any]:
        """Hand over an event of now; returns the facts of the one pass that it made."""
        answer = self.handlers.scan(read_clock(), nodes or {"Success": 1})
        (made,) = answer["scans"]
        facts: dict[str, Any] = made
        return facts

    def stored(self) -> list[dict[str, Any]]:
        """The rows of the findings table."""
        return self._rows(self.stack.resources.findings_table)

    def ledger(self) -> list[dict[str, Any]]:
        """The rows of the ledger."""
        return self._rows(self.stack.resources.ledger_table)

    def posts(self) -> list[str]:
        """The header of each message in the channel, threads left out."""
        return [
            next(block["text"]["text"] for block in message.blocks if block["type"] == "header")
            for message in self.stack.slack.messages
            if message.thread_ts is None
        ]

    def csv(self) -> str:
        """The newest CSV in the channel, as text."""
        files = [file for message in self.stack.slack.messages for file in message.files]
        return files[-1].content.decode("utf-8-sig")

    def log_lines(self) -> list[dict[str, Any]]:
        """The structured lines logged so far, metrics included."""
        return [msgspec.json.decode(line) for line in self.log.getvalue().splitlines()]

    def _rows(self, table: str) -> list[dict[str, Any]]:
        url = self.stack.aws.url
        with closing(make_session().client("dynamodb", endpoint_url=url)) as dynamodb:
            rows = dynamodb.get_paginator("scan").paginate(TableName=table)
            return [row for page in rows for row in page["Items"]]


@contextmanager
def running_service() -> Iterator[Service]:
    """A service on a stack of its own, with nothing left of it afterwards."""
    before = dict(os.environ)
    with run_stack() as running:
        os.environ.update(running.env)
        _forget_the_process()
        log = io.StringIO()
        try:
            with closing(make_session().client("ssm", endpoint_url=running.aws.url)) as ssm:
                yield Service(running, Handlers({}, log), log, ssm)
        finally:
            _forget_the_process()
            os.environ.clear()
            os.environ.update(before)


@pytest.fixture(scope="module")
def server() -> Iterator[AwsServer]:
    """AWS alone, for tests of one adapter; a module that uses it does not use `service`."""
    with serve_aws() as running:
        yield running


@pytest.fixture(scope="module")
def client(server: AwsServer) -> Iterator["SSMClient"]:
    """An SSM client that tries once and serves eight threads."""
    config = Config(retries={"mode": "standard", "total_max_attempts": 1}, max_pool_connections=8)
    with closing(make_session().client("ssm", endpoint_url=server.url, config=config)) as ssm:
        yield ssm


@pytest.fixture
def ssm(server: AwsServer, client: "SSMClient") -> "SSMClient":
    """The client, on an AWS that knows nothing yet."""
    server.reset()
    return client


@pytest.fixture
def service() -> Iterator[Service]:
    with running_service() as service:
        yield service


def _forget_the_process() -> None:
    """What a new Lambda environment begins with: no runtime, and no logger bound to a stream."""
    bootstrap.runtime.cache_clear()
    logging.Logger.manager.loggerDict.pop(bootstrap.SERVICE, None)
