"""Compares a node with its list, and writes the difference in an order that survives a crash.

1. New titles, ends of snoozes.
2. A mark names what is about to be written.
3. History, then the puts, then the deletes.
4. One transaction: node rows with their new lists, the facts that follow, no mark.

A change that fits into the transaction is written by it alone, without 2 and 3.
A scan that dies elsewhere leaves a mark. The next scan completes what it finds done of it
(recover.py), so a list and the findings table agree again before anything
is compared.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from chalicelib.domain.finding import (
    ENTRY_SIZE,
    Finding,
    OpenFinding,
    list_size,
    pack_list,
    unpack_list,
)
from chalicelib.domain.history import (
    ChangedFinding,
    EventKind,
    HistoryEvent,
    LeftFindings,
    Mark,
    MarkedNode,
    NodeFacts,
    Receipt,
    number_facts,
    split_marked,
)
from chalicelib.domain.node import (
    Diff,
    Node,
    add_run,
    count_by_severity,
    diff,
    has_new_execution,
    note_unverified,
    note_verified,
)
from chalicelib.domain.snooze import Snooze, end_by_fix
from chalicelib.usecases.context import Context
from chalicelib.usecases.ports import LIST_ENTRIES, MAX_SETTLED_ROWS, Settlement
from chalicelib.usecases.scan.read import Reading
from chalicelib.usecases.scan.titles import TitleBook

# The most marks that the transaction of the last changes removes, and that one of marks alone does.
_MARKS_BESIDE = 5
_MARKS_ALONE = 90
# Rows of nodes and facts in one transaction. The receipt and one row of facts come on top.
_MOST_ROWS = MAX_SETTLED_ROWS - _MARKS_BESIDE - 2
# Half of the 4 MB of a transaction, as marks and the rows before a change may count as well.
_MOST_BYTES = 2_000_000
_NODE_SIZE = 1_000
_FACT_SIZE = 40


class NodeChange(Struct, frozen=True):
    """What to write for one node: its difference, and its row after it; None removes the row.

    `before` is the stored row, or an empty one. `end` says how removed findings
    end, `at` when.
    """

    before: Node
    after: Node | None
    diff: Diff
    end: EventKind
    at: datetime

    @property
    def facts(self) -> NodeFacts:
        """The facts that follow."""
        ids = {
            EventKind.NEW: tuple(each.finding_id for each in self.diff.new),
            self.end: tuple(each.finding_id for each in self.diff.removed),
        }
        return NodeFacts(
            self.before.instance_id, self.at, {kind: each for kind, each in ids.items() if each}
        )


def with_list(node: Node, entries: Iterable[OpenFinding]) -> Node:
    """Returns the node row with this list, counted by severity."""
    entries = tuple(entries)
    return replace(
        node,
        severities=count_by_severity(each.severity for each in entries),
        open_list=pack_list(entries),
    )


def read_list(node: Node) -> dict[str, OpenFinding]:
    """Returns the list of a node row, by finding id."""
    return unpack_list(node.open_list or b"")


def compare_node(
    reading: Reading,
    node: Node | None,
    scan_id: str,
    now: datetime,
    absent: Iterable[str] = (),
) -> NodeChange:
    """Compares a reading with the node's list. Only a verified reading moves the watermark."""
    report, verified = reading.report, reading.doubt is None
    before = node or Node(report.instance_id)
    at = report.executed_at or now
    found = diff(
        read_list(before),
        reading.folded.observations,
        verified=verified,
        seen_at=at,
        scan_id=scan_id,
        absent=frozenset(absent),
    )
    if verified:
        after = note_verified(before, report)
        if has_new_execution(before, report):
            after = add_run(after, report, now)
    else:
        after = note_unverified(before, report, reading.fingerprint, now)
    after = replace(after, untitled=reading.folded.untitled)
    if found.has_changes:
        after = with_list(after, found.open_list)
    return NodeChange(before, after, found, EventKind.FIXED, at)


def remove_node(node: Node, now: datetime) -> NodeChange:
    """Removes a gone node with all its findings."""
    # a person may accept that a node is gone before any list was stored without it
    at = node.missing_since or node.last_read or now
    removed = Diff(removed=tuple(read_list(node).values()))
    return NodeChange(before=node, after=None, diff=removed, end=EventKind.GONE, at=at)


class _Rows(Struct, frozen=True):
    """What a change writes beside node rows and facts."""

    findings: tuple[Finding, ...] = ()
    removed: tuple[str, ...] = ()
    events: tuple[HistoryEvent, ...] = ()

    @property
    def count(self) -> int:
        return len(self.findings) + len(self.removed) + len(self.events)

    @property
    def has_repeats(self) -> bool:
        """Whether a finding id is there twice: two nodes and titles may make the same text."""
        ids = {each.finding_id for each in self.findings}.union(self.removed)
        return len(ids) < len(self.findings) + len(self.removed)


_NO_ROWS = _Rows()


class ChangeWriter:
    """Writes the changes of one scan.

    `last` is the last fact that is stored, `left` what was removed.
    """

    def __init__(
        self, context: Context, scan_id: str, snoozes: Sequence[Snooze], last: Receipt
    ) -> None:
        self.last = last
        self._new: list[Finding] = []
        self._recovered: set[str] = set()
        self._dropped: set[str] = set()
        self.left: list[LeftFindings] = []
        self.titles = TitleBook(context.titles, context.findings)
        self._context = context
        self._scan_id = scan_id
        self._snoozes = tuple(snoozes)
        self._marks = 0

    def take_new(self) -> tuple[Finding, ...]:
        """Returns what is new and still fails, and forgets it."""
        new = tuple(each for each in self._new if each.finding_id not in self._dropped)
        self._new = []
        return new

    def note_recovered(self) -> None:
        """Notes that every new finding so far was recovered, and may still be removed."""
        self._recovered = {each.finding_id for each in self._new}

    def apply(self, changes: Sequence[NodeChange], now: datetime) -> None:
        """Writes the changes of some nodes, all of them or, after a crash, a part."""
        changed = [each for each in changes if each.diff.has_changes or not each.after]
        if changed:
            rows = self._prepare(changed, now)
            if self._fits_unmarked(changed, rows):
                self._settle_group(changed, (), now, rows)
            else:
                marks = self._mark(changed)
                self._write(rows)
                self.settle(changed, marks, now)
        same = (each.after for each in changes if not each.diff.has_changes and each.after)
        before = {each.before.instance_id: each.before for each in changes}
        self._context.nodes.put(each for each in same if each != before[each.instance_id])

    def count_left(self, kind: EventKind) -> int:
        """Counts what was removed in this way."""
        return sum(list_size(each.packed) for each in self.left if each.kind is kind)

    def list_left(self) -> Iterator[ChangedFinding]:
        """Yields what was removed. A finding whose title is not known any more has no name."""
        for left in self.left:
            entries = unpack_list(left.packed).values()
            for finding in self.titles.name(left.instance_id, entries):
                yield ChangedFinding(finding, left.kind)

    def _mark(self, changes: Iterable[NodeChange]) -> tuple[str, ...]:
        """Records what is about to be written, and returns the ids of the marks."""
        marked = [
            MarkedNode(
                instance_id=each.before.instance_id,
                at=each.at,
                end=each.end,
                put=tuple(row.finding_id for row in (*each.diff.new, *each.diff.updated)),
                deleted=tuple(row.finding_id for row in each.diff.removed),
            )
            for each in changes
            if each.diff.has_changes
        ]
        ids = []
        for nodes in split_marked(marked, self._context.bounds.ids_a_mark):
            self._marks += 1
            ids.append(f"{self._scan_id}#{self._marks:05}")
            self._context.facts.mark(Mark(ids[-1], self._scan_id, nodes))
        return tuple(ids)

    def _prepare(self, changes: Sequence[NodeChange], now: datetime) -> _Rows:
        """Writes what does no harm if the rest is never written, and returns the rows of the rest.

        A snooze that a fix ends is ended first: the finding must not leave, come back
        and be silent.
        """
        new = [row for each in changes for row in each.diff.new]
        updated = self._keep_origin([row for each in changes for row in each.diff.updated])
        self.titles.add((*new, *updated), now)
        removed = tuple(row.finding_id for each in changes for row in each.diff.removed)
        for number, snooze in enumerate(self._snoozes):
            for ended in end_by_fix([snooze], set(removed), now):
                self._context.snoozes.save(ended)
                self._snoozes = (*self._snoozes[:number], ended, *self._snoozes[number + 1 :])
        events = tuple(event for each in changes for event in self._list_events(each))
        return _Rows((*new, *updated), removed, events)

    def _fits_unmarked(self, changes: Sequence[NodeChange], rows: _Rows) -> bool:
        """Whether one transaction holds all of the changes.

        Rows of findings and history have a few KB, as SSM limits a title to 500
        characters. So only those of nodes and facts are measured.
        """
        bounds = self._context.bounds
        most = bounds.unmarked_rows - rows.count
        if most <= 0 or rows.has_repeats:
            return False
        return _measure(*changes).fits(bounds.facts_a_row, most)

    def _write(self, rows: _Rows) -> None:
        self._context.journal.write(rows.events)
        self._context.findings.put(rows.findings)
        self._context.findings.delete(rows.removed)

    def _keep_origin(self, updated: Sequence[Finding]) -> tuple[Finding, ...]:
        """Returns the findings with the exact `first_seen` and the `scan_id` that are stored."""
        stored = self._context.findings.get([each.finding_id for each in updated])
        return tuple(
            replace(each, first_seen=origin.first_seen, scan_id=origin.scan_id) if origin else each
            for each in updated
            for origin in (stored.get(each.finding_id),)
        )

    def _list_events(self, change: NodeChange) -> Iterator[HistoryEvent]:
        """Yields how findings left. That others are new follows from their rows."""
        named = self.titles.name(change.before.instance_id, change.diff.removed)
        by_id = {each.finding_id: each for each in named}
        for entry in change.diff.removed:
            finding = by_id.get(entry.finding_id)
            yield HistoryEvent(entry.finding_id, change.at, change.end, self._scan_id, finding)

    def settle(self, changes: Iterable[NodeChange], marks: Sequence[str], now: datetime) -> None:
        """Writes node rows and facts, in as few transactions as they need, then removes the marks.

        A scan that dies between two of them leaves its marks, and finds the rest done.
        """
        *groups, last = [*_split_changes(changes, self._context.bounds.facts_a_row)] or [()]
        for group in groups:
            self._settle_group(group, (), now)
        self._settle_group(last, marks[:_MARKS_BESIDE], now)
        for start in range(_MARKS_BESIDE, len(marks), _MARKS_ALONE):
            self._settle_group((), marks[start : start + _MARKS_ALONE], now)

    def _settle_group(
        self,
        changes: Sequence[NodeChange],
        marks: Sequence[str],
        now: datetime,
        rest: _Rows = _NO_ROWS,
    ) -> None:
        nodes = tuple((each.before, each.after) for each in changes)
        facts, most = (each.facts for each in changes), self._context.bounds.facts_a_row
        # a clock that is set back must not hide facts from readers that begin at a later day
        day = max(f"{now:%Y-%m-%d}", self.last.day)
        rows = tuple(number_facts(facts, self.last, day, self._scan_id, most))
        self._context.facts.settle(
            Settlement(
                nodes, rows, self.last, tuple(marks), rest.findings, rest.removed, rest.events
            )
        )
        self.last = rows[-1].receipt if rows else self.last
        for each in changes:
            self._new.extend(each.diff.new)
            self._dropped.update(
                row.finding_id for row in each.diff.removed if row.finding_id in self._recovered
            )
            if each.diff.removed:
                packed = pack_list(each.diff.removed)
                self.left.append(LeftFindings(each.before.instance_id, each.end, packed))


class _Size(NamedTuple):
    """The rows that changes write for their nodes, their facts, and the bytes of both."""

    rows: int
    facts: int
    size: int

    def fits(self, facts_a_row: int, most_rows: int) -> bool:
        """Whether all of it fits into a transaction with so many rows."""
        # two rows of facts that follow each other hold more than one row could
        rows = self.rows + 2 * self.facts // facts_a_row
        return rows <= most_rows and self.size <= _MOST_BYTES


def _measure(*changes: NodeChange) -> _Size:
    rows = facts = size = 0
    for change in changes:
        nodes = (change.before, change.after)
        entries = max(list_size(node.open_list or b"") for node in nodes if node)
        count = change.facts.count
        rows += max(1, -(-entries // LIST_ENTRIES))
        facts += count
        size += entries * ENTRY_SIZE + count * _FACT_SIZE + _NODE_SIZE
    return _Size(rows, facts, size)


def _split_changes(
    changes: Iterable[NodeChange], facts_a_row: int
) -> Iterator[tuple[NodeChange, ...]]:
    """Yields the changes in groups that fit into a transaction. Each has one or more."""
    group: list[NodeChange] = []
    total = _Size(0, 0, 0)
    for each in changes:
        size = _measure(each)
        total = _Size(*map(sum, zip(total, size, strict=True)))
        if group and not total.fits(facts_a_row, _MOST_ROWS):
            yield tuple(group)
            group, total = [], size
        group.append(each)
    if group:
        yield tuple(group)
