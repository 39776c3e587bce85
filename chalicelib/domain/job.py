"""A job: an association execution or a month that waits to be answered."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

# After this time without a report the answer is that no node has reported.
NO_REPORT_AFTER = timedelta(minutes=30)
# An event without an execution date stands for reports from this long before it.
UNDATED_WINDOW = timedelta(hours=1)


class JobKind(StrEnum):
    """What waits."""

    EXECUTION = "execution"
    MONTHLY = "monthly"


@dataclass(frozen=True, slots=True)
class Job:
    """An association execution, or a month, that waits to be answered.

    `nodes` is the event's aggregated count (node status to number of nodes),
    empty if the event had none. `executed_at` is None if the event had no
    execution date.
    """

    key: str
    kind: JobKind
    event_at: datetime
    enqueued_at: datetime
    association_id: str = ""
    status: str = ""
    executed_at: datetime | None = None
    nodes: Mapping[str, int] = field(default_factory=dict)

    @property
    def since(self) -> datetime:
        """A node has reported for this execution if it reported at this time or later."""
        return self.executed_at or self.event_at - UNDATED_WINDOW

    @property
    def targets(self) -> int:
        """The number of nodes that the execution was for; 0 if the event did not say."""
        return sum(self.nodes.values())

    def covers_half(self, known: int) -> bool:
        """Whether it was for at least half of the known nodes. Unknown counts as all."""
        return not self.nodes or 2 * self.targets >= known

    def is_answerable(self, reports: Iterable[datetime], now: datetime) -> bool:
        """Whether a node has reported for it, or has had enough time to."""
        return now - self.enqueued_at >= NO_REPORT_AFTER or any(at >= self.since for at in reports)


def execution_key(association_id: str, execution_date: str, event_id: str) -> str:
    """Returns `<association id>#<execution date>`, or the event id if there is no date."""
    return f"{association_id}#{execution_date or event_id}"


def monthly_key(event_at: datetime) -> str:
    """Returns `monthly#YYYY-MM-DD`, one a UTC day."""
    return f"monthly#{event_at:%Y-%m-%d}"
