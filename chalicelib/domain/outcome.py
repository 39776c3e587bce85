"""What a pass has seen of the fleet and written; what to say of it: alert.py."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from chalicelib.domain.finding import Finding, Severity


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of the fleet a pass has seen.

    known: nodes stored · read: nodes that had anything to read · verified: those
    of them that were read with certainty · deferred: nodes the time did not suffice
    for · unverified: node to the reason why its reading is in doubt · settling:
    those of them whose doubt is young and may pass by itself · untitled: items
    without a title, set aside · missing: known nodes absent from the list, gone
    ones included · braked: whether so many are missing that none is removed ·
    gone: nodes removed. `reports` says when each listed node last reported,
    nodes with a clock in the future left out.
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

    @property
    def complete(self) -> bool:
        """Whether an all-clear may be said of it."""
        return not (self.deferred or self.unverified or self.braked)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one pass: what was written, what is open now, what was seen.

    `by_severity` counts the open findings of the fleet after the pass.
    """

    scan_id: str
    at: datetime
    new: tuple[Finding, ...]
    fixed: int
    gone: int
    by_severity: Mapping[Severity, int]
    coverage: Coverage

    @property
    def open_total(self) -> int:
        """Open findings of the fleet after the pass."""
        return sum(self.by_severity.values())
