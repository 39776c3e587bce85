"""The difference between the stored and the observed findings of one node."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.domain.finding import Finding, Observation, Severity
from chalicelib.domain.node import count_by_severity


@dataclass(frozen=True, slots=True)
class Diff:
    """What to write for one node.

    new: to insert · updated: stored findings whose severity or control id
    changed, not announced · removed: to delete · unchanged: not written.
    """

    new: tuple[Finding, ...] = ()
    updated: tuple[Finding, ...] = ()
    removed: tuple[Finding, ...] = ()
    unchanged: tuple[Finding, ...] = ()

    @property
    def severities(self) -> dict[Severity, int]:
        """The number of open findings by severity after the diff is applied."""
        open_findings = (*self.new, *self.updated, *self.unchanged)
        return count_by_severity(finding.severity for finding in open_findings)


def diff(
    stored: Iterable[Finding],
    observed: Iterable[Observation],
    *,
    verified: bool,
    seen_at: datetime,
    scan_id: str,
) -> Diff:
    """Compares by (instance id, title).

    A finding that an unverified reading does not show stays unchanged: its
    absence does not prove a fix.
    """
    stored_by_key = {finding.key: finding for finding in stored}
    observed_by_key = {observation.key: observation for observation in observed}
    updated, unchanged, removed = [], [], []
    for key, finding in stored_by_key.items():
        match = observed_by_key.get(key)
        if match is None and verified:
            removed.append(finding)
        elif match is None or _is_same(finding, match):
            unchanged.append(finding)
        else:
            updated.append(replace(finding, severity=match.severity, control_id=match.control_id))
    new = tuple(
        Finding(each.instance_id, each.title, each.severity, each.control_id, seen_at, scan_id)
        for key, each in observed_by_key.items()
        if key not in stored_by_key
    )
    return Diff(new, tuple(updated), tuple(removed), tuple(unchanged))


def _is_same(finding: Finding, observation: Observation) -> bool:
    """Whether severity and control id are equal."""
    return (finding.severity, finding.control_id) == (observation.severity, observation.control_id)
