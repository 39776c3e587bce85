"""A finding: one node does not comply with one title."""

import hashlib
import struct
import zlib
from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from operator import attrgetter

from msgspec import Struct


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


_SEVERITIES = tuple(Severity)
_RANK = {severity: rank for rank, severity in enumerate(_SEVERITIES)}

# An entry of a node's list: finding id, title reference, severity, first seen, control mark.
_ENTRY = struct.Struct(">16s8sBIH")
ENTRY_SIZE = _ENTRY.size
_RANK_AT = struct.calcsize(">16s8s")
# The first bytes of a title's MD5. The text stands once, in a row of its own.
_REFERENCE_BYTES = 8
# The latest time that an entry can hold, in seconds since 1970: the year 2106.
_LATEST = 2**32 - 1


class Observation(Struct, frozen=True):
    """A title that a node fails, as a reading shows it, verified or not."""

    instance_id: str
    title: str
    severity: Severity
    control_id: str


class Finding(Struct, frozen=True):
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


def sort_worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Sorts by `worst_first`. Sorting by a part at a time needs a fifth of the memory."""
    ordered = list(findings)
    ordered.sort(key=attrgetter("instance_id"))
    ordered.sort(key=attrgetter("title"))
    ordered.sort(key=attrgetter("severity.rank"))
    return ordered


def finding_id(instance_id: str, title: str) -> str:
    """Returns the MD5 of instance id and title (UTF-8, no separator), 32 hex digits. Fixed."""
    return hashlib.md5((instance_id + title).encode(), usedforsecurity=False).hexdigest()


def title_id(title: str) -> str:
    """Returns the MD5 of the title, an index key of fixed length, as 32 hex digits."""
    return hashlib.md5(title.encode(), usedforsecurity=False).hexdigest()


def title_reference(title: str) -> str:
    """Returns how a node's list refers to a title, 16 hex digits."""
    return title_id(title)[: 2 * _REFERENCE_BYTES]


class Title(Struct, frozen=True):
    """A title as it stands once for all nodes, and the control that it was last seen with."""

    text: str
    control_id: str


class OpenFinding(Struct, frozen=True):
    """What a node's list holds of one of its stored findings: enough to compare and to name it.

    `reference` stands for the title (`title_reference`). `first_seen` has whole
    seconds. `control_mark` is a checksum of the control id, so that a change is seen.
    """

    finding_id: str
    reference: str
    severity: Severity
    first_seen: datetime
    control_mark: int

    @classmethod
    def of(cls, finding: Finding) -> "OpenFinding":
        """Returns the entry of a finding, as a list that is read again has it."""
        seconds = min(max(int(finding.first_seen.timestamp()), 0), _LATEST)
        return cls(
            finding_id=finding.finding_id,
            reference=title_reference(finding.title),
            severity=finding.severity,
            first_seen=datetime.fromtimestamp(seconds, UTC),
            control_mark=mark_control(finding.control_id),
        )


def mark_control(control_id: str) -> int:
    """Returns a checksum of a control id, two bytes."""
    return zlib.crc32(control_id.encode()) & 0xFFFF


def pack_list(entries: Iterable[OpenFinding]) -> bytes:
    """Packs a node's list, 31 bytes an entry, ordered by finding id."""
    return b"".join(
        _ENTRY.pack(
            bytes.fromhex(each.finding_id),
            bytes.fromhex(each.reference),
            each.severity.rank,
            int(each.first_seen.timestamp()),
            each.control_mark,
        )
        for each in sorted(entries, key=lambda each: each.finding_id)
    )


def list_size(packed: bytes) -> int:
    """Returns the number of entries of a packed list."""
    return len(packed) // ENTRY_SIZE


def is_list(packed: bytes) -> bool:
    """Whether `unpack_list` can read this. The length and every severity are checked."""
    ranks = packed[_RANK_AT::ENTRY_SIZE]
    return len(packed) % ENTRY_SIZE == 0 and max(ranks, default=0) < len(_SEVERITIES)


def unpack_list(packed: bytes) -> dict[str, OpenFinding]:
    """Unpacks a node's list, by finding id. Raises ValueError if it is not one."""
    try:
        return {
            (finding_id := key.hex()): OpenFinding(
                finding_id,
                reference.hex(),
                _SEVERITIES[rank],
                datetime.fromtimestamp(seconds, UTC),
                mark,
            )
            for key, reference, rank, seconds, mark in _ENTRY.iter_unpack(packed)
        }
    except (struct.error, IndexError) as error:
        raise ValueError(f"not a list of open findings: {len(packed)} bytes") from error
