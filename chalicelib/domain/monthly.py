"""The monthly report: everything stored, counted, with what is snoozed."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.domain.finding import Finding, Severity
from chalicelib.domain.node import Node
from chalicelib.domain.snooze import ListedFinding

# The ids of monthly messages begin so, and end in the date of the event.
MESSAGE_PREFIX = "monthly-"
# A snooze that ends within this time is named as ending soon.
SOON = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class MonthlyReport:
    """Totals of everything stored at one instant."""

    at: datetime
    by_severity: Mapping[Severity, int]
    affected_nodes: int
    known_nodes: int
    stale_nodes: int
    oldest: Finding | None
    snoozed: int
    ending_soon: int
    csv_key: str

    @property
    def total(self) -> int:
        """Stored findings, snoozed ones included."""
        return sum(self.by_severity.values())


@dataclass(frozen=True, slots=True)
class NodeCount:
    """Stored nodes, and those of them that are doubtful: their rows may be old."""

    known: int
    doubtful: int


def count_nodes(nodes: Iterable[Node]) -> NodeCount:
    """Count the nodes; doubtful are those that are missing or not verified."""
    doubts = Counter(bool(node.missing_since or node.unverified_since) for node in nodes)
    return NodeCount(known=doubts.total(), doubtful=doubts[True])


def summarize(
    rows: Iterable[ListedFinding], nodes: NodeCount, now: datetime, csv_key: str
) -> MonthlyReport:
    """Count the rows, one after the other: there may be more than memory holds."""
    by_severity: Counter[Severity] = Counter()
    affected: set[str] = set()
    snoozed = ending_soon = 0
    oldest: Finding | None = None
    for row in rows:
        finding = row.finding
        by_severity[finding.severity] += 1
        affected.add(finding.instance_id)
        oldest = finding if oldest is None else min(oldest, finding, key=_age)
        if row.snooze:
            snoozed += 1
            ending_soon += row.snooze.end is not None and row.snooze.end - now <= SOON
    return MonthlyReport(
        at=now,
        by_severity={each: by_severity[each] for each in Severity if by_severity[each]},
        affected_nodes=len(affected),
        known_nodes=nodes.known,
        stale_nodes=nodes.doubtful,
        oldest=oldest,
        snoozed=snoozed,
        ending_soon=ending_soon,
        csv_key=csv_key,
    )


def _age(finding: Finding) -> tuple[datetime, str, str]:
    return finding.first_seen, finding.title, finding.instance_id


def monthly_csv_key(event_at: datetime) -> str:
    """`monthly/YYYY/MM/non-compliant-YYYY-MM-DD.csv`, by the date of the event (UTC)."""
    return f"monthly/{event_at:%Y/%m}/non-compliant-{event_at:%Y-%m-%d}.csv"
