"""History: what happened to a finding, and what people did with a snooze."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class EventKind(StrEnum):
    """What happened to a finding, in the order in which it can happen at one instant."""

    NEW = "new"
    FIXED = "fixed"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class HistoryEvent:
    """One line of a finding's history.

    `at` is the time of the execution, not of the scan. So a scan that is repeated
    after a crash writes the same line and not a second one.
    """

    finding_id: str
    at: datetime
    kind: EventKind
    scan_id: str


def oldest_first(event: HistoryEvent) -> tuple[datetime, int]:
    """Returns the sort key of a finding's history."""
    return event.at, list(EventKind).index(event.kind)


class SnoozeEventKind(StrEnum):
    """What a person did with a snooze."""

    CREATED = "created"
    CHANGED = "changed"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class SnoozeEvent:
    """One line of a snooze's history.

    `by` is who acted and `via` by which way (`api`). `version`, `ends_at`,
    `reason` and `comment` are those of the snooze after the event.
    """

    snooze_id: str
    at: datetime
    kind: SnoozeEventKind
    by: str
    via: str
    version: int
    ends_at: datetime | None = None
    reason: str
    comment: str
