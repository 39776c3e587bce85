"""The nodes table in DynamoDB: one row a node, its watermark and its open findings counted."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from chalicelib.aws.dynamodb_batches import delete_all, put_all
from chalicelib.aws.dynamodb_pages import Row, read_page, scan_table
from chalicelib.aws.dynamodb_times import from_optional, from_text, present, to_text
from chalicelib.aws.shared_text import shared
from chalicelib.domain.compliance import Execution
from chalicelib.domain.finding import Severity
from chalicelib.domain.node import Node

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

_KEY = "instance_id"


class DynamoNodes:
    """`NodeStore` and `NodePages`; the table comes from a boto3 resource."""

    def __init__(self, table: "Table") -> None:
        self._table = table

    def all(self) -> tuple[Node, ...]:
        """Every node, consistently."""
        return tuple(map(_node, scan_table(self._table)))

    def page(self, after: str | None, limit: int) -> tuple[Node, ...]:
        """At most `limit` nodes behind `after`, which may be deleted by now; in no order."""
        start = None if after is None else {_KEY: after}
        return tuple(map(_node, read_page(limit, start, self._table.scan, self._table)))

    def put(self, nodes: Iterable[Node]) -> None:
        """Insert or replace; the last one of the same id counts."""
        put_all(self._table, map(_row, nodes), key=(_KEY,))

    def delete(self, instance_ids: Iterable[str]) -> None:
        """Remove, if stored."""
        delete_all(self._table, _KEY, instance_ids)


def _row(node: Node) -> Row:
    return {
        _KEY: node.instance_id,
        "executions": {
            compliance_type: {
                "execution_id": execution.execution_id,
                "executed_at": to_text(execution.executed_at),
                "count": execution.count,
            }
            for compliance_type, execution in node.executions.items()
        },
        "severities": {severity.value: count for severity, count in node.severities.items()},
        "untitled": node.untitled,
        "unverified_fingerprint": node.unverified_fingerprint,
        **present(missing_since=node.missing_since, unverified_since=node.unverified_since),
    }


def _node(row: Row) -> Node:
    return Node(
        instance_id=row[_KEY],
        executions={
            shared(compliance_type): Execution(
                execution_id=shared(execution["execution_id"]),
                executed_at=from_text(execution["executed_at"]),
                count=int(execution["count"]),
            )
            for compliance_type, execution in row["executions"].items()
        },
        severities={Severity(name): int(count) for name, count in row["severities"].items()},
        missing_since=from_optional(row.get("missing_since")),
        unverified_since=from_optional(row.get("unverified_since")),
        untitled=int(row["untitled"]),
        unverified_fingerprint=row["unverified_fingerprint"],
    )
