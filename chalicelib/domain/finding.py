"""A finding: one node does not comply with one title."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Severity(StrEnum):
    """SSM Compliance's severities, worst first."""

    CRITICAL = "CRITICAL"
    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"
    INFORMATIONAL = "INFORMATIONAL"
    UNSPECIFIED = "UNSPECIFIED"

    @property
    def rank(self) -> int:
        """0 for the worst. A higher rank is less severe."""
        return _RANK[self]

    @classmethod
    def of(cls, word: str | None) -> "Severity":
        """Returns the severity for SSM's word, ignoring case; UNSPECIFIED for an unknown one."""
        try:
            return cls((word or "").strip().upper())
        except ValueError:
            return cls.UNSPECIFIED


_RANK = {severity: rank for rank, severity in enumerate(Severity)}


@dataclass(frozen=True, slots=True)
class Observation:
    """A title that a node fails, as a reading shows it, verified or not."""

    instance_id: str
    title: str
    severity: Severity
    control_id: str

    @property
    def key(self) -> tuple[str, str]:
        """Identity. Unlike an MD5, it cannot collide."""
        return self.instance_id, self.title


@dataclass(frozen=True, slots=True)
class Finding:
    """A stored non-compliant configuration.

    `first_seen` is the time of the node's execution that first showed it (aware
    UTC). `scan_id` is the scan that stored it.
    """

    instance_id: str
    title: str
    severity: Severity
    control_id: str
    first_seen: datetime
    scan_id: str

    @property
    def finding_id(self) -> str:
        """32 hex digits; see `finding_id`."""
        return finding_id(self.instance_id, self.title)

    @property
    def key(self) -> tuple[str, str]:
        """Identity. Unlike an MD5, it cannot collide."""
        return self.instance_id, self.title


def worst_first(finding: Finding) -> tuple[int, str, str]:
    """Returns the sort key of the order for people: by severity, then by title and node."""
    return finding.severity.rank, finding.title, finding.instance_id


def finding_id(instance_id: str, title: str) -> str:
    """Returns the MD5 of instance id and title (UTF-8, no separator), 32 hex digits. Fixed."""
    return hashlib.md5((instance_id + title).encode(), usedforsecurity=False).hexdigest()


def title_id(title: str) -> str:
    """Returns the MD5 of the title, an index key of fixed length, as 32 hex digits."""
    return hashlib.md5(title.encode(), usedforsecurity=False).hexdigest()
