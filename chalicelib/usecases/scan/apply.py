"""Compares a node with its list, and writes the difference in an order that survives a crash.

1. A mark names what is about to be written.
2. Titles, history, ends of snoozes, then the puts.
3. The deletes.
4. One transaction: node rows with their new lists, the facts that follow, no mark.

A scan that dies leaves a mark. The next scan completes what it finds done of it
(`recover_marks`), so a list and the findings table agree again before anything
is compared.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.domain.diff import Diff, diff
from chalicelib.domain.finding import Finding, OpenFinding, list_size, pack_list, unpack_list
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
)
from chalicelib.domain.node import Node, count_by_severity
from chalicelib.domain.snooze import Snooze, end_by_fix
from chalicelib.usecases.context import Context
from chalicelib.usecases.ports import Settlement
from chalicelib.usecases.scan.read import Reading
from chalicelib.usecases.scan.titles import TitleBook


@dataclass(frozen=True, slots=True)
class NodeChange:
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
    verified = reading.doubt is None
    before = node or Node(reading.report.instance_id)
    found = diff(
        read_list(before),
        reading.folded.observations,
        verified=verified,
        seen_at=reading.report.executed_at,
        scan_id=scan_id,
        absent=frozenset(absent),
    )
    after = replace(
        before,
        executions=reading.report.executions if verified else before.executions,
        missing_since=None,
        unverified_since=None if verified else before.unverified_since or now,
        untitled=reading.folded.untitled,
        unverified_fingerprint="" if verified else reading.fingerprint,
    )
    if found.has_changes:
        after = with_list(after, found.open_list)
    return NodeChange(before, after, found, EventKind.FIXED, reading.report.executed_at)


def remove_node(node: Node, now: datetime) -> NodeChange:
    """Removes a gone node with all its findings."""
    # a person may accept that a node is gone before any list was stored without it
    at = node.missing_since or node.last_read or now
    removed = Diff(removed=tuple(read_list(node).values()))
    return NodeChange(before=node, after=None, diff=removed, end=EventKind.GONE, at=at)


class ChangeWriter:
    """Writes the changes of one scan.

    last: the last fact that is stored · new: what is new and still fails, by id ·
    left: what was removed.
    """

    def __init__(
        self, context: Context, scan_id: str, snoozes: Sequence[Snooze], last: Receipt
    ) -> None:
        self.last = last
        self.new: dict[str, Finding] = {}
        self.left: list[LeftFindings] = []
        self.titles = TitleBook(context.titles, context.findings)
        self._context = context
        self._scan_id = scan_id
        self._snoozes = tuple(snoozes)
        self._marks = 0

    def recover(self, marks: Iterable[Mark], nodes: Mapping[str, Node]) -> dict[str, Node]:
        """Completes what scans that died have written, and returns the nodes as they are then.

        What they put is stored, so it is new. What they deleted is gone from the
        table, so it ended as the mark says. What they did not come to write is
        left to this scan: those nodes are read again.
        """
        known, now = dict(nodes), self._context.clock()
        for mark in sorted(marks, key=lambda each: each.id):
            if any(
                known[each.instance_id].is_newer for each in mark.nodes if each.instance_id in known
            ):
                continue
            ids = (key for each in mark.nodes for key in (*each.put, *each.deleted))
            rows = self._context.findings.get(ids)
            changes = [
                _complete(each, known.get(each.instance_id), rows, now) for each in mark.nodes
            ]
            self._settle([each for each in changes if each.diff.has_changes], (mark.id,), now)
            known.update({each.before.instance_id: each.after for each in changes if each.after})
        return known

    def apply(self, changes: Sequence[NodeChange], now: datetime) -> None:
        """Writes the changes of some nodes, all of them or, after a crash, a part."""
        changed = [each for each in changes if each.diff.has_changes or not each.after]
        if changed:
            marks = self._mark(changed)
            self._write_findings(changed, now)
            self._settle(changed, marks, now)
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
        for nodes in _split_marked(marked, self._context.bounds.ids_a_mark):
            self._marks += 1
            ids.append(f"{self._scan_id}#{self._marks:05}")
            self._context.facts.mark(Mark(ids[-1], self._scan_id, nodes))
        return tuple(ids)

    def _write_findings(self, changes: Sequence[NodeChange], now: datetime) -> None:
        context = self._context
        new = [row for each in changes for row in each.diff.new]
        updated = self._keep_origin([row for each in changes for row in each.diff.updated])
        self.titles.add((*new, *updated), now)
        context.journal.write([event for each in changes for event in self._list_events(each)])
        fixed = {row.finding_id for each in changes for row in each.diff.removed}
        for number, snooze in enumerate(self._snoozes):
            for ended in end_by_fix([snooze], fixed, now):
                context.snoozes.save(ended)
                self._snoozes = (*self._snoozes[:number], ended, *self._snoozes[number + 1 :])
        context.findings.put((*new, *updated))
        context.findings.delete(fixed)

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

    def _settle(self, changes: Sequence[NodeChange], marks: tuple[str, ...], now: datetime) -> None:
        nodes = tuple((each.before, each.after) for each in changes)
        facts, most = (each.facts for each in changes), self._context.bounds.facts_a_row
        # a clock that is set back must not hide facts from readers that begin at a later day
        day = max(f"{now:%Y-%m-%d}", self.last.day)
        rows = tuple(number_facts(facts, self.last, day, self._scan_id, most))
        self._context.facts.settle(Settlement(nodes, rows, self.last, marks))
        self.last = rows[-1].receipt if rows else self.last
        for each in changes:
            self.new.update({row.finding_id: row for row in each.diff.new})
            for row in each.diff.removed:
                self.new.pop(row.finding_id, None)
            if each.diff.removed:
                packed = pack_list(each.diff.removed)
                self.left.append(LeftFindings(each.before.instance_id, each.end, packed))


def _complete(
    marked: MarkedNode, node: Node | None, rows: Mapping[str, Finding], now: datetime
) -> NodeChange:
    """Returns what a scan that died has changed, as the findings table shows it."""
    before = node or Node(marked.instance_id)
    listed = read_list(before)
    stored = {key: rows[key] for key in marked.put if key in rows}
    new = tuple(row for key, row in stored.items() if key not in listed)
    updated = tuple(row for key, row in stored.items() if key in listed)
    ended = {key for key in marked.deleted if key in listed and key not in rows}
    kept = (each for key, each in listed.items() if key not in ended and key not in stored)
    found = Diff(new, updated, tuple(listed[key] for key in ended), tuple(kept))
    # a node without a row was never read to the end
    after = before if node else replace(before, unverified_since=now)
    return NodeChange(before, with_list(after, found.open_list), found, marked.end, marked.at)


def _split_marked(nodes: Iterable[MarkedNode], most: int) -> Iterator[tuple[MarkedNode, ...]]:
    """Yields the marked nodes in groups with at most `most` ids."""
    group: list[MarkedNode] = []
    size = 0
    for node in nodes:
        for part in _split_node(node, most):
            ids = len(part.put) + len(part.deleted)
            if group and size + ids > most:
                yield tuple(group)
                group, size = [], 0
            group.append(part)
            size += ids
    if group:
        yield tuple(group)


def _split_node(node: MarkedNode, most: int) -> Iterator[MarkedNode]:
    if len(node.put) + len(node.deleted) <= most:
        yield node
        return
    for start in range(0, len(node.put), most):
        yield replace(node, put=node.put[start : start + most], deleted=())
    for start in range(0, len(node.deleted), most):
        yield replace(node, put=(), deleted=node.deleted[start : start + most])
