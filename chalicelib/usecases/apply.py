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
from chalicelib.domain.snooze import Snooze, ended_by_fix
from chalicelib.usecases.read import Reading
from chalicelib.usecases.world import World


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
    opened: list[Finding] = field(default_factory=list)
    resolved: int = 0


def change_of(
    reading: Reading, node: Node | None, stored: Sequence[Finding], scan_id: str, now: datetime
) -> NodeChange:
    """The change that a reading makes to its node; the watermark moves only when proven."""
    proven = reading.doubt is None
    seen_at = reading.report.executed_at
    found = diff(
        stored, reading.folded.observations, proven=proven, seen_at=seen_at, scan_id=scan_id
    )
    before = node or Node(reading.report.instance_id)
    after = replace(
        before,
        executions=reading.report.executions if proven else before.executions,
        severities=found.severities,
        missing_since=None,
        unproven_since=None if proven else before.unproven_since or now,
        untitled=reading.folded.untitled,
        doubtful_reading="" if proven else reading.fingerprint,
    )
    history = _history(found, seen_at, scan_id, EventKind.RESOLVED)
    return NodeChange(node is not None, before, after, found, history)


def change_of_gone(node: Node, stored: Sequence[Finding], scan_id: str) -> NodeChange:
    """The change for a node that is gone: everything of it is resolved and its row goes."""
    found = Diff(resolved=tuple(stored))
    # A person may accept that a node is gone before a list was kept without it.
    when = node.missing_since or node.last_read
    history = (
        _history(found, when, scan_id, EventKind.NO_LONGER_REPORTED) if when is not None else ()
    )
    return NodeChange(known=True, before=node, after=None, diff=found, history=history)


def _history(found: Diff, at: datetime, scan_id: str, end: EventKind) -> tuple[HistoryEvent, ...]:
    opened = (HistoryEvent(f.finding_id, at, EventKind.OPENED, scan_id) for f in found.opened)
    ended = (HistoryEvent(f.finding_id, at, end, scan_id) for f in found.resolved)
    return (*opened, *ended)


def apply(
    world: World,
    changes: Sequence[NodeChange],
    snoozes: Iterable[Snooze],
    tally: Tally,
    now: datetime,
) -> None:
    """Write the changes; `tally` says afterwards what has been written."""
    opened = [finding for change in changes for finding in change.diff.opened]
    updated = [finding for change in changes for finding in change.diff.updated]
    resolved = [finding for change in changes for finding in change.diff.resolved]
    if opened and not tally.marked:
        world.work.mark_opened(tally.scan_id)
        tally.marked = True
    # a finding whose node nobody knows could never be resolved
    world.nodes.put(
        replace(change.before, unproven_since=now)
        for change in changes
        if change.diff.opened and not change.known
    )
    world.journal.write(event for change in changes for event in change.history)
    for snooze in ended_by_fix(snoozes, resolved, now):
        world.snoozes.save(snooze)
    world.findings.put((*opened, *updated))
    world.findings.delete(finding.finding_id for finding in resolved)
    world.nodes.put(
        change.after for change in changes if change.after and change.after != change.before
    )
    world.nodes.delete(change.before.instance_id for change in changes if not change.after)
    tally.opened.extend(opened)
    tally.resolved += len(resolved)
