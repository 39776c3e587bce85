"""A finding: the stored fact that one node does not comply with one title."""

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
        """0 for the worst; higher is milder."""
        return _RANK[self]

    @classmethod
    def of(cls, word: str | None) -> "Severity":
        """The severity of a vendor's word; a word nobody knows is UNSPECIFIED."""
        try:
            return cls((word or "").strip().upper())
        except ValueError:
            return cls.UNSPECIFIED


_RANK = {severity: rank for rank, severity in enumerate(Severity)}


@dataclass(frozen=True, slots=True)
class Observation:
    """What a verified or unverified reading shows of one title on one node."""

    instance_id: str
    title: str
    severity: Severity
    control_id: str

    @property
    def key(self) -> tuple[str, str]:
        """Identity that no hash collision can blur."""
        return self.instance_id, self.title


@dataclass(frozen=True, slots=True)
class Finding:
    """A stored non-compliant configuration.

    `first_seen` is the time of the node's execution that first showed it
    (aware UTC), `scan_id` the pass that opened it.
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
        """Identity that no hash collision can blur."""
        return self.instance_id, self.title


def worst_first(finding: Finding) -> tuple[int, str, str]:
    """The order in which people read findings: by severity, then by title and node."""
    return finding.severity.rank, finding.title, finding.instance_id


def finding_id(instance_id: str, title: str) -> str:
    """MD5 of instance id and title (UTF-8, no separator), as 32 hex digits. Fixed for ever."""
    return hashlib.md5((instance_id + title).encode(), usedforsecurity=False).hexdigest()


def title_id(title: str) -> str:
    """MD5 of the title: the index key that stays under 1,024 bytes whatever the title."""
    return hashlib.md5(title.encode(), usedforsecurity=False).hexdigest()
