"""The difference between the listed and the observed findings of one node."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.finding import Finding, Observation, OpenFinding, finding_id, mark_control


@dataclass(frozen=True, slots=True)
class Diff:
    """What to write for one node.

    new: to insert · updated: to write again, because severity or control id
    changed or the row is absent; not announced · removed: to delete ·
    unchanged: not written.
    """

    new: tuple[Finding, ...] = ()
    updated: tuple[Finding, ...] = ()
    removed: tuple[OpenFinding, ...] = ()
    unchanged: tuple[OpenFinding, ...] = ()

    @property
    def has_changes(self) -> bool:
        """Whether there is anything to write."""
        return bool(self.new or self.updated or self.removed)

    @property
    def open_list(self) -> tuple[OpenFinding, ...]:
        """The open findings after the diff is applied."""
        written = (OpenFinding.of(each) for each in (*self.new, *self.updated))
        return (*written, *self.unchanged)


def diff(
    listed: Mapping[str, OpenFinding],
    observed: Iterable[Observation],
    *,
    verified: bool,
    seen_at: datetime,
    scan_id: str,
    absent: Collection[str] = (),
) -> Diff:
    """Compares by finding id.

    A finding that an unverified reading does not show stays unchanged: its
    absence does not prove a fix. `absent` are listed ids that have no row in the
    findings table.
    """
    by_id = {finding_id(each.instance_id, each.title): each for each in observed}
    updated, unchanged, removed = [], [], []
    for key, entry in listed.items():
        match = by_id.get(key)
        if match is None and verified:
            removed.append(entry)
        elif match is None or (_is_same(entry, match) and key not in absent):
            unchanged.append(entry)
        else:
            updated.append(_build_finding(match, entry.first_seen, scan_id))
    new = (
        _build_finding(each, seen_at, scan_id) for key, each in by_id.items() if key not in listed
    )
    return Diff(tuple(new), tuple(updated), tuple(removed), tuple(unchanged))


def _build_finding(observed: Observation, first_seen: datetime, scan_id: str) -> Finding:
    return Finding(
        observed.instance_id,
        observed.title,
        observed.severity,
        observed.control_id,
        first_seen,
        scan_id,
    )


def _is_same(entry: OpenFinding, observed: Observation) -> bool:
    """Whether severity and control id are equal."""
    return (entry.severity, entry.control_mark) == (
        observed.severity,
        mark_control(observed.control_id),
    )
