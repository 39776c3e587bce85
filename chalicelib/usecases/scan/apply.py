"""Compares a node with the store, and writes the difference in an order that survives a crash.

The mark and the row of a new node come before the first insert, so that a stored
finding is never forgotten. History and snoozes come before the rows that would
repeat them. Node rows come last: a node whose writes did not all arrive is read
again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.domain.diff import Diff, diff
from chalicelib.domain.finding import Finding
from chalicelib.domain.history import EventKind, HistoryEvent
from chalicelib.domain.node import Node
from chalicelib.domain.snooze import Snooze, end_by_fix
from chalicelib.usecases.context import Context
from chalicelib.usecases.scan.read import Reading


@dataclass(frozen=True, slots=True)
class NodeChange:
    """What to write for one node: its difference, and its row after it; None removes the row.

    `before` is the stored row, or an empty one if there is none (`known` says which).
    """

    known: bool
    before: Node
    after: Node | None
    diff: Diff
    history: tuple[HistoryEvent, ...]


def compare_node(
    reading: Reading, node: Node | None, stored: Sequence[Finding], scan_id: str, now: datetime
) -> NodeChange:
    """Compares a reading with the store. Only a verified reading moves the watermark."""
    verified = reading.doubt is None
    seen_at = reading.report.executed_at
    found = diff(
        stored, reading.folded.observations, verified=verified, seen_at=seen_at, scan_id=scan_id
    )
    before = node or Node(reading.report.instance_id)
    after = replace(
        before,
        executions=reading.report.executions if verified else before.executions,
        severities=found.severities,
        missing_since=None,
        unverified_since=None if verified else before.unverified_since or now,
        untitled=reading.folded.untitled,
        unverified_fingerprint="" if verified else reading.fingerprint,
    )
    history = _list_events(found, seen_at, scan_id, EventKind.FIXED)
    return NodeChange(node is not None, before, after, found, history)


def remove_node(node: Node, stored: Sequence[Finding], scan_id: str) -> NodeChange:
    """Removes a gone node with all its findings."""
    found = Diff(removed=tuple(stored))
    # a person may accept that a node is gone before any list was stored without it
    when = node.missing_since or node.last_read
    history = _list_events(found, when, scan_id, EventKind.GONE) if when is not None else ()
    return NodeChange(known=True, before=node, after=None, diff=found, history=history)


def _list_events(
    found: Diff, at: datetime, scan_id: str, end: EventKind
) -> tuple[HistoryEvent, ...]:
    new = (HistoryEvent(f.finding_id, at, EventKind.NEW, scan_id) for f in found.new)
    ended = (HistoryEvent(f.finding_id, at, end, scan_id) for f in found.removed)
    return (*new, *ended)


def apply_changes(
    context: Context,
    scan_id: str,
    changes: Sequence[NodeChange],
    snoozes: Iterable[Snooze],
    now: datetime,
    *,
    marked: bool,
) -> None:
    """Writes the changes. `marked` says that the scan is marked as unannounced already."""
    new = [finding for change in changes for finding in change.diff.new]
    updated = [finding for change in changes for finding in change.diff.updated]
    removed = [finding for change in changes for finding in change.diff.removed]
    if new and not marked:
        context.work.mark_unannounced(scan_id)
    # a finding whose node has no row could never be removed
    context.nodes.put(
        replace(change.before, unverified_since=now)
        for change in changes
        if change.diff.new and not change.known
    )
    context.journal.write(event for change in changes for event in change.history)
    for snooze in end_by_fix(snoozes, removed, now):
        context.snoozes.save(snooze)
    context.findings.put((*new, *updated))
    context.findings.delete(finding.finding_id for finding in removed)
    context.nodes.put(
        change.after for change in changes if change.after and change.after != change.before
    )
    context.nodes.delete(change.before.instance_id for change in changes if not change.after)
