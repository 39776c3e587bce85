from itertools import chain

import pytest
from msgspec.structs import replace

from chalicelib.domain.compliance import Execution
from chalicelib.domain.finding import ENTRY_SIZE, Severity
from chalicelib.domain.node import Node
from chalicelib.usecases.ports import LIST_ENTRIES, LISTED_FIELDS
from tests.contract.samples import MINUTE, NOW
from tests.contract.stores import Stores, read_pages, remove_nodes

FULL = Node(
    instance_id="mi-0123456789abcdef0",
    executions={
        "custom:inspec": Execution("execution-1", NOW, 42, seen_at=NOW + MINUTE),
        "custom:other": Execution("", NOW - MINUTE, 0),
    },
    severities={Severity.CRITICAL: 2, Severity.UNSPECIFIED: 40},
    missing_since=NOW,
    unverified_since=NOW - MINUTE,
    unverified_executions={"custom:inspec": Execution("execution-2", NOW, 40, seen_at=NOW)},
    older_since={"custom:inspec": NOW},
    absent_since={"custom:other": NOW - MINUTE},
    unverified_fingerprint="f" * 64,
    fingerprint_since=NOW,
    runs=b"\x00\x01\xff\xfe",
    checks=b"\x00\x28",
)


def read_all(stores: Stores) -> dict[str, Node]:
    rows = stores.nodes.all()
    by_id = {row.instance_id: row for row in rows}
    assert len(by_id) == len(rows)
    return by_id


def list_pages(stores: Stores, size: int, after: str | None = None) -> list[list[Node]]:
    return read_pages(
        lambda last: stores.nodes.page(last, size), lambda node: node.instance_id, size, after
    )


@pytest.mark.parametrize("size", [0, 1, 26, 130])
def test_nodes_are_read_until_they_are_deleted(stores: Stores, size: int) -> None:
    nodes = {f"i-{number}": replace(FULL, instance_id=f"i-{number}") for number in range(size)}
    stores.nodes.put(iter(nodes.values()))
    assert read_all(stores) == nodes

    remove_nodes(stores, list(nodes.values()))
    assert read_all(stores) == {}


@pytest.mark.parametrize(
    "node",
    [
        FULL,
        Node("i-1"),
        replace(FULL, missing_since=None),
        replace(FULL, unverified_since=None),
    ],
)
def test_every_attribute_is_read_unchanged(stores: Stores, node: Node) -> None:
    stores.nodes.put([node])

    (read,) = stores.nodes.all()
    assert read == node
    assert all(type(count) is int for count in read.severities.values())
    assert all(type(execution.count) is int for execution in read.executions.values())


@pytest.mark.parametrize("entries", [0, 1, LIST_ENTRIES + 1])
def test_open_lists_have_what_lists_say_and_nothing_else(stores: Stores, entries: int) -> None:
    listed = Node(
        "i-1",
        severities={Severity.HIGH: 1},
        unchecked=3,
        missing_since=NOW,
        unverified_since=NOW - MINUTE,
        open_list=bytes(entries * ENTRY_SIZE),
    )
    full = replace(FULL, **{name: getattr(listed, name) for name in LISTED_FIELDS})
    stores.nodes.put([full, Node("i-2")])

    by_id = {row.instance_id: row for row in stores.nodes.open_lists()}
    assert by_id == {"i-1": listed, "i-2": Node("i-2")}


def test_the_last_put_of_a_node_replaces_the_others(stores: Stores) -> None:
    stores.nodes.put([FULL])
    stores.nodes.put([FULL, Node(FULL.instance_id), Node("i-2")])

    assert read_all(stores) == {FULL.instance_id: Node(FULL.instance_id), "i-2": Node("i-2")}


def test_removing_an_unknown_node_does_nothing(stores: Stores) -> None:
    stores.nodes.put([FULL])
    remove_nodes(stores, [Node("i-9")])

    assert read_all(stores) == {FULL.instance_id: FULL}


def test_pages_of_any_size_list_every_node_once(stores: Stores) -> None:
    nodes = {f"mi-{number}": replace(FULL, instance_id=f"mi-{number}") for number in range(30)}
    stores.nodes.put(nodes.values())

    for size in (1, 7, 30, 31):
        pages = list_pages(stores, size)
        rows = list(chain(*pages))
        assert [len(page) for page in pages] == [*[size] * (30 // size), 30 % size]
        assert len({row.instance_id for row in rows}) == len(rows)
        assert {row.instance_id: row for row in rows} == nodes


def test_an_empty_table_has_one_empty_page(stores: Stores) -> None:
    assert not stores.nodes.page(None, 50)
    assert not stores.nodes.page("i-1", 50)


@pytest.mark.parametrize("position", [0, 9, 29])
def test_a_list_continues_after_a_deleted_node(stores: Stores, position: int) -> None:
    stores.nodes.put(Node(f"i-{number}") for number in range(30))
    whole = list(chain(*list_pages(stores, 10)))
    gone = whole[position]
    remove_nodes(stores, [gone])

    assert list(chain(*list_pages(stores, 10, after=gone.instance_id))) == whole[position + 1 :]


def test_a_page_is_full_even_if_the_engine_ends_its_own_earlier(stores: Stores) -> None:
    # 40 rows of 40 KB exceed the megabyte at which DynamoDB ends a page
    run = {"custom:inspec": Execution("e" * 40_000, NOW, 1)}
    stores.nodes.put(Node(f"i-{number}", run) for number in range(40))

    page = stores.nodes.page(None, 36)
    rest = stores.nodes.page(page[-1].instance_id, 36)
    assert (len(page), len(rest)) == (36, 4)
    assert len({each.instance_id for each in (*page, *rest)}) == 40


def test_nodes_are_read_by_id_without_their_lists(stores: Stores) -> None:
    nodes = [replace(FULL, instance_id=f"i-{number}", open_list=b"x" * 31) for number in range(130)]
    stores.nodes.put(nodes)

    found = stores.nodes.get({f"i-{number}" for number in range(120)} | {"i-unknown"})

    assert found == {each.instance_id: replace(each, open_list=b"") for each in nodes[:120]}
    assert stores.nodes.get([]) == {}
