"""Rows of nodes that are not as this version writes them: one never stops the others."""

from typing import Any

import pytest

from chalicelib.domain.finding import Entry, pack_list
from chalicelib.domain.node import Node
from tests.contract.samples import make_finding
from tests.contract.stores import Tables, build_stores

OTHER = Node("i-2")


def make_node(findings: int) -> Node:
    entries = (Entry.of(make_finding(each)) for each in range(findings))
    return Node("i-1", open_list=pack_list(entries))


def store(tables: Tables, node: Node, key: str, damage: dict[str, Any]) -> None:
    """Stores two nodes, and changes a row of the first. The suite keeps three entries in a row."""
    build_stores(tables).nodes.put([node, OTHER])
    row = tables.nodes.get_item(Key={"instance_id": key})["Item"]
    tables.nodes.put_item(Item={**row, **damage})


def read(tables: Tables) -> list[Node]:
    return sorted(build_stores(tables).nodes.all(), key=lambda node: node.instance_id)


@pytest.mark.parametrize(
    "damage", [{"row_version": 3}, {"executions": "none"}, {"missing_since": "yesterday"}]
)
def test_of_a_row_that_cannot_be_read_only_the_id_is_known(
    tables: Tables, damage: dict[str, Any]
) -> None:
    store(tables, make_node(2), "i-1", damage)

    assert read(tables) == [Node("i-1", is_newer=True), OTHER]


@pytest.mark.parametrize("damage", [{"open_list": b"x" * 32}, {"open_list": b"\xff" * 31}])
def test_a_list_that_cannot_be_read_is_left_to_the_findings_table(
    tables: Tables, damage: dict[str, Any]
) -> None:
    store(tables, make_node(2), "i-1", damage)

    assert [node.open_list for node in read(tables)] == [None, b""]


def test_a_list_whose_rows_are_of_different_writes_is_left_to_the_findings_table(
    tables: Tables,
) -> None:
    """As after a crash between two rows of a list."""
    long, longer = make_node(7), make_node(8)
    build_stores(tables).nodes.put([longer, OTHER])
    part = tables.nodes.get_item(Key={"instance_id": "i-1#1"})["Item"]
    build_stores(tables).nodes.put([long])
    assert read(tables) == [long, OTHER]

    tables.nodes.put_item(Item=part)
    assert [node.open_list for node in read(tables)] == [None, b""]

    tables.nodes.delete_item(Key={"instance_id": "i-1#1"})
    assert [node.open_list for node in read(tables)] == [None, b""]
