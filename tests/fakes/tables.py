"""The findings table and the nodes table in memory."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from msgspec.structs import replace

from chalicelib.domain.finding import Finding, Title, UncheckedFinding, title_reference
from chalicelib.domain.node import Node
from chalicelib.usecases.ports import LISTED_FIELDS, Selection, UncheckedKey


class MemoryFindings:
    """`FindingStore` and `FindingPages`."""

    def __init__(self) -> None:
        self._rows: dict[str, Finding] = {}

    def all(self) -> Iterator[Finding]:
        """Yields every finding."""
        return iter(tuple(self._rows.values()))

    def page(self, selection: Selection, after: str | None, limit: int) -> tuple[Finding, ...]:
        """Returns at most `limit` findings after the finding id `after`, in index order."""
        rows = self._select(selection)
        return tuple(row for row in rows if after is None or row.finding_id > after)[:limit]

    def get(self, finding_ids: Iterable[str]) -> dict[str, Finding]:
        """Returns the findings that are stored under these ids, by id."""
        return {each: self._rows[each] for each in finding_ids if each in self._rows}

    def put(self, findings: Iterable[Finding]) -> None:
        """Inserts or replaces."""
        self._rows.update({finding.finding_id: finding for finding in findings})

    def delete(self, finding_ids: Iterable[str]) -> None:
        """Deletes. Ids that are not stored are ignored."""
        for finding_id in finding_ids:
            self._rows.pop(finding_id, None)

    def _select(self, selection: Selection) -> tuple[Finding, ...]:
        rows = (
            row
            for row in self._rows.values()
            if selection.instance_id in (None, row.instance_id)
            and selection.title in (None, row.title)
        )
        return tuple(sorted(rows, key=lambda row: row.finding_id))


class MemoryNodes:
    """`NodeStore` and `NodePages`."""

    def __init__(self) -> None:
        self._rows: dict[str, Node] = {}

    def all(self) -> tuple[Node, ...]:
        """Returns every node."""
        return tuple(self._rows.values())

    def open_lists(self) -> tuple[Node, ...]:
        """Returns every node with `LISTED_FIELDS` and nothing else."""
        return tuple(
            Node(**{name: getattr(row, name) for name in LISTED_FIELDS}, is_newer=row.is_newer)
            for row in self._rows.values()
        )

    def page(self, after: str | None, limit: int) -> tuple[Node, ...]:
        """Returns at most `limit` nodes after the instance id `after`, in order of the ids."""
        ids = sorted(each for each in self._rows if after is None or each > after)
        return tuple(replace(self._rows[each], open_list=b"") for each in ids[:limit])

    def get(self, instance_ids: Iterable[str]) -> dict[str, Node]:
        """Returns the nodes that are stored under these ids, without their lists, by id."""
        rows = (self._rows[each] for each in instance_ids if each in self._rows)
        return {row.instance_id: replace(row, open_list=b"") for row in rows}

    def put(self, nodes: Iterable[Node]) -> None:
        """Inserts or replaces."""
        self._rows.update({node.instance_id: node for node in nodes})

    def remove(self, instance_id: str) -> None:
        """Removes a node, as the transaction of a settlement does."""
        self._rows.pop(instance_id, None)


class MemoryUnchecked:
    """`UncheckedStore`."""

    def __init__(self) -> None:
        self._rows: dict[UncheckedKey, UncheckedFinding] = {}

    def all(self) -> Iterator[UncheckedFinding]:
        """Yields every one, ordered by node and finding id."""
        return iter([self._rows[key] for key in sorted(self._rows)])

    def page(
        self, selection: Selection, after: UncheckedKey | None, limit: int
    ) -> tuple[UncheckedFinding, ...]:
        """Returns at most `limit` after a key."""
        rows = (
            self._rows[key]
            for key in sorted(self._rows)
            if (after is None or key > after)
            and selection.instance_id in (None, key.instance_id)
            and selection.title in (None, self._rows[key].finding.title)
        )
        return tuple(rows)[:limit]

    def get(self, keys: Iterable[UncheckedKey]) -> dict[str, UncheckedFinding]:
        """Returns what is stored under these keys, by finding id."""
        return {key.finding_id: self._rows[key] for key in keys if key in self._rows}

    def put(self, findings: Iterable[UncheckedFinding]) -> None:
        """Inserts or replaces."""
        for each in findings:
            key = UncheckedKey(each.finding.instance_id, each.finding.finding_id)
            self._rows[key] = each

    def delete(self, keys: Iterable[UncheckedKey]) -> None:
        """Deletes. Keys that are not stored are ignored."""
        for key in keys:
            self._rows.pop(key, None)


class MemoryTitles:
    """`Titles`."""

    def __init__(self) -> None:
        self._rows: dict[str, Title] = {}

    def all(self) -> dict[str, Title]:
        """Returns every title, by its reference."""
        return dict(self._rows)

    def put(self, titles: Iterable[Title], now: datetime) -> None:  # noqa: ARG002 - nothing expires here
        """Inserts or replaces."""
        self._rows.update({title_reference(each.text): each for each in titles})

    def expire(self, text: str) -> None:
        """Removes a title, as DynamoDB does some time after its last finding was new."""
        del self._rows[title_reference(text)]
