"""The monthly report: everything stored, counted, with what is snoozed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.domain.finding import Finding, Severity
from chalicelib.domain.node import Node, count_by_severity
from chalicelib.domain.snooze import Snooze, active, muting

# The ids of monthly messages begin so, and end in the date of the event.
MESSAGE_PREFIX = "monthly-"
# A snooze that ends within this time is named as ending soon.
SOON = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Listed:
    """A finding and the snooze that mutes it now, as the CSV and the lists show it."""

    finding: Finding
    snooze: Snooze | None

    @property
    def state(self) -> str:
        """`open` or `snoozed`."""
        return "snoozed" if self.snooze else "open"


@dataclass(frozen=True, slots=True)
class MonthlyReport:
    """Totals of everything stored at one instant."""

    at: datetime
    by_severity: Mapping[Severity, int]
    affected_nodes: int
    known_nodes: int
    doubtful_nodes: int
    oldest: Finding | None
    snoozed: int
    ending_soon: int
    csv_key: str

    @property
    def total(self) -> int:
        """Stored findings, snoozed ones included."""
        return sum(self.by_severity.values())


def listed(
    findings: Iterable[Finding], snoozes: Sequence[Snooze], now: datetime
) -> tuple[Listed, ...]:
    """Findings with their snoozes: worst first, then by title and node."""
    mute = active(snoozes, now)
    rows = [Listed(finding, muting(mute, finding, now)) for finding in findings]
    return tuple(
        sorted(
            rows,
            key=lambda row: (row.finding.severity.rank, row.finding.title, row.finding.instance_id),
        )
    )


def summarize(
    rows: Sequence[Listed], nodes: Sequence[Node], now: datetime, csv_key: str
) -> MonthlyReport:
    """Count the rows. Nodes that are missing or not proven are doubtful: their rows may be old."""
    ends = [row.snooze.end for row in rows if row.snooze]
    return MonthlyReport(
        at=now,
        by_severity=count_by_severity(row.finding.severity for row in rows),
        affected_nodes=len({row.finding.instance_id for row in rows}),
        known_nodes=len(nodes),
        doubtful_nodes=sum(bool(node.missing_since or node.unproven_since) for node in nodes),
        oldest=min(
            (row.finding for row in rows),
            key=lambda finding: (finding.first_seen, finding.finding_id),
            default=None,
        ),
        snoozed=len(ends),
        ending_soon=sum(end is not None and end - now <= SOON for end in ends),
        csv_key=csv_key,
    )


def csv_key(event_at: datetime) -> str:
    """`monthly/YYYY/MM/non-compliant-YYYY-MM-DD.csv`, by the date of the event (UTC)."""
    return f"monthly/{event_at:%Y/%m}/non-compliant-{event_at:%Y-%m-%d}.csv"
