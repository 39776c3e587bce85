"""A fleet of any size in the SSM stand-in, and the handlers on DynamoDB Local."""

import os
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from devstack.aws.resources import create_tables
from devstack.aws.session import local_session
from devstack.dynamodb_local import dynamodb_local
from devstack.environment import settings_env
from devstack.handlers import Handlers
from devstack.sample_fleet import started_now
from devstack.stack import stack

LOG = Path("build/bench/lambda.log")


@dataclass(slots=True)
class Fleet:
    """Nodes that report findings numbered from `first` to `first + findings`."""

    ssm: object
    handlers: Handlers
    nodes: int
    run: int = 0

    def report(self, findings: Sequence[int]) -> None:
        """Let every node report these findings in a new execution."""
        self.run += 1
        items = [
            {
                "Id": f"bench-{number}",
                "Title": f"Control {number} must hold : {'x' * 80}",
                "Severity": "HIGH",
                "Status": "NON_COMPLIANT",
            }
            for number in findings
        ]
        for node in range(self.nodes):
            self.ssm.put_compliance_items(  # type: ignore[attr-defined]
                ResourceId=f"i-{node:017x}",
                ResourceType="ManagedInstance",
                ComplianceType="Custom:InSpec",
                ExecutionSummary={
                    "ExecutionTime": datetime.now(UTC),
                    "ExecutionId": f"run-{self.run}",
                    "ExecutionType": "Command",
                },
                Items=items,
            )

    def scan(self) -> dict[str, object]:
        """One association event; returns the facts of its pass."""
        (made,) = self.handlers.scan(started_now(), {"Success": self.nodes})["passes"]
        facts: dict[str, object] = made
        return facts

    def reconcile(self) -> dict[str, object]:
        """One tick of every 15 minutes; returns the facts of its pass."""
        (made,) = self.handlers.reconcile()["passes"]
        facts: dict[str, object] = made
        return facts


@contextmanager
def fleet(nodes: int) -> Iterator[Fleet]:
    """Run the stand-ins and DynamoDB Local while the block lasts."""
    LOG.parent.mkdir(parents=True, exist_ok=True)
    with stack() as running, dynamodb_local() as url, LOG.open("w") as log:
        session = local_session()
        with (
            closing(session.client("dynamodb", endpoint_url=url)) as dynamodb,
            closing(session.client("ssm", endpoint_url=running.aws.url)) as ssm,
        ):
            tables = create_tables(dynamodb, stage="bench")
            env = settings_env(
                aws_url=running.aws.url,
                slack_url=running.slack.base_url,
                findings_table=tables.findings,
                nodes_table=tables.nodes,
                ledger_table=tables.ledger,
                reports_bucket=running.resources.reports_bucket,
            )
            os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = url
            yield Fleet(ssm, Handlers(env, log), nodes)
