"""Fills tables on DynamoDB Local with a fleet's findings, and builds settings for the API."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from botocore.config import Config

from chalicelib.adapters.dynamodb.inventory import DynamoFindings, DynamoNodes
from chalicelib.adapters.dynamodb.journal import DynamoJournal, DynamoTitles
from chalicelib.adapters.dynamodb.tables import put_all
from chalicelib.adapters.dynamodb.work import write_day
from chalicelib.domain.compliance import Execution
from chalicelib.domain.finding import (
    Entry,
    Finding,
    Severity,
    Title,
    count_by_severity,
    pack_list,
)
from chalicelib.domain.history import EventKind
from chalicelib.domain.node import Node
from chalicelib.domain.scan import MOST_DAYS, Coverage, Day, Outcome, build_record
from devstack.aws.resources import Tables, create_tables
from devstack.aws.session import make_session
from devstack.environment import build_settings

ROOT = Path(__file__).parents[2]
FINDINGS_A_NODE = 20
WRITERS = 8
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
SCAN_ID = "20261123T080000Z-00000000"
# Nothing listens here.
NOWHERE = "http://127.0.0.1:9"
SEVERITIES = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW)


def make_instance_id(number: int) -> str:
    """The instance id of a node."""
    return f"i-{number:017x}"


def make_title(number: int) -> str:
    """A title of usual length."""
    return f"Control {number} must hold : {'x' * 80}"


@dataclass(frozen=True, slots=True)
class FilledFleet:
    """A fleet with this many findings, `FINDINGS_A_NODE` on each node, of so many titles."""

    findings: int
    titles: int

    @property
    def nodes(self) -> int:
        """The number of nodes."""
        return self.findings // FINDINGS_A_NODE

    def make_findings(self, node: int) -> Iterator[Finding]:
        """The findings of a node."""
        first = node * FINDINGS_A_NODE
        for each in range(first, first + FINDINGS_A_NODE):
            number = each % self.titles
            yield Finding(
                instance_id=make_instance_id(node),
                title=make_title(number),
                severity=SEVERITIES[number % len(SEVERITIES)],
                control_id=f"bench-{number}",
                first_seen=NOW,
                scan_id=SCAN_ID,
                compliance_type="custom:inspec",
            )

    def make_node(self, number: int) -> Node:
        """A node's row, as a scan leaves it."""
        findings = tuple(self.make_findings(number))
        execution = Execution(
            f"{number:08x}-5d0a-4ab0-9b96-{number:012x}", NOW, FINDINGS_A_NODE, NOW
        )
        return Node(
            make_instance_id(number),
            executions={"custom:inspec": execution},
            severities=count_by_severity(each.severity for each in findings),
            passed_types=("custom:inspec",),
            open_list=pack_list(map(Entry.of, findings)),
            runs=bytes(36),
            checks=bytes(16),
        )


def fill_tables(url: str, fleet: FilledFleet) -> Tables:
    """Create tables with a fleet on the DynamoDB at `url`."""
    session = make_session()
    with closing(session.client("dynamodb", endpoint_url=url)) as dynamodb:
        tables = create_tables(dynamodb, stage=f"bench-{fleet.findings}-{fleet.titles}")
    config = Config(max_pool_connections=WRITERS)
    resource = session.resource("dynamodb", endpoint_url=url, config=config)
    findings = DynamoFindings(resource.Table(tables.findings))
    nodes, ledger = DynamoNodes(resource.Table(tables.nodes)), resource.Table(tables.ledger)

    def store(first: int) -> None:
        batch = range(first, min(first + FINDINGS_A_NODE, fleet.nodes))
        findings.put(each for node in batch for each in fleet.make_findings(node))
        nodes.put(map(fleet.make_node, batch))

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(store, range(0, fleet.nodes, FINDINGS_A_NODE)))
    titles = (Title(make_title(each), f"bench-{each}") for each in range(fleet.titles))
    DynamoTitles(ledger).put(titles, NOW)
    outcome = Outcome(SCAN_ID, NOW, (), {}, Coverage(fleet.nodes))
    DynamoJournal(ledger).record(build_record(outcome, NOW, message_id=None))
    put_all(ledger, (write_day(_make_day(each)) for each in range(MOST_DAYS)), key=("pk", "sk"))
    resource.meta.client.close()
    return tables


def _make_day(number: int) -> Day:
    day = date(2026, 11, 23) - timedelta(days=number)
    return Day(
        day=day.isoformat(),
        open=dict.fromkeys(SEVERITIES, 25_000),
        changes=dict.fromkeys((EventKind.NEW, EventKind.FIXED, EventKind.WORSE), 1_000),
        fixed_ages=dict.fromkeys(range(90), 11),
        nodes_known=5_000,
        nodes_reported=4_990,
    )


def build_api_settings(aws_url: str, tables: Tables) -> dict[str, str]:
    """The settings of an API over these tables."""
    return build_settings(
        aws_url=aws_url,
        slack_url=f"{NOWHERE}/api/",
        findings_table=tables.findings,
        nodes_table=tables.nodes,
        ledger_table=tables.ledger,
        reports_bucket="bench",
    )
