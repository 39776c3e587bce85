"""Completes what scans that died have written, before anything is compared."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from chalicelib.domain.diff import Change, Diff
from chalicelib.domain.finding import Entry, Finding, UncheckedFinding
from chalicelib.domain.history import AWAY, ENDING, EventKind, Mark, MarkedNode
from chalicelib.domain.node import Node
from chalicelib.usecases.context import Context
from chalicelib.usecases.ports import UncheckedKey
from chalicelib.usecases.scan.apply import ChangeWriter
from chalicelib.usecases.scan.compare import NodeChange, read_list, with_list


class StoredRows(Struct, frozen=True):
    """What is stored of the findings that marks name, by finding id."""

    findings: Mapping[str, Finding]
    unchecked: Mapping[str, UncheckedFinding]


def recover_marks(
    context: Context,
    writer: ChangeWriter,
    marks: Iterable[Mark],
    nodes: Mapping[str, Node],
    newer: Collection[str],
) -> dict[str, Node]:
    """Completes the changes of these marks, and returns the nodes as they are then.

    What a dead scan put is stored, and what it deleted is not, so what is stored says
    how far it came. What it did not come to write is left to this scan: those nodes are
    read again. Nodes whose rows a newer version wrote (`newer`) stay marked.
    """
    known = dict(nodes)
    for mark in sorted(marks, key=lambda each: each.id):
        kept = tuple(each for each in mark.nodes if each.instance_id in newer)
        marked = tuple(each for each in mark.nodes if each.instance_id not in newer)
        changed = _find_changes(context, marked, known)
        if changed or not kept:
            writer.settle(changed, () if kept else (mark.id,), context.clock())
        if kept and marked:
            context.facts.mark(replace(mark, nodes=kept))
        known.update({each.before.instance_id: each.after for each in changed if each.after})
    return known


def _find_changes(
    context: Context, marked: Sequence[MarkedNode], known: Mapping[str, Node]
) -> list[NodeChange]:
    """Finds what a scan that died has changed, and deletes rows that it left twice."""
    now = context.clock()
    kinds = {each.instance_id: each.kinds for each in marked}
    ids = [key for each in kinds.values() for key in each]
    keys = [UncheckedKey(node, key) for node, each in kinds.items() for key in each]
    stored = StoredRows(context.findings.get(ids), context.unchecked.get(keys))
    changes = [_complete(each, known.get(each.instance_id), stored, now) for each in marked]
    _delete_leftovers(context, stored, changes)
    return [each for each in changes if each.found.changes]


def _delete_leftovers(context: Context, stored: StoredRows, changes: Iterable[NodeChange]) -> None:
    """Deletes the second row of a finding: put before the delete, or not deleted after the put."""
    both = [
        UncheckedKey(each.finding.instance_id, key)
        for key, each in stored.unchecked.items()
        if key in stored.findings
    ]
    if both:
        context.unchecked.delete(both)
    former = [
        change.before.finding_id
        for node in changes
        for change in node.found.changes
        if change.before and change.before.finding_id != change.finding_id
    ]
    if former:
        context.findings.delete(former)


def _complete(
    marked: MarkedNode, node: Node | None, stored: StoredRows, now: datetime
) -> NodeChange:
    """Returns what a scan that died has changed, as what is stored shows it."""
    before = node or Node(marked.instance_id)
    listed = read_list(before)
    changes: list[Change] = []
    for key, kind in marked.kinds.items():
        change = _complete_finding(key, kind, listed, stored)
        if change:
            changes.append(change)
    touched = {each.before.finding_id for each in changes if each.before}
    kept = tuple(each for key, each in listed.items() if key not in touched)
    found = Diff(tuple(changes), kept)
    # a node without a row was never read to the end
    after = before if node else replace(before, unverified_since=now)
    return NodeChange(before, with_list(after, found.entries), found, marked.at)


def _complete_finding(
    key: str, kind: EventKind | None, listed: Mapping[str, Entry], stored: StoredRows
) -> Change | None:
    """Returns what happened to a finding; None if nothing was written, or nothing is to note."""
    finding, remembered = stored.findings.get(key), stored.unchecked.get(key)
    # of one that was reworded, the list has an earlier id
    former = [each for each in (finding.former_ids if finding else ()) if each in listed]
    before = listed.get(key) or (listed[former[-1]] if former else None)
    if finding:
        after = _keep_marks(Entry.of(finding), before)
        if before is None:
            return Change(EventKind.NEW, None, after, finding)
        # a finding that was to leave is as it was: that was not written
        is_as_before = after == before or kind in (*AWAY, *ENDING)
        return None if is_as_before else Change(kind, before, after, finding)
    if remembered:
        if before is None or before.is_unchecked:
            return None
        after = replace(Entry.of_unchecked(remembered), in_turn=before.in_turn)
        away = kind if kind in AWAY else EventKind.UNCHECKED
        return Change(away, before, after, remembered.finding)
    if before is None or kind not in (*ENDING, *AWAY):
        return None
    ended = kind if kind in ENDING else EventKind.FORGOTTEN
    return Change(ended, before, None)


def _keep_marks(after: Entry, before: Entry | None) -> Entry:
    """Returns the entry of an open finding with what its row does not have."""
    if before is None:
        return after
    worst = min(before.worst, after.severity, key=lambda each: each.rank)
    return replace(after, worst=worst, in_turn=before.in_turn or before.is_unchecked)
