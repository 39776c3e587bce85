"""Reads snoozes so that an outage never mutes an alert, and retries writes that conflict."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from chalicelib.domain.errors import Conflict, ServiceError
from chalicelib.domain.finding import Finding
from chalicelib.domain.snooze import Snooze, SnoozeIndex
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


def find_failing(context: Context, snoozes: Sequence[Snooze]) -> list[tuple[Snooze, list[Finding]]]:
    """Finds the stored findings that each snooze covers, consistently.

    An index may lag, and a finding that it does not show yet would never be
    announced. For the snooze of a whole node or title this therefore reads the
    table, once for all of them.
    """
    if all(each.scope.is_pair for each in snoozes):
        ids = {key for each in snoozes for key in (each.scope.id, *each.reworded_ids)}
        stored = tuple(context.findings.get(ids).values())
    else:
        stored = _read_covered(context, snoozes)
    return [(each, [row for row in stored if each.covers(row)]) for each in snoozes]


def _read_covered(context: Context, snoozes: Iterable[Snooze]) -> tuple[Finding, ...]:
    index = SnoozeIndex(snoozes)
    return tuple(each for each in context.findings.all() if index.find(each))
