"""The findings table and the nodes table.

A finding's key is `finding_id`; the indexes are `by_instance` and `by_title`. A node
has one row, with its watermark and the list of its open findings. A row is limited to
400 KB. So a long list continues in further rows, whose keys are `<instance id>#1` and
so on. `parts` is their number, and `whole` a checksum of the whole list in each of
them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any
from zlib import crc32

from boto3.dynamodb.conditions import Key
from msgspec import Struct
from msgspec.structs import replace

from chalicelib.adapters.dynamodb.tables import (
    ROW_VERSION,
    Action,
    Row,
    delete_all,
    from_row,
    get_all,
    is_newer,
    put_all,
    read_page,
    scan_table,
    to_row,
)
from chalicelib.domain.errors import BadRow
from chalicelib.domain.finding import ENTRY_SIZE, Finding, is_list, title_id
from chalicelib.domain.node import Node
from chalicelib.usecases.ports import LIST_ENTRIES, LISTED_FIELDS, Selection

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

_FINDING_KEY = "finding_id"
_OFTEN_EMPTY = frozenset({"former_ids", "compliance_type"})


class DynamoFindings(Struct, frozen=True):
    """`FindingStore` and `FindingPages`. The table comes from a boto3 resource."""

    table: "Table"

    def all(self) -> Iterator[Finding]:
        """Yields every finding, consistently, a page at a time."""
        return map(_read_finding, scan_table(self.table))

    def page(self, selection: Selection, after: str | None, limit: int) -> tuple[Finding, ...]:
        """Returns at most `limit` findings after the id `after`, which may be deleted by now.

        Eventually consistent. An index orders by id, the table has no order.
        """
        call, key = self._choose_call(selection)
        start = None if after is None else {**key, _FINDING_KEY: after}

        def keep(row: Row) -> bool:
            # the index key is a hash, so the title itself decides
            return selection.title in (None, row["title"])

        return tuple(map(_read_finding, read_page(limit, start, call, self.table, keep)))

    def get(self, finding_ids: Iterable[str]) -> dict[str, Finding]:
        """Returns the findings that are stored under these ids, consistently, by id."""
        rows = get_all(self.table, ({_FINDING_KEY: each} for each in finding_ids))
        return {row[_FINDING_KEY]: _read_finding(row) for row in rows}

    def put(self, findings: Iterable[Finding]) -> None:
        """Inserts or replaces. The last one of the same id counts."""
        put_all(self.table, map(_write_finding, findings), key=(_FINDING_KEY,))

    def delete(self, finding_ids: Iterable[str]) -> None:
        """Deletes the findings that are stored under these ids."""
        delete_all(self.table, ({_FINDING_KEY: each} for each in finding_ids))

    def list_actions(self, put: Iterable[Finding], removed: Iterable[str]) -> Iterator[Action]:
        """Yields the actions of a transaction that inserts or replaces some, and deletes some."""
        for each in put:
            yield {"Put": {"TableName": self.table.name, "Item": _write_finding(each)}}
        for key in removed:
            yield {"Delete": {"TableName": self.table.name, "Key": {_FINDING_KEY: key}}}

    def _choose_call(
        self, selection: Selection
    ) -> tuple[Callable[..., Mapping[str, Any]], dict[str, str]]:
        """Returns the call that reads a selection, and its key beside the finding id."""
        if selection.instance_id is not None:
            index, key, value = "by_instance", "instance_id", selection.instance_id
        elif selection.title is not None:
            index, key, value = "by_title", "title_id", title_id(selection.title)
        else:
            return self.table.scan, {}
        condition = Key(key).eq(value)
        query = partial(self.table.query, IndexName=index, KeyConditionExpression=condition)
        return query, {key: value}


def _write_finding(finding: Finding) -> Row:
    row = to_row(finding, finding_id=finding.finding_id, title_id=title_id(finding.title))
    # few findings were ever reworded, and some have no known type
    return {name: value for name, value in row.items() if value or name not in _OFTEN_EMPTY}


def _read_finding(row: Row) -> Finding:
    return from_row(row, Finding, times=("first_seen",))


_NODE_KEY = "instance_id"


class DynamoNodes(Struct, frozen=True):
    """`NodeStore` and `NodePages`. The table comes from a boto3 resource."""

    table: "Table"
    entries: int = LIST_ENTRIES

    def all(self) -> tuple[Node, ...]:
        """Returns every node, consistently, in no order."""
        return self._read_all(())

    def open_lists(self) -> tuple[Node, ...]:
        """Returns every node with what its list says, consistently, in no order."""
        return self._read_all(_LIST_ATTRIBUTES)

    def _read_all(self, attributes: Sequence[str]) -> tuple[Node, ...]:
        """Reads every row. Only those of long lists stay in memory."""
        nodes: list[Node] = []
        long: list[Row] = []
        parts: dict[str, Row] = {}
        for row in scan_table(self.table, attributes):
            if _is_part(row[_NODE_KEY]):
                parts[row[_NODE_KEY]] = row
            elif row.get("parts"):
                long.append(row)
            else:
                nodes.append(_read_node(row, parts))
        return (*nodes, *(_read_node(row, parts) for row in long))

    def page(self, after: str | None, limit: int) -> tuple[Node, ...]:
        """Returns at most `limit` nodes after the id `after`, which may be deleted; in no order.

        Their lists are left out.
        """
        start = None if after is None else {_NODE_KEY: after}

        def keep(row: Row) -> bool:
            return not _is_part(row[_NODE_KEY])

        rows = read_page(limit, start, self.table.scan, self.table, keep)
        return tuple(replace(_read_node(row, None), open_list=b"") for row in rows)

    def get(self, instance_ids: Iterable[str]) -> dict[str, Node]:
        """Returns the nodes that are stored under these ids, without their lists, by id.

        Eventually consistent. DynamoDB bills half a read unit for each 4 KB of a row,
        its list included.
        """
        keys = ({_NODE_KEY: each} for each in instance_ids)
        rows = get_all(self.table, keys, attributes=_NODE_ATTRIBUTES, is_consistent=False)
        nodes = (replace(_read_node(row, None), open_list=b"") for row in rows)
        return {node.instance_id: node for node in nodes}

    def put(self, nodes: Iterable[Node]) -> None:
        """Inserts or replaces. The last one of the same id counts."""
        put_all(
            self.table, (row for each in nodes for row in self.list_rows(each)), key=(_NODE_KEY,)
        )

    def list_rows(self, node: Node) -> Iterator[Row]:
        """Yields the rows of a node."""
        size = self.entries * ENTRY_SIZE
        packed = node.open_list or b""
        parts = [packed[start : start + size] for start in range(0, len(packed), size)] or [b""]
        whole = crc32(packed) if len(parts) > 1 else 0
        row = to_row(
            node,
            row_version=ROW_VERSION,
            open_list=parts[0],
            parts=len(parts) - 1,
            whole=whole,
        )
        # what a reader assumes anyway
        yield {name: value for name, value in row.items() if value not in _USUAL}
        for number, part in enumerate(parts[1:], 1):
            key = f"{node.instance_id}#{number}"
            yield {_NODE_KEY: key, "open_list": part, "row_version": ROW_VERSION, "whole": whole}


# Everything but the list, which may have 155 KB.
_NODE_ATTRIBUTES = (
    "row_version",
    *(name for name in Node.__struct_fields__ if name not in {"open_list", "is_newer"}),
)
# What counting findings needs. The rest, as executions, takes most of the time of reading a row.
_LIST_ATTRIBUTES = ("row_version", "parts", "whole", *LISTED_FIELDS)
_USUAL: tuple[object, ...] = (0, "", b"", False, {}, (), [])


def _is_part(key: str) -> bool:
    """Whether a row continues a list. The id of an instance has no `#`."""
    return "#" in key


def _read_node(row: Row, parts: Mapping[str, Row] | None) -> Node:
    """Builds the node of a row. `parts` continue lists; None if the list is not wanted."""
    unreadable = Node(row[_NODE_KEY], is_newer=True)
    if is_newer(row):
        return unreadable
    try:
        node = from_row(row, Node)
    except BadRow:
        # one bad row must not stop the others
        return unreadable
    if int(row.get("row_version", 0)) < ROW_VERSION:
        # its list has another form, or there is none
        return replace(node, open_list=None)
    return node if parts is None else replace(node, open_list=_join_list(row, parts))


def _join_list(row: Row, parts: Mapping[str, Row]) -> bytes | None:
    """Joins the list of a row; None if it is not whole, as after a backup of a part.

    The findings table has what such a list had.
    """
    joined = [row]
    for number in range(1, int(row.get("parts", 0)) + 1):
        part = parts.get(f"{row[_NODE_KEY]}#{number}")
        if part is None or part.get("whole") != row.get("whole"):
            return None
        joined.append(part)
    packed = b"".join(bytes(part.get("open_list", b"")) for part in joined)
    return packed if is_list(packed) else None
