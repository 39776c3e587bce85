"""Reads snoozes so that an outage never mutes an alert, and retries writes that conflict."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from chalicelib.domain.errors import Conflict, ServiceError
from chalicelib.domain.finding import Finding
from chalicelib.domain.history import (
    APPEARED,
    FOLLOWED,
    EventKind,
    FactRow,
    HistoryEvent,
    Receipt,
    find_returns,
)
from chalicelib.domain.snooze import Snooze, SnoozeIndex, end_by_fix, follow_pair
from chalicelib.usecases.context import Context

# How often a use case reads, decides and writes before a conflict becomes an error.
CONFLICT_ATTEMPTS = 10

T = TypeVar("T")


def retry_on_conflict(attempt: Callable[[], T]) -> T:
    """Runs `attempt` again if another writer was first. It must read before it decides."""
    for _ in range(CONFLICT_ATTEMPTS - 1):
        try:
            return attempt()
        except Conflict:
            continue
    return attempt()


def read_snoozes(context: Context) -> tuple[Snooze, ...] | None:
    """Reads every unsettled snooze; None if they cannot be read."""
    try:
        return tuple(context.snoozes.unsettled())
    except ServiceError:
        return None


def read_snoozes_or_empty(context: Context) -> tuple[Snooze, ...]:
    """Reads every unsettled snooze; none if they cannot be read, so that everything is alerted."""
    return read_snoozes(context) or ()


class PresentSnoozes(Struct, frozen=True):
    """The snoozes as a decision sees them: unsettled ones, none if they cannot be read.

    unfollowed_after: the last fact before those that a snooze could not follow; None if
    all could.
    """

    snoozes: tuple[Snooze, ...]
    unfollowed_after: Receipt | None = None


def follow_findings(context: Context, after: Receipt, until: Receipt) -> PresentSnoozes:
    """Reads every unsettled snooze, and lets pair snoozes follow the facts between two receipts.

    One whose finding left ends, if it is `until_resolved`. One whose finding was reworded
    covers its new id, and one whose finding was first seen takes its severity. This comes
    after the facts, so no snooze that was made before a fix is missed. A snooze that
    somebody changes meanwhile is read and written again. One that cannot be written mutes
    until the next scan writes it.
    """
    present: dict[str, Snooze] = {}

    def attempt() -> None:
        present.clear()
        present.update((each.id, each) for each in context.snoozes.unsettled())
        pairs = [each for each in present.values() if each.scope.is_pair]
        rows = tuple(context.facts.rows(after, until)) if pairs else ()
        events = _find_followed(context, rows)
        reworded = [each.finding for each in events if each.finding]
        new = _find_appeared(context, rows, pairs)
        returns, now = find_returns(rows, events), context.clock()
        overtaken = []
        for each in pairs:
            followed = end_by_fix(follow_pair(each, reworded, new), returns, now)
            if followed != each and not _save(context, followed, present):
                overtaken.append(each.id)
        if overtaken:
            raise Conflict(f"snoozes {', '.join(overtaken)}: another writer was first")

    try:
        retry_on_conflict(attempt)
    except ServiceError:
        return PresentSnoozes(tuple(present.values()), unfollowed_after=after)
    return PresentSnoozes(tuple(present.values()))


def _find_followed(context: Context, rows: Iterable[FactRow]) -> Sequence[HistoryEvent]:
    """Finds what snoozes follow, with the former ids of each finding.

    One that is worse may be in other words at once.
    """
    keys = [key for row in rows for key in row.list_keys(*FOLLOWED, EventKind.WORSE)]
    return context.journal.find(keys) if keys else ()


def _find_appeared(
    context: Context, rows: Iterable[FactRow], pairs: Iterable[Snooze]
) -> Sequence[Finding]:
    """Finds the findings of the nodes of pairs that appeared, and are still stored."""
    nodes = {each.instance_id for each in pairs}
    ids = [
        key
        for row in rows
        for node in row.nodes
        if node.instance_id in nodes
        for kind in APPEARED
        for key in node.ids.get(kind, ())
    ]
    return tuple(context.findings.get(ids).values()) if ids else ()


def _save(context: Context, changed: Snooze, present: dict[str, Snooze]) -> bool:
    """Writes the next version of a snooze, and notes it. False if another writer was first."""
    saved = replace(changed, version=changed.version + 1)
    try:
        context.snoozes.save(saved)
    except Conflict:
        return False
    present[saved.id] = saved
    return True


def find_failing(context: Context, snoozes: Sequence[Snooze]) -> list[tuple[Snooze, list[Finding]]]:
    """Finds the stored findings that each snooze covers, consistently.

    An index may lag, and a finding that it does not show yet would never be
    announced. For the snooze of a whole node or title this therefore reads the
    table, once for all of them.
    """
    if all(each.scope.is_pair for each in snoozes):
        ids = {key for each in snoozes for key in each.finding_ids}
        stored = tuple(context.findings.get(ids).values())
    else:
        stored = _read_covered(context, snoozes)
    return [(each, [row for row in stored if each.covers(row)]) for each in snoozes]


def _read_covered(context: Context, snoozes: Iterable[Snooze]) -> tuple[Finding, ...]:
    index = SnoozeIndex(snoozes)
    return tuple(each for each in context.findings.all() if index.find(each))
