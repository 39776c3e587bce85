"""A job: something that happened and that we enqueue an answer to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

# Without a report for this long the answer is that no node has reported.
NO_REPORT_AFTER = timedelta(minutes=30)
# An event without the date of its execution stands for what reported this long before it.
UNDATED_WINDOW = timedelta(hours=1)


class JobKind(StrEnum):
    """What is owed."""

    EXECUTION = "execution"
    MONTHLY = "monthly"


@dataclass(frozen=True, slots=True)
class Job:
    """An association execution, or a month, that waits for its answer.

    `nodes` is the event's aggregated count (node status to number of nodes),
    empty where the event had none. `executed_at` is None where the event
    carried no execution date. `enqueued_at` is when it was written down.
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
        """A node that reported at this time or later has reported for this execution."""
        return self.executed_at or self.event_at - UNDATED_WINDOW

    @property
    def targets(self) -> int:
        """How many nodes the execution was for; 0 where the event did not say."""
        return sum(self.nodes.values())

    def covers_half(self, known: int) -> bool:
        """Whether it was for half of the known nodes at least; unknown counts as all."""
        return not self.nodes or 2 * self.targets >= known

    def answerable(self, reports: Iterable[datetime], now: datetime) -> bool:
        """Whether a node has reported for it, or has had time enough to."""
        return now - self.enqueued_at >= NO_REPORT_AFTER or any(at >= self.since for at in reports)


def execution_key(association_id: str, execution_date: str, event_id: str) -> str:
    """`<association id>#<last execution date>`, or the event id where there is no date."""
    return f"{association_id}#{execution_date or event_id}"


def monthly_key(event_at: datetime) -> str:
    """One a day: `monthly#YYYY-MM-DD`, the UTC date of the event."""
    return f"monthly#{event_at:%Y-%m-%d}"
