"""The service over real protocols: its handlers, AWS, Slack, settings and logs."""

import io
import logging
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from chalicelib import bootstrap
from devstack.aws.session import make_session
from devstack.inspec.loader import read_clock
from devstack.local_app import Handlers
from devstack.stack import Stack, run_stack

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

NODE = "i-0123456789abcdef0"


@dataclass
class Service:
    """The deployed service, the fleet that reports to it, and what it stores and posts."""

    stack: Stack
    handlers: Handlers
    log: io.StringIO
    ssm: "SSMClient"

    def report(
        self,
        *titles: str,
        node: str = NODE,
        run: str = "run-1",
        at: datetime | None = None,
        compliant: int = 1,
    ) -> None:
        """Lets a node report these titles as non-compliant, and `compliant` others."""
        failed = [
            {"Id": f"c-{number}", "Title": title, "Severity": "HIGH", "Status": "NON_COMPLIANT"}
            for number, title in enumerate(titles)
        ]
        passed = [
            {"Id": f"p-{number}", "Title": "fine", "Severity": "LOW", "Status": "COMPLIANT"}
            for number in range(compliant)
        ]
        self.report_items([*failed, *passed], node=node, run=run, at=at)

    def report_items(
        self,
        items: list[dict[str, Any]],
        *,
        node: str = NODE,
        run: str = "run-1",
        at: datetime | None = None,
        compliance_type: str = "Custom:InSpec",
    ) -> None:
        """Lets a node report these compliance items."""
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
        """Sends an association event of now; returns the facts of its one scan."""
        response = self.handlers.scan(read_clock(), nodes or {"Success": 1})
        (scan,) = response["scans"]
        facts: dict[str, Any] = scan
        return facts

    def list_findings(self) -> list[dict[str, Any]]:
        """Lists the rows of the findings table."""
        return self._list_rows(self.stack.resources.findings_table)

    def list_ledger(self) -> list[dict[str, Any]]:
        """Lists the rows of the ledger."""
        return self._list_rows(self.stack.resources.ledger_table)

    def list_headers(self) -> list[str]:
        """Lists the header of each message in the channel, without replies in threads."""
        return [
            next(block["text"]["text"] for block in message.blocks if block["type"] == "header")
            for message in self.stack.slack.messages
            if message.thread_ts is None
        ]

    def read_csv(self) -> str:
        """Returns the newest CSV in the channel as text."""
        files = [file for message in self.stack.slack.messages for file in message.files]
        return files[-1].content.decode("utf-8-sig")

    def read_log(self) -> list[dict[str, Any]]:
        """Returns every structured log line, metrics included."""
        return [msgspec.json.decode(line) for line in self.log.getvalue().splitlines()]

    def _list_rows(self, table: str) -> list[dict[str, Any]]:
        url = self.stack.aws.url
        with closing(make_session().client("dynamodb", endpoint_url=url)) as dynamodb:
            rows = dynamodb.get_paginator("scan").paginate(TableName=table)
            return [row for page in rows for row in page["Items"]]


@contextmanager
def run_service() -> Iterator[Service]:
    """Runs the service on a stack of its own, and removes every trace of it afterwards."""
    before = dict(os.environ)
    with run_stack() as stack:
        os.environ.update(stack.env)
        reset_process()
        log = io.StringIO()
        try:
            with closing(make_session().client("ssm", endpoint_url=stack.aws.url)) as ssm:
                yield Service(stack, Handlers({}, log), log, ssm)
        finally:
            reset_process()
            os.environ.clear()
            os.environ.update(before)


def reset_process() -> None:
    """Removes what a new Lambda environment does not have: a runtime, and a bound logger."""
    bootstrap.runtime.cache_clear()
    logging.Logger.manager.loggerDict.pop(bootstrap.SERVICE, None)
