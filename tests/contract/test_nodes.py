from dataclasses import replace

import pytest

from chalicelib.domain.compliance import Execution
from chalicelib.domain.finding import Severity
from chalicelib.domain.node import Node
from tests.contract.conftest import Stores
from tests.contract.samples import MINUTE, NOW

FULL = Node(
    instance_id="mi-0123456789abcdef0",
    executions={
        "custom:inspec": Execution("execution-1", NOW, 42),
        "custom:other": Execution("", NOW - MINUTE, 0),
    },
    severities={Severity.CRITICAL: 2, Severity.UNSPECIFIED: 40},
    missing_since=NOW,
    unproven_since=NOW - MINUTE,
)


def stored(stores: Stores) -> dict[str, Node]:
    rows = stores.nodes.all()
    by_id = {row.instance_id: row for row in rows}
    assert len(by_id) == len(rows)
    return by_id


@pytest.mark.parametrize("size", [0, 1, 26, 130])
def test_what_is_put_is_read_back_and_can_be_deleted(stores: Stores, size: int) -> None:
    nodes = {f"i-{number}": replace(FULL, instance_id=f"i-{number}") for number in range(size)}
    stores.nodes.put(iter(nodes.values()))
    assert stored(stores) == nodes

    stores.nodes.delete(iter(nodes))
    assert stored(stores) == {}


@pytest.mark.parametrize(
    "node",
    [
        FULL,
        Node("i-1"),
        replace(FULL, missing_since=None),
        replace(FULL, unproven_since=None),
    ],
)
def test_every_attribute_comes_back_as_it_was(stores: Stores, node: Node) -> None:
    stores.nodes.put([node])

    (read,) = stores.nodes.all()
    assert read == node
    assert all(type(count) is int for count in read.severities.values())
    assert all(type(execution.count) is int for execution in read.executions.values())


def test_putting_again_replaces_and_the_last_one_counts(stores: Stores) -> None:
    stores.nodes.put([FULL])
    stores.nodes.put([FULL, Node(FULL.instance_id), Node("i-2")])

    assert stored(stores) == {FULL.instance_id: Node(FULL.instance_id), "i-2": Node("i-2")}


def test_deleting_what_is_not_stored_is_no_error(stores: Stores) -> None:
    stores.nodes.put([FULL])
    stores.nodes.delete(["i-9", "i-9"])

    assert stored(stores) == {FULL.instance_id: FULL}
