"""What the message of a scan shows, frozen when it is decided: counts and the lines to name.

It stays small, whatever the size of the fleet: a DynamoDB item is limited to 400 KB. Each output
gives it a form of its own.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from msgspec import Struct, field

from chalicelib.domain.announcement import Alert, Line, LineReason, Topic
from chalicelib.domain.compliance import Doubt
from chalicelib.domain.finding import Finding, Severity
from chalicelib.domain.history import ChangedFinding, EventKind
from chalicelib.domain.scan import Coverage, Job
from chalicelib.domain.snooze import Snooze

# What a message names; it counts the rest.
NAMED_TITLES = 10
NAMED_SNOOZES = 5
NAMED_JOBS = 3
NAMED_NODES = 10
# All reasons that exist.
NAMED_REASONS = len(Doubt)


class TitleSummary(Struct, frozen=True):
    """A title over the fleet: its worst severity, and the first of its nodes that has that."""

    title: str
    severity: Severity
    nodes: int
    first_node: str


class VanishedTitle(Struct, frozen=True):
    """A title that vanished from nodes without proof of a fix: how, and over which nodes."""

    kind: EventKind
    title: TitleSummary


class EndedSnooze(Struct, frozen=True):
    """A snooze that ended, and what still fails. `title` is None if that has several titles."""

    title: str | None
    findings: int
    nodes: int
    first_node: str
    until: datetime | None
    created_by: str
    reason: str
    comment: str


class NotedSnooze(Struct, frozen=True):
    """A snooze to mention: what it mutes up to which severity, until when, who made it and why."""

    instance_id: str | None
    title: str | None
    title_pattern: str | None
    control_id: str | None
    max_severity: Severity | None
    until: datetime | None
    created_by: str
    reason: str
    comment: str


class NotedSnoozes(Struct, frozen=True):
    """A number of snoozes, and the first `NAMED_SNOOZES` of them."""

    count: int = 0
    snoozes: tuple[NotedSnooze, ...] = ()


class NamedNodes(Struct, frozen=True):
    """A number of nodes, and the first `NAMED_NODES` of them."""

    count: int = 0
    names: tuple[str, ...] = ()


class SilentNode(Struct, frozen=True):
    """A silent node, and when its last execution was seen."""

    instance_id: str
    since: datetime


class UnverifiedNodes(Struct, frozen=True):
    """The nodes that are unverified for one reason."""

    reason: str
    nodes: NamedNodes


class JobSummary(Struct, frozen=True):
    """An execution. `targets` is the number of its nodes, 0 if the event did not say."""

    association_id: str
    status: str
    succeeded: int
    targets: int


class CoverageSummary(Struct, frozen=True):
    """How much of the fleet the scan has seen, in numbers; those of `Coverage`.

    unverified: the reasons with the most nodes · unverified_nodes: all of these nodes ·
    unchecked: findings that are not checked any more, without those that are checked in
    turn · unchecked_nodes: the nodes that have them · unchecked_since: since when ·
    partial: nodes where fewer than half of the usual checks ran.
    """

    known: int
    deferred: int = 0
    missing: int = 0
    braked: bool = False
    gone: int = 0
    untitled: int = 0
    unverified: tuple[UnverifiedNodes, ...] = ()
    unverified_nodes: int = 0
    unchecked: int = 0
    unchecked_nodes: int = 0
    unchecked_since: datetime | None = None
    partial: NamedNodes = NamedNodes()


class AlertSummary(Struct, frozen=True):
    """An `Alert` without its findings and nodes: what a message shows.

    at: when the newest execution began, or when the scan ran · new, worse, announced:
    findings by severity; `announced` has those whose snooze ended too · open: findings of
    the fleet · changes: what else happened, by kind (`history.NAMED`) ·
    titles: the worst of those that are news, else of those whose snooze ended, and
    `title_count` of all of them · vanished: the worst titles that vanished without proof of
    a fix, and `vanished_count` of all of them · alternating: nodes on which two executions
    overwrite each other · snoozes: the worst that ended · more_snoozed: findings of the
    other ended snoozes · made: wide or permanent snoozes that were made · ending: those
    that end soon · jobs: the newest executions, and `job_count` of all of them ·
    silent: nodes that fell silent since the last message, the longest silent first, and
    `silent_count` of all of them · gone_nodes: those that left · returned: silent ones
    that report again · fix: how to mend all of `announced`, if they are of one control and it
    is known.
    """

    topic: Topic
    scan_id: str
    at: datetime
    coverage: CoverageSummary
    new: Mapping[Severity, int]
    announced: Mapping[Severity, int]
    open: Mapping[Severity, int]
    worse: Mapping[Severity, int] = field(default_factory=dict)
    changes: Mapping[EventKind, int] = field(default_factory=dict)
    muted: int = 0
    titles: tuple[TitleSummary, ...] = ()
    title_count: int = 0
    vanished: tuple[VanishedTitle, ...] = ()
    vanished_count: int = 0
    alternating: NamedNodes = NamedNodes()
    snoozes: tuple[EndedSnooze, ...] = ()
    more_snoozed: int = 0
    jobs: tuple[JobSummary, ...] = ()
    job_count: int = 0
    targets: int = 0
    reported: int = 0
    without_result: NamedNodes = NamedNodes()
    last_alert_at: datetime | None = None
    recovered: bool = False
    csv_key: str = ""
    made: NotedSnoozes = NotedSnoozes()
    ending: NotedSnoozes = NotedSnoozes()
    silent: tuple[SilentNode, ...] = ()
    silent_count: int = 0
    gone_nodes: NamedNodes = NamedNodes()
    returned: NamedNodes = NamedNodes()
    fix: str = ""

    @property
    def is_replaceable(self) -> bool:
        """Whether a newer message shows all of it anew, but for findings, which are in files."""
        once = (self.gone_nodes, self.returned, self.alternating)
        notes = (self.made, self.ending)
        return not (self.silent or self.gone or any(each.count for each in (*once, *notes)))

    @property
    def counted(self) -> Mapping[Severity, int]:
        """What the headline counts: new findings, else worse ones, else ended snoozes."""
        return self.new or self.worse or self.announced

    @property
    def fixed(self) -> int:
        """Findings that were fixed since the last message."""
        return self.count(EventKind.FIXED)

    @property
    def gone(self) -> int:
        """Findings that went with their nodes since the last message."""
        return self.count(EventKind.GONE)

    def count(self, *kinds: EventKind) -> int:
        """The number of findings to which this happened."""
        return sum(self.changes.get(kind, 0) for kind in kinds)


def summarize_alert(alert: Alert) -> AlertSummary:
    """Returns what the message of a scan shows."""
    outcome, lines = alert.outcome, alert.lines.announced
    new = [line.finding for line in lines if line.reason is LineReason.NEW]
    worse = [line.finding for line in lines if line.reason is LineReason.WORSE]
    announced = [line.finding for line in lines]
    titles = _group_by_title([*new, *worse] or announced)
    vanished = _list_vanished(alert.vanished)
    snoozes = _group_by_snooze(lines)
    newest = alert.jobs[0] if alert.jobs else None
    silent = sorted(alert.silent.items(), key=lambda each: (each[1], each[0]))
    return AlertSummary(
        topic=alert.topic,
        scan_id=outcome.scan_id,
        at=(newest and newest.executed_at) or outcome.at,
        coverage=_summarize_coverage(outcome.coverage),
        new=_count_severities(new),
        announced=_count_severities(announced),
        open=dict(outcome.by_severity),
        worse=_count_severities(worse),
        changes=dict(alert.changes),
        muted=alert.lines.muted,
        titles=tuple(_summarize_title(group) for group in titles[:NAMED_TITLES]),
        title_count=len(titles),
        vanished=vanished[:NAMED_TITLES],
        vanished_count=len(vanished),
        alternating=name_nodes(alert.alternating),
        snoozes=tuple(_summarize_snooze(*group) for group in snoozes[:NAMED_SNOOZES]),
        more_snoozed=sum(len(muted) for _, muted in snoozes[NAMED_SNOOZES:]),
        jobs=tuple(_summarize_job(job) for job in alert.jobs[:NAMED_JOBS]),
        job_count=len(alert.jobs),
        targets=alert.targets,
        reported=alert.reported,
        without_result=name_nodes(alert.without_result),
        last_alert_at=alert.last_alert_at,
        recovered=alert.recovered,
        csv_key=alert.csv_key,
        made=_note_snoozes(alert.lines.notes.made),
        ending=_note_snoozes(alert.lines.notes.ending),
        silent=tuple(SilentNode(*each) for each in silent[:NAMED_NODES]),
        silent_count=len(silent),
        gone_nodes=name_nodes(alert.gone_nodes),
        returned=name_nodes(alert.returned),
    )


def name_nodes(instance_ids: Sequence[str]) -> NamedNodes:
    """Counts nodes and keeps the first of their ids."""
    return NamedNodes(len(instance_ids), tuple(instance_ids[:NAMED_NODES]))


def _count_severities(findings: Iterable[Finding]) -> dict[Severity, int]:
    return dict(Counter(finding.severity for finding in findings))


def _group_by_title(findings: Iterable[Finding]) -> list[Sequence[Finding]]:
    """Groups by title: the worst severity first, then the most nodes."""
    by_title: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        by_title[finding.title].append(finding)
    groups = [
        sorted(group, key=lambda finding: (finding.severity.rank, finding.instance_id))
        for group in by_title.values()
    ]
    return sorted(groups, key=lambda group: (group[0].severity.rank, -len(group), group[0].title))


def _summarize_title(group: Sequence[Finding]) -> TitleSummary:
    worst = group[0]
    return TitleSummary(worst.title, worst.severity, len(group), worst.instance_id)


def _list_vanished(changed: Iterable[ChangedFinding]) -> tuple[VanishedTitle, ...]:
    """Lists titles that vanished, the worst first; one that did so in two ways has two."""
    by_kind: dict[EventKind, list[Finding]] = defaultdict(list)
    for each in changed:
        by_kind[each.kind].append(each.finding)
    titles = [
        VanishedTitle(kind, _summarize_title(group))
        for kind, findings in by_kind.items()
        for group in _group_by_title(findings)
    ]
    return tuple(sorted(titles, key=lambda each: each.title.severity.rank))


def _group_by_snooze(lines: Iterable[Line]) -> list[tuple[Snooze, Sequence[Line]]]:
    """Groups by snooze: the worst severity first, then the most findings."""
    snoozes: dict[str, Snooze] = {}
    muted: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        if line.snooze:
            snoozes[line.snooze.id] = line.snooze
            muted[line.snooze.id].append(line)

    def rank(snooze_id: str) -> tuple[int, int, str]:
        worst = min(line.finding.severity.rank for line in muted[snooze_id])
        return worst, -len(muted[snooze_id]), snooze_id

    return [(snoozes[snooze_id], muted[snooze_id]) for snooze_id in sorted(muted, key=rank)]


def _summarize_snooze(snooze: Snooze, muted: Sequence[Line]) -> EndedSnooze:
    titles = {line.finding.title for line in muted}
    nodes = {line.finding.instance_id for line in muted}
    return EndedSnooze(
        title=min(titles) if len(titles) == 1 else None,
        findings=len(muted),
        nodes=len(nodes),
        first_node=min(nodes),
        until=snooze.end,
        created_by=snooze.created_by,
        reason=str(snooze.reason),
        comment=snooze.comment,
    )


def _note_snoozes(snoozes: Sequence[Snooze]) -> NotedSnoozes:
    named = (
        NotedSnooze(
            each.instance_id,
            each.title,
            each.title_pattern,
            each.control_id,
            each.max_severity,
            each.end,
            each.created_by,
            each.reason,
            each.comment,
        )
        for each in snoozes[:NAMED_SNOOZES]
    )
    return NotedSnoozes(len(snoozes), tuple(named))


def _summarize_job(job: Job) -> JobSummary:
    return JobSummary(job.association_id, job.status, job.succeeded, job.targets)


def _summarize_coverage(coverage: Coverage) -> CoverageSummary:
    groups: dict[str, list[str]] = defaultdict(list)
    for instance_id, reason in sorted(coverage.unverified.items()):
        groups[reason].append(instance_id)
    ranked = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    return CoverageSummary(
        known=coverage.known,
        deferred=coverage.deferred,
        missing=coverage.missing,
        braked=coverage.braked,
        gone=coverage.gone,
        untitled=coverage.untitled,
        unverified=tuple(
            UnverifiedNodes(reason, name_nodes(ids)) for reason, ids in ranked[:NAMED_REASONS]
        ),
        unverified_nodes=len(coverage.unverified),
        unchecked=sum(coverage.unchecked.values()),
        unchecked_nodes=len(coverage.unchecked),
        unchecked_since=coverage.unchecked_since,
        partial=name_nodes(coverage.partial),
    )
