"""Writes how nodes differ from their lists, in an order that survives a crash.

1. New titles.
2. A mark names what is about to be written.
3. History, then what is remembered, the puts, the deletes, what is remembered no more.
4. One transaction: node rows with their new lists, the facts that follow, no mark.

A change that fits into the transaction is written by it alone, without 2 and 3.
A scan that dies elsewhere leaves a mark. The next scan completes what it finds done of it
(recover.py), so a list and the findings table agree again before anything
is compared.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from msgspec import Struct, structs
from msgspec.structs import replace

from chalicelib.domain.diff import Change
from chalicelib.domain.finding import (
    ENTRY_SIZE,
    Entry,
    Finding,
    UncheckedFinding,
    list_size,
    pack_list,
    unpack_list,
)
from chalicelib.domain.history import (
    AWAY,
    BACK,
    ENDING,
    NAMED,
    ChangedFinding,
    EventKind,
    HistoryEvent,
    Mark,
    MarkedNode,
    Receipt,
    number_facts,
    split_marked,
)
from chalicelib.domain.snooze import Snooze, SnoozeIndex
from chalicelib.usecases.context import Context
from chalicelib.usecases.ports import (
    LIST_ENTRIES,
    MAX_SETTLED_ROWS,
    NO_ROWS,
    Rows,
    Settlement,
    UncheckedKey,
)
from chalicelib.usecases.scan.compare import Names, NodeChange

# The most marks that the transaction of the last changes removes, and that one of marks alone does.
_MARKS_BESIDE = 5
_MARKS_ALONE = 90
# Rows of nodes and facts in one transaction. The receipt and one row of facts come on top.
_MOST_ROWS = MAX_SETTLED_ROWS - _MARKS_BESIDE - 2
# Half of the 4 MB of a transaction, as marks and the rows before a change may count as well.
_MOST_BYTES = 2_000_000
_NODE_SIZE = 1_000
_FACT_SIZE = 40


class NamedFindings(Struct, frozen=True):
    """Findings of a node to which the same happened, packed as in its list."""

    instance_id: str
    kind: EventKind
    packed: bytes


class ChangeWriter:
    """Writes the changes of one scan.

    `last` is the last fact that is stored, `counts` what happened so far. `returned` has
    findings that fail again, with a snooze whose end nobody was told. `alternating` are
    nodes of which one execution shows what the one before it left out, and the reverse.
    `fixed_ages` counts what was fixed by whole days since it was first seen. `has_settled` says
    that the list of a node has changed.
    """

    def __init__(self, context: Context, scan_id: str, last: Receipt) -> None:
        self.last = last
        self.counts: Counter[EventKind] = Counter()
        self.returned: list[tuple[Finding, Snooze]] = []
        self.alternating: set[str] = set()
        self.fixed_ages: Counter[int] = Counter()
        self.has_settled = False
        self.names = Names(context)
        self._news: dict[EventKind, list[Finding]] = {EventKind.NEW: [], EventKind.WORSE: []}
        self._named: list[NamedFindings] = []
        self._recovered: set[str] = set()
        self._dropped: set[str] = set()
        self._context = context
        self._scan_id = scan_id
        self._settled_snoozes: SnoozeIndex | None = None
        self._marks = 0

    def take(self, kind: EventKind) -> tuple[Finding, ...]:
        """Returns what is new, or worse, and still fails, and forgets it."""
        found = self._news.pop(kind, ())
        return tuple(each for each in found if each.finding_id not in self._dropped)

    def note_recovered(self) -> None:
        """Notes that everything so far was recovered, and may still be removed."""
        self._recovered = {each.finding_id for found in self._news.values() for each in found}

    def apply(self, changes: Sequence[NodeChange], now: datetime) -> None:
        """Writes the changes of some nodes, all of them or, after a crash, a part."""
        changed = [each for each in changes if each.found.changes or not each.after]
        if changed:
            rows = self._prepare(changed, now)
            if self._fits_unmarked(changed, rows):
                self._settle_group(changed, (), now, rows)
            else:
                marks = self._mark(changed)
                self._write(rows)
                self.settle(changed, marks, now)
        same = (each.after for each in changes if not each.found.changes and each.after)
        before = {each.before.instance_id: each.before for each in changes}
        self._context.nodes.put(each for each in same if each != before[each.instance_id])

    def list_changes(self) -> Iterator[ChangedFinding]:
        """Yields what happened by name. A finding whose title is not known any more has none."""
        for named in self._named:
            entries = unpack_list(named.packed).values()
            for finding in self.names.find(named.instance_id, entries):
                yield ChangedFinding(finding, named.kind)

    def _mark(self, changes: Iterable[NodeChange]) -> tuple[str, ...]:
        """Records what is about to be written, and returns the ids of the marks."""
        marked = [
            MarkedNode(
                instance_id=each.before.instance_id,
                at=each.at,
                ids=each.ids,
                rewritten=tuple(row.finding_id for row in each.found.changes if not row.kind),
            )
            for each in changes
            if each.found.changes
        ]
        ids = []
        for nodes in split_marked(marked, self._context.bounds.ids_a_mark):
            self._marks += 1
            ids.append(f"{self._scan_id}#{self._marks:05}")
            self._context.facts.mark(Mark(ids[-1], self._scan_id, nodes))
        return tuple(ids)

    def _prepare(self, changes: Sequence[NodeChange], now: datetime) -> Rows:
        """Writes what does no harm without the rest, and returns the rows of the rest."""
        rows = join_rows(changes)
        self.names.add(rows.findings, now)
        events = tuple(event for each in changes for event in self._list_events(each))
        return replace(rows, events=events)

    def _fits_unmarked(self, changes: Sequence[NodeChange], rows: Rows) -> bool:
        """Whether one transaction holds all of the changes.

        Rows of findings and history have a few KB, as SSM limits a title to 500
        characters. So only those of nodes and facts are measured.
        """
        bounds = self._context.bounds
        most = bounds.unmarked_rows - sum(map(len, structs.astuple(rows)))
        if most <= 0 or _has_repeats(rows):
            return False
        return _measure(*changes).fits(bounds.facts_a_row, most)

    def _write(self, rows: Rows) -> None:
        self._context.journal.write(rows.events)
        if rows.unchecked:
            self._context.unchecked.put(rows.unchecked)
        self._context.findings.put(rows.findings)
        self._context.findings.delete(rows.removed)
        if rows.settled:
            self._context.unchecked.delete(rows.settled)

    def _list_events(self, change: NodeChange) -> Iterator[HistoryEvent]:
        """Yields what happened. That a finding is new follows from its row.

        What two profiles check in turn leaves no line.
        """
        left = [each for each in change.found.changes if each.is_named and not each.finding]
        named = self.names.find(
            change.before.instance_id, [each.before for each in left if each.before]
        )
        by_id = {each.finding_id: each for each in named}
        for each in change.found.changes:
            if each.kind in NAMED:
                finding = each.finding or by_id.get(each.finding_id)
                yield HistoryEvent(each.finding_id, change.at, each.kind, self._scan_id, finding)

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
        rest: Rows = NO_ROWS,
    ) -> None:
        nodes = tuple((each.before, each.after) for each in changes)
        facts, most = (each.facts for each in changes), self._context.bounds.facts_a_row
        # a clock that is set back must not hide facts from readers that begin at a later day
        day = max(f"{now:%Y-%m-%d}", self.last.day)
        rows = tuple(number_facts(facts, self.last, day, self._scan_id, most))
        self._context.facts.settle(Settlement(nodes, rows, self.last, tuple(marks), rest))
        self.last = rows[-1].receipt if rows else self.last
        for each in changes:
            self._note(each)

    def _note(self, change: NodeChange) -> None:
        """Notes what a change that is stored has to do with messages."""
        found, node = change.found, change.before.instance_id
        self.has_settled = True
        for kind, ids in change.ids.items():
            self.counts[kind] += len(ids)
        for each in found.select([EventKind.FIXED]):
            since = _find_first_sight(each)
            if since:
                self.fixed_ages[max(0, (change.at - since).days)] += 1
        for kind, news in self._news.items():
            news.extend(each.finding for each in found.select([kind]) if each.finding)
        left = found.select((*ENDING, *AWAY))
        self._dropped.update(each.finding_id for each in left if each.finding_id in self._recovered)
        for kind in NAMED:
            # of what leaves, the entry that its title names
            is_left = kind in AWAY or kind in ENDING
            entries = [each.before if is_left else each.after for each in found.select([kind])]
            if entries:
                packed = pack_list(filter(None, entries))
                self._named.append(NamedFindings(node, kind, packed))
        back = found.select(BACK)
        if found.select([EventKind.IN_TURN]) or (back and found.select(AWAY)):
            self.alternating.add(node)
        again = [(each.finding, each.before) for each in back if each.finding and each.before]
        for finding, entry in again:
            snooze = self._find_ended_snooze(finding, entry.since)
            if snooze:
                self.returned.append((finding, snooze))

    def _find_ended_snooze(self, finding: Finding, since: datetime) -> Snooze | None:
        """Finds a snooze that ended, and was settled, while a finding was not checked."""
        if self._settled_snoozes is None:
            settled = (each for each in self._context.snoozes.all() if each.settled_at)
            self._settled_snoozes = SnoozeIndex(settled)
        snooze = self._settled_snoozes.find(finding)
        # it muted until then
        return snooze if snooze and snooze.settled_at and snooze.settled_at >= since else None


def join_rows(changes: Iterable[NodeChange]) -> Rows:
    """Returns the rows that changes write, without history."""
    findings: list[Finding] = []
    removed: list[str] = []
    unchecked: list[UncheckedFinding] = []
    settled: list[UncheckedKey] = []
    pairs = ((node.before.instance_id, each) for node in changes for each in node.found.changes)
    for instance_id, change in pairs:
        before, after = change.before, change.after
        if after and change.finding:
            if after.is_unchecked:
                unchecked.append(UncheckedFinding(change.finding, after.since, after.worst))
            else:
                findings.append(change.finding)
        if before is None or (after and _is_same_row(before, after)):
            continue
        if before.is_unchecked:
            settled.append(UncheckedKey(instance_id, before.finding_id))
        else:
            removed.append(before.finding_id)
    return Rows(tuple(findings), tuple(removed), tuple(unchecked), tuple(settled))


def _is_same_row(one: Entry, other: Entry) -> bool:
    return (one.finding_id, one.is_unchecked) == (other.finding_id, other.is_unchecked)


def _find_first_sight(left: Change) -> datetime | None:
    """Returns when a finding that left was first seen; None if that is not known any more."""
    if left.finding:
        return left.finding.first_seen
    # of one that was remembered, its entry says since when
    return left.before.since if left.before and not left.before.is_unchecked else None


def _has_repeats(rows: Rows) -> bool:
    """Whether a finding id is there twice: two nodes and titles may make the same text."""
    ids = {each.finding_id for each in rows.findings}.union(rows.removed)
    return len(ids) < len(rows.findings) + len(rows.removed)


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
