"""The findings table: key `finding_id`, indexes `by_instance` and `by_title`."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Key

from chalicelib.adapters.dynamodb.tables import (
    Row,
    delete_all,
    from_row,
    get_all,
    put_all,
    read_page,
    scan_table,
    to_row,
)
from chalicelib.domain.finding import Finding, title_id
from chalicelib.usecases.ports import Selection

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

_KEY = "finding_id"


@dataclass(frozen=True, slots=True)
class DynamoFindings:
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
        start = None if after is None else {**key, _KEY: after}

        def keep(row: Row) -> bool:
            # the index key is a hash, so the title itself decides
            return selection.title in (None, row["title"])

        return tuple(map(_read_finding, read_page(limit, start, call, self.table, keep)))

    def get(self, finding_ids: Iterable[str]) -> dict[str, Finding]:
        """Returns the findings that are stored under these ids, consistently, by id."""
        rows = get_all(self.table, ({_KEY: each} for each in finding_ids))
        return {row[_KEY]: _read_finding(row) for row in rows}

    def put(self, findings: Iterable[Finding]) -> None:
        """Inserts or replaces. The last one of the same id counts."""
        put_all(self.table, map(_write_finding, findings), key=(_KEY,))

    def delete(self, finding_ids: Iterable[str]) -> None:
        """Deletes the findings that are stored under these ids."""
        delete_all(self.table, _KEY, finding_ids)

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
    return to_row(finding, finding_id=finding.finding_id, title_id=title_id(finding.title))


def _read_finding(row: Row) -> Finding:
    return from_row(row, Finding, times=("first_seen",))
