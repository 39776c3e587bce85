"""History: what happened to a finding, kept for people."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class EventKind(StrEnum):
    """What happened."""

    OPENED = "opened"
    RESOLVED = "resolved"
    NO_LONGER_REPORTED = "no longer reported"


@dataclass(frozen=True, slots=True)
class HistoryEvent:
    """One line of a finding's history.

    `at` is when it became true (the execution's time, not ours), so a pass that
    is repeated after a crash writes the same line again and not a second one.
    """

    finding_id: str
    at: datetime
    kind: EventKind
    scan_id: str
