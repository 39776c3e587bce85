"""The difference between what is stored and what was read of one node."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.domain.finding import Finding, Observation, Severity
from chalicelib.domain.node import count_by_severity


@dataclass(frozen=True, slots=True)
class Diff:
    """What to write for one node.

    new: to insert · updated: stored rows whose severity or control id
    changed, told to nobody · removed: to delete · unchanged: left alone.
    """

    new: tuple[Finding, ...] = ()
    updated: tuple[Finding, ...] = ()
    removed: tuple[Finding, ...] = ()
    unchanged: tuple[Finding, ...] = ()

    @property
    def severities(self) -> dict[Severity, int]:
        """Open findings by severity once the diff is applied."""
        open_ones = (*self.new, *self.updated, *self.unchanged)
        return count_by_severity(finding.severity for finding in open_ones)


def diff(
    stored: Iterable[Finding],
    observed: Iterable[Observation],
    *,
    verified: bool,
    seen_at: datetime,
    scan_id: str,
) -> Diff:
    """Compare by (instance id, title).

    What an unverified reading does not show stays as it is: absence from a
    doubtful reading is no proof of a fix.
    """
    held = {finding.key: finding for finding in stored}
    shown = {observation.key: observation for observation in observed}
    updated, unchanged, removed = [], [], []
    for key, finding in held.items():
        seen = shown.get(key)
        if seen is None and verified:
            removed.append(finding)
        elif seen is None or _same(finding, seen):
            unchanged.append(finding)
        else:
            updated.append(replace(finding, severity=seen.severity, control_id=seen.control_id))
    new = tuple(
        Finding(seen.instance_id, seen.title, seen.severity, seen.control_id, seen_at, scan_id)
        for key, seen in shown.items()
        if key not in held
    )
    return Diff(new, tuple(updated), tuple(removed), tuple(unchanged))


def _same(finding: Finding, seen: Observation) -> bool:
    return (finding.severity, finding.control_id) == (seen.severity, seen.control_id)
