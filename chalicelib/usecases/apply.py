"""Writes the differences of a chunk, in the order that makes a crash anywhere harmless.

The mark and the row of a new node come before the first insert, so that a finding
is never stored and forgotten; history and snoozes come before the rows that would
repeat them; the node rows come last, so that a node whose writes did not all arrive
is read again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from chalicelib.domain.diff import Diff, diff
from chalicelib.domain.finding import Finding
from chalicelib.domain.history import EventKind, HistoryEvent
from chalicelib.domain.node import Node
from chalicelib.domain.snooze import Snooze, end_by_fix
from chalicelib.usecases.context import Context
from chalicelib.usecases.read import Reading


@dataclass(frozen=True, slots=True)
class NodeChange:
    """What to write for one node: its difference and its row after it; None removes the row.

    `before` is the stored row, or an empty one where there is none (`known` says which).
    """

    known: bool
    before: Node
    after: Node | None
    diff: Diff
    history: tuple[HistoryEvent, ...]


@dataclass(slots=True)
class Tally:
    """What a pass has written so far."""

    scan_id: str
    marked: bool = False
    new: list[Finding] = field(default_factory=list)
    fixed: int = 0
    gone: int = 0


def compare_node(
    reading: Reading, node: Node | None, stored: Sequence[Finding], scan_id: str, now: datetime
) -> NodeChange:
    """The change that a reading makes to its node; the watermark moves only when verified."""
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
    history = _history(found, seen_at, scan_id, EventKind.FIXED)
    return NodeChange(node is not None, before, after, found, history)


def remove_node(node: Node, stored: Sequence[Finding], scan_id: str) -> NodeChange:
    """The change for a node that is gone: everything of it is resolved and its row goes."""
    found = Diff(removed=tuple(stored))
    # A person may accept that a node is gone before a list was kept without it.
    when = node.missing_since or node.last_read
    history = _history(found, when, scan_id, EventKind.GONE) if when is not None else ()
    return NodeChange(known=True, before=node, after=None, diff=found, history=history)


def _history(found: Diff, at: datetime, scan_id: str, end: EventKind) -> tuple[HistoryEvent, ...]:
    new = (HistoryEvent(f.finding_id, at, EventKind.NEW, scan_id) for f in found.new)
    ended = (HistoryEvent(f.finding_id, at, end, scan_id) for f in found.removed)
    return (*new, *ended)


def apply_changes(
    context: Context,
    changes: Sequence[NodeChange],
    snoozes: Iterable[Snooze],
    tally: Tally,
    now: datetime,
) -> None:
    """Write the changes; `tally` says afterwards what has been written."""
    new = [finding for change in changes for finding in change.diff.new]
    updated = [finding for change in changes for finding in change.diff.updated]
    removed = [finding for change in changes for finding in change.diff.removed]
    if new and not tally.marked:
        context.work.mark_unannounced(tally.scan_id)
        tally.marked = True
    # a finding whose node nobody knows could never be removed
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
    tally.new.extend(new)
    gone = sum(len(change.diff.removed) for change in changes if change.after is None)
    tally.gone += gone
    tally.fixed += len(removed) - gone
