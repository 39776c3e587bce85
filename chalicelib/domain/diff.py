"""The difference between what is stored and what was read of one node."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.domain.finding import Finding, Observation, Severity
from chalicelib.domain.node import count_by_severity


@dataclass(frozen=True, slots=True)
class Diff:
    """What to write for one node.

    opened: to insert · updated: stored rows whose severity or control id
    changed, told to nobody · resolved: to delete · unchanged: left alone.
    """

    opened: tuple[Finding, ...] = ()
    updated: tuple[Finding, ...] = ()
    resolved: tuple[Finding, ...] = ()
    unchanged: tuple[Finding, ...] = ()

    @property
    def severities(self) -> dict[Severity, int]:
        """Open findings by severity once the diff is applied."""
        open_ones = (*self.opened, *self.updated, *self.unchanged)
        return count_by_severity(finding.severity for finding in open_ones)


def diff(
    stored: Iterable[Finding],
    observed: Iterable[Observation],
    *,
    proven: bool,
    seen_at: datetime,
    scan_id: str,
) -> Diff:
    """Compare by (instance id, title).

    What an unproven reading does not show stays as it is: absence from a
    doubtful reading is no proof of a fix.
    """
    held = {finding.key: finding for finding in stored}
    shown = {observation.key: observation for observation in observed}
    updated, unchanged, resolved = [], [], []
    for key, finding in held.items():
        seen = shown.get(key)
        if seen is None and proven:
            resolved.append(finding)
        elif seen is None or _same(finding, seen):
            unchanged.append(finding)
        else:
            updated.append(replace(finding, severity=seen.severity, control_id=seen.control_id))
    opened = tuple(
        Finding(seen.instance_id, seen.title, seen.severity, seen.control_id, seen_at, scan_id)
        for key, seen in shown.items()
        if key not in held
    )
    return Diff(opened, tuple(updated), tuple(resolved), tuple(unchanged))


def _same(finding: Finding, seen: Observation) -> bool:
    return (finding.severity, finding.control_id) == (seen.severity, seen.control_id)
