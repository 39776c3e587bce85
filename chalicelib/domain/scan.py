"""A scan's result: what it saw, what it wrote, its record; and the job that waits for it.

A job is an association execution, or a month, that waits to be answered.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct, field

from chalicelib.domain.finding import Finding, Severity
from chalicelib.domain.history import AWAY, BACK, NO_FACTS, EventKind, Receipt
from chalicelib.domain.node import Silence
from chalicelib.domain.snooze import Snooze

# A doubt that may pass by itself, and deferred nodes, are announced once they last this long.
SETTLING_TIME = timedelta(minutes=30)


class Coverage(Struct, frozen=True):
    """How much of the fleet a scan has seen.

    known: nodes stored · reports: listed node to its last report, when it was first
    seen · read: nodes with anything to read that were
    read · verified: those of them without a doubt · deferred: nodes there was no
    time for · unverified: node to the reason · settling: unverified nodes whose
    doubt is young and may pass by itself · untitled: items without a title, set
    aside · missing: known nodes that SSM does not list, gone ones included ·
    braked: too many nodes are missing, so none is removed · gone: nodes removed ·
    partial: nodes whose last verified execution had fewer than half of their usual
    checks (the most of its last eight), sorted ·
    unchecked: node to the number of its findings that are not checked any more, without
    those that are checked in turn · unchecked_since: since when the oldest of them is not ·
    checked_at: node to when everything
    that is stored of it was last verified · silence: nodes without a sign of life.
    """

    known: int
    reports: Mapping[str, datetime] = field(default_factory=dict)
    read: int = 0
    verified: int = 0
    deferred: int = 0
    unverified: Mapping[str, str] = field(default_factory=dict)
    settling: frozenset[str] = frozenset()
    untitled: int = 0
    missing: int = 0
    braked: bool = False
    gone: int = 0
    partial: tuple[str, ...] = ()
    unchecked: Mapping[str, int] = field(default_factory=dict)
    unchecked_since: datetime | None = None
    checked_at: Mapping[str, datetime] = field(default_factory=dict)
    silence: Silence = Silence()

    @property
    def complete(self) -> bool:
        """Whether the scan supports an all-clear."""
        return not (self.deferred or self.unverified or self.braked)


class Outcome(Struct, frozen=True):
    """What a scan wrote and saw.

    worse: findings above the highest severity that was announced · returned: findings that
    fail again, with a snooze that ended while they were not checked · changes: facts by
    kind · alternating: nodes on which two executions show different checks in turn ·
    by_severity: open findings of the fleet after the scan · repaired:
    findings on which lists and the findings table differed, where both were read ·
    before, last: the last stored fact before the scan and after it.
    """

    scan_id: str
    at: datetime
    new: tuple[Finding, ...]
    by_severity: Mapping[Severity, int]
    coverage: Coverage
    worse: tuple[Finding, ...] = ()
    returned: tuple[tuple[Finding, Snooze], ...] = ()
    changes: Mapping[EventKind, int] = field(default_factory=dict)
    alternating: tuple[str, ...] = ()
    repaired: int = 0
    before: Receipt = NO_FACTS
    last: Receipt = NO_FACTS

    @property
    def open_total(self) -> int:
        """Open findings of the fleet after the scan."""
        return sum(self.by_severity.values())

    @property
    def fixed(self) -> int:
        """Findings that are proven to be fixed."""
        return self.count(EventKind.FIXED)

    @property
    def gone(self) -> int:
        """Open findings that went with their nodes."""
        return self.count(EventKind.GONE)

    def count(self, *kinds: EventKind) -> int:
        """The number of facts of these kinds."""
        return sum(self.changes.get(kind, 0) for kind in kinds)


class ScanRecord(Struct, frozen=True):
    """A scan as people look it up later: numbers only.

    `findings_unchecked` counts findings that vanished without proof of a fix. `open`
    counts the fleet's findings after it, by severity. The numbers of nodes
    are those of `Coverage`. `message_id` is what it announced, None for nothing.
    """

    scan_id: str
    at: datetime
    finished_at: datetime
    findings_new: int
    findings_fixed: int
    findings_gone: int
    open: Mapping[Severity, int]
    nodes_known: int
    nodes_listed: int
    nodes_read: int
    nodes_deferred: int
    nodes_unverified: int
    nodes_missing: int
    nodes_gone: int
    braked: bool
    untitled_items: int
    message_id: str | None = None
    findings_worse: int = 0
    findings_reworded: int = 0
    findings_unchecked: int = 0
    findings_checked_again: int = 0


def build_record(outcome: Outcome, finished_at: datetime, message_id: str | None) -> ScanRecord:
    """Returns the numbers of an outcome."""
    coverage = outcome.coverage
    return ScanRecord(
        scan_id=outcome.scan_id,
        at=outcome.at,
        finished_at=finished_at,
        findings_new=len(outcome.new),
        findings_fixed=outcome.fixed,
        findings_gone=outcome.gone,
        findings_worse=outcome.count(EventKind.WORSE),
        findings_reworded=outcome.count(EventKind.REWORDED),
        findings_unchecked=outcome.count(*AWAY),
        findings_checked_again=outcome.count(*BACK),
        open=dict(outcome.by_severity),
        nodes_known=coverage.known,
        nodes_listed=len(coverage.reports),
        nodes_read=coverage.read,
        nodes_deferred=coverage.deferred,
        nodes_unverified=len(coverage.unverified),
        nodes_missing=coverage.missing,
        nodes_gone=coverage.gone,
        braked=coverage.braked,
        untitled_items=coverage.untitled,
        message_id=message_id,
    )


# After this time without a report the answer is that no node has reported.
NO_REPORT_AFTER = timedelta(minutes=30)
# An event without an execution date stands for reports from this long before it.
UNDATED_WINDOW = timedelta(hours=1)


class JobKind(StrEnum):
    """What waits."""

    EXECUTION = "execution"
    MONTHLY = "monthly"


class Job(Struct, frozen=True):
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
