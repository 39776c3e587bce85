"""A table becomes equal to its restored copy while no scan can run."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from chalicelib.adapters.dynamodb.inventory import DynamoFindings, DynamoNodes
from chalicelib.adapters.dynamodb.work import DynamoLease
from chalicelib.domain.errors import Conflict
from chalicelib.domain.finding import Entry, pack_list
from chalicelib.domain.node import Node
from devstack.aws.resources import create_tables
from ops.restore import LEASE_TIME, Restored, restore_table
from tests.contract.samples import make_finding
from tests.contract.stores import Tables

if TYPE_CHECKING:
    import boto3

NOW = datetime(2026, 1, 31, 8, 15, 30, tzinfo=UTC)


def clock() -> datetime:
    return NOW


@pytest.fixture
def copies(tables: Tables, aws_session: "boto3.Session") -> Tables:
    """Three more tables with the same keys, as a restore to a point in time creates them."""
    client = tables.ledger.meta.client
    names = create_tables(client, prefix=f"{uuid.uuid4().hex}-")
    dynamodb = aws_session.resource("dynamodb", endpoint_url=client.meta.endpoint_url)
    return Tables(*(dynamodb.Table(name) for name in (names.findings, names.nodes, names.ledger)))


def test_the_table_becomes_equal_to_the_copy(tables: Tables, copies: Tables) -> None:
    DynamoNodes(copies.nodes).put([Node("i-1", untitled=1), Node("i-2")])
    DynamoNodes(tables.nodes).put([Node("i-1", untitled=7), Node("i-3")])
    result = restore_table(copies.nodes, tables.nodes, DynamoLease(tables.ledger), clock)
    assert result == Restored(written=2, deleted=1)

    untitled = {node.instance_id: node.untitled for node in DynamoNodes(tables.nodes).all()}
    assert untitled == {"i-1": 1, "i-2": 0}


def test_a_restored_node_gets_its_list_from_the_findings_table(
    tables: Tables, copies: Tables
) -> None:
    listed = Node("i-1", open_list=pack_list([Entry.of(make_finding(1))]))
    DynamoNodes(copies.nodes).put([listed])
    DynamoFindings(copies.findings).put([make_finding(1)])
    lease = DynamoLease(tables.ledger)

    restore_table(copies.nodes, tables.nodes, lease, clock)
    restore_table(copies.findings, tables.findings, lease, clock)

    assert [node.open_list for node in DynamoNodes(tables.nodes).all()] == [None]
    assert list(DynamoFindings(tables.findings).all()) == [make_finding(1)]


def test_a_second_restore_changes_nothing(tables: Tables, copies: Tables) -> None:
    DynamoNodes(copies.nodes).put([Node("i-1")])
    lease = DynamoLease(tables.ledger)

    restore_table(copies.nodes, tables.nodes, lease, clock)

    assert restore_table(copies.nodes, tables.nodes, lease, clock) == Restored(written=1, deleted=0)


def test_nothing_changes_while_a_scan_is_running(tables: Tables, copies: Tables) -> None:
    DynamoNodes(tables.nodes).put([Node("i-1")])
    lease = DynamoLease(tables.ledger)
    lease.acquire("a scan", NOW, NOW + timedelta(minutes=1))

    with pytest.raises(Conflict, match="a scan is running"):
        restore_table(copies.nodes, tables.nodes, lease, clock)

    assert [node.instance_id for node in DynamoNodes(tables.nodes).all()] == ["i-1"]


def test_the_lease_in_the_ledger_is_not_restored(tables: Tables, copies: Tables) -> None:
    lease = DynamoLease(tables.ledger)
    DynamoLease(copies.ledger).acquire("a scan of that time", NOW, NOW + timedelta(days=1))
    copies.ledger.put_item(Item={"pk": "SNOOZE", "sk": "1"})
    tables.ledger.put_item(Item={"pk": "SNOOZE", "sk": "2"})
    restore_table(copies.ledger, tables.ledger, lease, clock)

    rows = tables.ledger.scan(ConsistentRead=True)["Items"]

    assert rows == [{"pk": "SNOOZE", "sk": "1"}]


class ShortLease:
    """A lease that another worker takes before the third renewal."""

    def __init__(self) -> None:
        self.untils: list[datetime] = []

    def acquire(self, owner: str, now: datetime, until: datetime) -> bool:
        assert owner
        assert now == NOW
        self.untils.append(until)
        return len(self.untils) < 3

    def release(self, owner: str) -> bool:
        assert owner
        return False


def test_a_long_restore_renews_its_lease_and_stops_if_it_is_lost(
    tables: Tables, copies: Tables
) -> None:
    DynamoNodes(copies.nodes).put([Node(f"i-{number}") for number in range(5)])
    lease = ShortLease()

    with pytest.raises(Conflict):
        restore_table(copies.nodes, tables.nodes, lease, clock, renew_every=2)

    assert lease.untils == [NOW + LEASE_TIME] * 3
