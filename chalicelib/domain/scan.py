"""A scan's result: what it saw, what it wrote, its record, its day; and the job that waits for it.

A job is an association execution, or a month, that waits to be answered.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import accumulate

from msgspec import Struct, field
from msgspec.structs import replace

from chalicelib.domain.finding import Finding, Severity
from chalicelib.domain.history import AWAY, BACK, NO_FACTS, EventKind, FactRow, Receipt
from chalicelib.domain.node import Silence
from chalicelib.domain.snooze import Snooze

# A doubt that may pass by itself, and deferred nodes, are announced once they last this long.
SETTLING_TIME = timedelta(minutes=30)

# The numbers of a day are kept for so many days.
MOST_DAYS = 400

# A target with one of these may still give a result. SSM spells "In Progress" in several ways.
RUNNING = frozenset({"", "pending", "inprogress", "delayed", "cancelling"})


def is_success(status: str) -> bool:
    """Whether an execution, or one of its targets, succeeded."""
    return status.casefold() == "success"


def is_running(status: str) -> bool:
    """Whether an execution, or one of its targets, has not ended."""
    return "".join(filter(str.isalpha, status)).casefold() in RUNNING


class Targets(Struct, frozen=True):
    """The targets of one association execution, as SSM lists them; at least one.

    statuses: node to its status, as SSM spells it · running: the execution has not
    ended, so that targets may be missing.
    """

    statuses: Mapping[str, str]
    running: bool = False


def merge_targets(listed: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Maps nodes to their status. One that is listed repeatedly gets the worst.

    A target that may still change comes before one that failed, and that before one
    that succeeded: an all-clear must not rest on the better half of a contradiction.
    """
    merged: dict[str, str] = {}
    for node, status in listed:
        merged[node] = max(merged.get(node, status), status, key=_by_gravity)
    return merged


def _by_gravity(status: str) -> tuple[bool, bool]:
    return is_running(status), not is_success(status)


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
    that is stored of it was last verified · silence: nodes without a sign of life ·
    targets: key of a job to the targets of its execution, where SSM listed them.
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
    targets: Mapping[str, Targets] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether the scan supports an all-clear."""
        return not (self.deferred or self.unverified or self.braked)


class MutedCount(Struct, frozen=True):
    """How many open findings snoozes mute, and by which snoozes (`digest_snoozes`)."""

    findings: int
    snoozes: str


class Outcome(Struct, frozen=True):
    """What a scan wrote and saw.

    worse: findings above the highest severity that was announced · returned: findings that
    fail again, with a snooze that ended while they were not checked · changes: facts by
    kind · alternating: nodes on which two executions show different checks in turn ·
    by_severity: open findings of the fleet after the scan · repaired:
    findings on which lists and the findings table differed, where both were read ·
    before, last: the last stored fact before the scan and after it · unchecked: findings
    that are remembered after it · muted: None if snoozes could not be read · fixed_ages: how
    many findings were fixed so many whole days after they were first seen.
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
    unchecked: int = 0
    muted: MutedCount | None = None
    fixed_ages: Mapping[int, int] = field(default_factory=dict)

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


class Day(Struct, frozen=True):
    """A day in numbers, as its last scan left it. `day` is `YYYY-MM-DD`, in UTC.

    open: findings of the fleet by severity, muted ones included · unchecked: those that are
    remembered · changes: the facts that scans considered on this day, by kind · fixed_ages:
    as in `Outcome`, without the facts of scans that died · nodes_reported: those of
    `nodes_known` that gave a result on this day.
    """

    day: str
    open: Mapping[Severity, int] = field(default_factory=dict)
    muted: MutedCount | None = None
    unchecked: int = 0
    changes: Mapping[EventKind, int] = field(default_factory=dict)
    fixed_ages: Mapping[int, int] = field(default_factory=dict)
    nodes_known: int = 0
    nodes_reported: int = 0

    @property
    def median_age(self) -> float | None:
        """The median age in days of the findings that were fixed; None if it is not known."""
        ages = sorted(self.fixed_ages)
        ends = list(accumulate(self.fixed_ages[each] for each in ages))
        if not ends:
            return None
        middle = (ends[-1] - 1) // 2, ends[-1] // 2
        return sum(ages[bisect_right(ends, each)] for each in middle) / 2

    def count(self, *kinds: EventKind) -> int:
        """The number of facts of these kinds."""
        return sum(self.changes.get(kind, 0) for kind in kinds)


def add_to_day(day: Day | None, outcome: Outcome, earlier: Iterable[FactRow], now: datetime) -> Day:
    """Returns the day of a scan with what the scan saw and did.

    `day` is the last one that has numbers, and `earlier` are facts that no scan has
    considered. A clock that is set back adds to that day.
    """
    today = max(f"{now:%Y-%m-%d}", day.day if day else "")
    muted = outcome.muted
    if muted is None and day and day.muted:
        # the last known number, which no later scan takes for its own
        muted = replace(day.muted, snoozes="")
    before = day if day and day.day == today else Day(today)
    changes = Counter(before.changes)
    for counts in (outcome.changes, *(row.counts for row in earlier)):
        changes.update(counts)
    began = datetime.fromisoformat(f"{today}T00:00:00+00:00")
    return Day(
        day=today,
        open=dict(outcome.by_severity),
        muted=muted,
        unchecked=outcome.unchecked,
        changes=dict(changes),
        fixed_ages=dict(Counter(before.fixed_ages) + Counter(outcome.fixed_ages)),
        nodes_known=outcome.coverage.known,
        nodes_reported=sum(at >= began for at in outcome.coverage.reports.values()),
    )


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
    execution date. `answered` says that it was answered, before a later event of the
    same execution came that is worse.
    """

    key: str
    kind: JobKind
    event_at: datetime
    enqueued_at: datetime
    association_id: str = ""
    status: str = ""
    executed_at: datetime | None = None
    nodes: Mapping[str, int] = field(default_factory=dict)
    answered: bool = False

    @property
    def since(self) -> datetime:
        """A node has reported for this execution if it reported at this time or later."""
        return self.executed_at or self.event_at - UNDATED_WINDOW

    @property
    def targets(self) -> int:
        """The number of nodes that the execution was for; 0 if the event did not say."""
        return sum(self.nodes.values())

    @property
    def succeeded(self) -> int:
        """The number of these nodes on which the execution succeeded."""
        return sum(number for status, number in self.nodes.items() if is_success(status))

    def take_event(self, event: "Job") -> "Job | None":
        """Returns this waiting job as a later event of its execution says.

        None if that says nothing else, or is not later. Events come doubled and in any
        order.
        """
        if (self.status, self.nodes) == (event.status, event.nodes) or not self._precedes(event):
            return None
        return replace(self, event_at=event.event_at, status=event.status, nodes=event.nodes)

    def reopen(self, event: "Job") -> "Job | None":
        """Returns this completed job, to be answered again because a later event is worse.

        None if it is not worse, or not later.
        """
        changed = self.take_event(event)
        if changed is None or not event.is_worse_than(self):
            return None
        return replace(changed, enqueued_at=event.enqueued_at, answered=True)

    def is_worse_than(self, other: "Job") -> bool:
        """Whether it failed and the other did not, or more of its nodes did not succeed."""
        failed = is_success(other.status) and not is_success(self.status)
        return failed or _count_unsuccessful(self) > _count_unsuccessful(other)

    def _precedes(self, event: "Job") -> bool:
        """Whether an event is later. Of the same second, the worse one counts as later."""
        if event.event_at == self.event_at:
            return event.is_worse_than(self)
        return event.event_at > self.event_at


def by_age(job: Job) -> tuple[datetime, datetime, str]:
    """Sorts executions by their begin, and the events of one execution by theirs."""
    return job.since, job.event_at, job.key


class TargetResults(Struct, frozen=True):
    """Which targets of one or several executions gave a result.

    targets: how many there are, 0 if that is unknown · reported: those that
    succeeded and reported since the execution began; without a number of targets,
    every node that reported · verified: those of them that are not unverified ·
    by_node: whether a target gave a result, where SSM listed them · pending: a
    target may still give one.
    """

    targets: int
    reported: int
    verified: int
    by_node: Mapping[str, bool] = field(default_factory=dict)
    pending: bool = False

    @property
    def complete(self) -> bool:
        """Whether every target gave a result, so that an all-clear speaks for all of them."""
        return self.reported == self.targets > 0 and not self.pending

    @property
    def share(self) -> float:
        """The share of the targets that gave a result, from 0 to 1; 0 if they are not known."""
        return self.reported / self.targets if self.targets else 0.0

    @property
    def without_result(self) -> tuple[str, ...]:
        """The targets that gave no result, sorted, where SSM listed them."""
        return tuple(sorted(node for node, given in self.by_node.items() if not given))


def judge_targets(job: Job, coverage: Coverage) -> TargetResults:
    """Judges which targets of an execution gave a result, as far as the scan can know.

    A result needs at least half of the usual checks of its node. What SSM lists
    counts, else the event's count. A count has no names, so any node that reported
    may be one of the targets that succeeded, and no other ones.
    """
    reports = {node for node, at in coverage.reports.items() if at >= job.since}
    results = reports.difference(coverage.partial)
    listed = coverage.targets.get(job.key)
    if listed:
        statuses = listed.statuses.items()
        by_node = {node: is_success(status) and node in results for node, status in statuses}
        awaited = (
            is_running(status) or (is_success(status) and node not in reports)
            for node, status in statuses
        )
        return _sum_up(by_node, coverage, pending=listed.running or any(awaited))
    verified = len(results - coverage.unverified.keys())
    if not job.targets:
        return TargetResults(0, len(results), verified, pending=not reports)
    running = any(number and is_running(status) for status, number in job.nodes.items())
    # nobody knows whether a node with a partial result is one of these
    most = max(0, job.succeeded - len(reports - results))
    return TargetResults(
        job.targets,
        min(len(results), most),
        min(verified, most),
        pending=running or len(reports) < job.succeeded,
    )


def _sum_up(by_node: Mapping[str, bool], coverage: Coverage, *, pending: bool) -> TargetResults:
    given = [node for node, has_result in by_node.items() if has_result]
    verified = sum(node not in coverage.unverified for node in given)
    return TargetResults(len(by_node), len(given), verified, by_node, pending)


def combine_targets(jobs: Iterable[Job], coverage: Coverage) -> TargetResults:
    """Combines the targets of one or more executions into what one message can say of them.

    Where SSM listed the targets, each node counts once: for an association its
    latest execution counts, and a node that several associations check gave a
    result if it gave one for each. Counts cannot be added up, because nobody knows
    which nodes they share. So of what remains the least complete speaks for all, and
    of equals one without names.
    """
    listed: dict[str, dict[str, bool]] = {}
    counted: dict[str, TargetResults] = {}
    pending = False
    for job in sorted(jobs, key=by_age):
        results = judge_targets(job, coverage)
        if results.by_node:
            listed.setdefault(job.association_id, {}).update(results.by_node)
            counted.pop(job.association_id, None)
            pending |= results.pending
        else:
            listed.pop(job.association_id, None)
            counted[job.association_id] = results
    by_node: dict[str, bool] = {}
    for nodes in listed.values():
        for node, given in nodes.items():
            by_node[node] = by_node.get(node, True) and given
    named = [_sum_up(by_node, coverage, pending=pending)] if by_node else []
    return min([*counted.values(), *named], key=_by_completeness)


def _by_completeness(results: TargetResults) -> tuple[bool, bool, float]:
    """Puts the least complete first. A known gap says more than an unknown number."""
    return results.complete, not results.targets, results.share


def _count_unsuccessful(job: Job) -> int:
    return sum(number for status, number in job.nodes.items() if not is_success(status))


def execution_key(association_id: str, execution_date: str, event_id: str) -> str:
    """Returns `<association id>#<execution date>`, or the event id if there is no date."""
    return f"{association_id}#{execution_date or event_id}"


def monthly_key(event_at: datetime) -> str:
    """Returns `monthly#YYYY-MM-DD`, one a UTC day."""
    return f"monthly#{event_at:%Y-%m-%d}"
