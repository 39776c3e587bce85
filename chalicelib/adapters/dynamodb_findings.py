"""The findings table in DynamoDB: key `finding_id`, indexes `by_instance` and `by_title`."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from chalicelib.aws.dynamodb_batches import delete_all, get_all, put_all
from chalicelib.aws.dynamodb_pages import Row, query_index, read_page, scan_table, where
from chalicelib.aws.dynamodb_times import from_text, to_text
from chalicelib.aws.shared_text import shared
from chalicelib.domain.finding import Finding, Severity, title_id
from chalicelib.usecases.lookup_ports import Selection

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

_KEY = "finding_id"


class DynamoFindings:
    """`FindingStore` and `FindingPages`; the table comes from a boto3 resource."""

    def __init__(self, table: "Table") -> None:
        self._table = table

    def all(self) -> Iterator[Finding]:
        """Every finding, consistently, a page at a time."""
        return map(_finding, scan_table(self._table))

    def of_node(self, instance_id: str) -> tuple[Finding, ...]:
        """A node's findings from `by_instance`, which may lag behind."""
        rows = query_index(self._table, "by_instance", "instance_id", instance_id)
        return tuple(map(_finding, rows))

    def of_title(self, title: str) -> tuple[Finding, ...]:
        """A title's findings from `by_title`; its hash narrows, the full title decides."""
        rows = query_index(self._table, "by_title", "title_id", title_id(title))
        return tuple(finding for finding in map(_finding, rows) if finding.title == title)

    def page(self, selection: Selection, after: str | None, limit: int) -> tuple[Finding, ...]:
        """At most `limit` findings behind `after`: by id from an index, in no order from the table.

        Eventually consistent, and `after` may be deleted by now.
        """
        call, key = self._access(selection)
        start = None if after is None else {**key, _KEY: after}
        rows = read_page(
            limit, start, call, self._table, lambda row: selection.title in (None, row["title"])
        )
        return tuple(map(_finding, rows))

    def get(self, finding_ids: Iterable[str]) -> dict[str, Finding]:
        """Those of the ids that are stored, consistently."""
        return {row[_KEY]: _finding(row) for row in get_all(self._table, _KEY, finding_ids)}

    def put(self, findings: Iterable[Finding]) -> None:
        """Insert or replace; the last one of the same id counts."""
        put_all(self._table, map(_row, findings), key=(_KEY,))

    def delete(self, finding_ids: Iterable[str]) -> None:
        """Remove, if stored."""
        delete_all(self._table, _KEY, finding_ids)

    def _access(
        self, selection: Selection
    ) -> tuple[Callable[..., Mapping[str, Any]], dict[str, str]]:
        """How a selection is read, and what its keys are made of beside the finding id."""
        if selection.instance_id is not None:
            index, key, value = "by_instance", "instance_id", selection.instance_id
        elif selection.title is not None:
            index, key, value = "by_title", "title_id", title_id(selection.title)
        else:
            return self._table.scan, {}
        return partial(self._table.query, IndexName=index, **where(key, value)), {key: value}


def _row(finding: Finding) -> Row:
    return {
        _KEY: finding.finding_id,
        "instance_id": finding.instance_id,
        "title": finding.title,
        "title_id": title_id(finding.title),
        "severity": finding.severity.value,
        "control_id": finding.control_id,
        "first_seen": to_text(finding.first_seen),
        "scan_id": finding.scan_id,
    }


def _finding(row: Row) -> Finding:
    return Finding(
        instance_id=shared(row["instance_id"]),
        title=shared(row["title"]),
        severity=Severity(row["severity"]),
        control_id=shared(row["control_id"]),
        first_seen=from_text(row["first_seen"]),
        scan_id=shared(row["scan_id"]),
    )
