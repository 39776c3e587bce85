"""The monthly report: totals of all stored findings and of their snoozes."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from msgspec import Struct, field

from chalicelib.domain.finding import Finding, Severity
from chalicelib.domain.node import Node
from chalicelib.domain.snooze import ListedFinding

# The id of a monthly message is this and the date of the event.
MESSAGE_PREFIX = "monthly-"
# A snooze that ends within this time counts as ending soon.
SOON = timedelta(days=14)
# A result is old after this time.
OLD_RESULT = timedelta(days=7)


class MonthlyReport(Struct, frozen=True):
    """Totals of all stored findings at one instant.

    stale_nodes: missing or unverified nodes, whose stored findings may be old ·
    oldest: the finding that was first seen earliest, None without findings ·
    ending_soon: snoozed findings whose snooze ends within `SOON` · unchecked: findings that
    are not checked any more, which the other numbers leave out · unchecked_nodes: their
    nodes · unchecked_since: since when the oldest of them is not · oldest_result: when
    the node was last verified for which that is longest ago · old_nodes: nodes for
    which it is `OLD_RESULT` ago or more.
    """

    at: datetime
    by_severity: Mapping[Severity, int]
    affected_nodes: int
    known_nodes: int
    stale_nodes: int
    oldest: Finding | None
    snoozed: int
    ending_soon: int
    csv_key: str
    unchecked: int = 0
    unchecked_nodes: int = 0
    unchecked_since: datetime | None = None
    oldest_result: datetime | None = None
    old_nodes: int = 0

    @property
    def total(self) -> int:
        """The number of stored findings, snoozed ones included."""
        return sum(self.by_severity.values())


class NodeCount(Struct, frozen=True):
    """The number of stored nodes, of those that are missing or unverified, and of findings.

    `findings` counts what their rows list. `checked_at` maps nodes to when they were
    last verified.
    """

    known: int
    stale: int
    findings: int
    checked_at: Mapping[str, datetime] = field(default_factory=dict)


def count_nodes(nodes: Iterable[Node]) -> NodeCount:
    """Counts nodes one by one."""
    known = stale = findings = 0
    checked_at: dict[str, datetime] = {}
    for node in nodes:
        known += 1
        stale += bool(node.missing_since or node.unverified_since)
        findings += node.open_findings
        if at := node.checked_at:
            checked_at[node.instance_id] = at
    return NodeCount(known, stale, findings, checked_at)


def summarize_month(
    rows: Iterable[ListedFinding], nodes: NodeCount, now: datetime, csv_key: str
) -> MonthlyReport:
    """Counts findings one by one: there may be more than memory holds."""
    by_severity: Counter[Severity] = Counter()
    affected: set[str] = set()
    snoozed = ending_soon = 0
    oldest: Finding | None = None
    unchecked, unchecked_on = 0, set[str]()
    unchecked_since: datetime | None = None
    for row in rows:
        finding = row.finding
        if row.unchecked_since:
            unchecked += 1
            unchecked_on.add(finding.instance_id)
            unchecked_since = min(unchecked_since or row.unchecked_since, row.unchecked_since)
            continue
        by_severity[finding.severity] += 1
        affected.add(finding.instance_id)
        oldest = min(oldest or finding, finding, key=_by_age)
        if row.snooze:
            snoozed += 1
            ending_soon += row.snooze.end is not None and row.snooze.end - now <= SOON
    return MonthlyReport(
        at=now,
        by_severity={each: by_severity[each] for each in Severity if by_severity[each]},
        affected_nodes=len(affected),
        known_nodes=nodes.known,
        stale_nodes=nodes.stale,
        oldest=oldest,
        snoozed=snoozed,
        ending_soon=ending_soon,
        csv_key=csv_key,
        unchecked=unchecked,
        unchecked_nodes=len(unchecked_on),
        unchecked_since=unchecked_since,
        oldest_result=min(nodes.checked_at.values(), default=None),
        old_nodes=sum(now - at >= OLD_RESULT for at in nodes.checked_at.values()),
    )


def _by_age(finding: Finding) -> tuple[datetime, str, str]:
    return finding.first_seen, finding.title, finding.instance_id


def monthly_csv_key(event_at: datetime) -> str:
    """Returns `monthly/YYYY/MM/non-compliant-YYYY-MM-DD.csv`, by the event's date (UTC)."""
    return f"monthly/{event_at:%Y/%m}/non-compliant-{event_at:%Y-%m-%d}.csv"
