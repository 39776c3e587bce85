"""The nodes table: one row a node, with its watermark and its open findings counted."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.adapters.dynamodb.tables import (
    Row,
    delete_all,
    from_row,
    put_all,
    read_page,
    scan_table,
    to_row,
)
from chalicelib.domain.node import Node

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

_KEY = "instance_id"


@dataclass(frozen=True, slots=True)
class DynamoNodes:
    """`NodeStore` and `NodePages`. The table comes from a boto3 resource."""

    table: "Table"

    def all(self) -> tuple[Node, ...]:
        """Returns every node, consistently."""
        return tuple(map(_read_node, scan_table(self.table)))

    def page(self, after: str | None, limit: int) -> tuple[Node, ...]:
        """Returns at most `limit` nodes after the id `after`, which may be deleted; in no order."""
        start = None if after is None else {_KEY: after}
        return tuple(map(_read_node, read_page(limit, start, self.table.scan, self.table)))

    def put(self, nodes: Iterable[Node]) -> None:
        """Inserts or replaces. The last one of the same id counts."""
        put_all(self.table, map(to_row, nodes), key=(_KEY,))

    def delete(self, instance_ids: Iterable[str]) -> None:
        """Deletes the nodes that are stored under these ids."""
        delete_all(self.table, _KEY, instance_ids)


def _read_node(row: Row) -> Node:
    return from_row(row, Node)
