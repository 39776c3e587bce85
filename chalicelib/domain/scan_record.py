"""A pass as people look it up later: numbers only."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.finding import Severity
from chalicelib.domain.outcome import Outcome


@dataclass(frozen=True, slots=True)
class ScanRecord:
    """What a pass did.

    `open` counts the fleet's findings after it, by severity; the numbers of
    nodes are those of `Coverage`. `message_id` is what it said, if anything.
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


def build_record(outcome: Outcome, finished_at: datetime, message_id: str | None) -> ScanRecord:
    """The numbers of an outcome."""
    coverage = outcome.coverage
    return ScanRecord(
        scan_id=outcome.scan_id,
        at=outcome.at,
        finished_at=finished_at,
        findings_new=len(outcome.new),
        findings_fixed=outcome.fixed,
        findings_gone=outcome.gone,
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
