"""A finding: one node does not comply with one title."""

import hashlib
import struct
import zlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from enum import StrEnum
from operator import attrgetter
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace


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

# An entry of a node's list: finding id, title reference, severities (worst, present), marks,
# time, control mark, type mark.
_ENTRY = struct.Struct(">16s8sBBIHB")
ENTRY_SIZE = _ENTRY.size
_SEVERITIES_AT = struct.calcsize(">16s8s")
# The first bytes of a title's MD5. The text stands once, in a row of its own.
_REFERENCE_BYTES = 8
# The latest time that an entry can hold, in seconds since 1970: the year 2106.
_LATEST = 2**32 - 1
# Bits of an entry's marks. The last two count executions.
_UNCHECKED, _IN_TURN, _REWORDED, _ABSENCES_AT = 1, 2, 4, 3
MAX_ABSENCES = 3
# Former ids that a finding keeps: the first, and the newest.
MAX_FORMER_IDS = 8


class Observation(Struct, frozen=True):
    """A title that a node fails, as a reading shows it, verified or not.

    `compliance_type` is case folded.
    """

    instance_id: str
    title: str
    severity: Severity
    control_id: str
    compliance_type: str = ""


class Finding(Struct, frozen=True):
    """A stored non-compliant configuration.

    `first_seen` is the time of the node's execution that first showed it (aware
    UTC). `scan_id` is the scan that stored it. `former_ids` are the finding ids that it
    had while its title was worded otherwise, oldest first.
    """

    instance_id: str
    title: str
    severity: Severity
    control_id: str
    first_seen: datetime
    scan_id: str
    compliance_type: str = ""
    former_ids: tuple[str, ...] = ()

    @property
    def finding_id(self) -> str:
        """32 hex digits; see `finding_id`."""
        return finding_id(self.instance_id, self.title)

    @property
    def all_ids(self) -> tuple[str, ...]:
        """Its finding id, and those that it had."""
        return self.finding_id, *self.former_ids

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


def count_by_severity(severities: Iterable[Severity]) -> dict[Severity, int]:
    """Counts findings by severity, worst first, without zeros."""
    counts: dict[Severity, int] = {}
    for severity in sorted(severities, key=lambda each: each.rank):
        counts[severity] = counts.get(severity, 0) + 1
    return counts


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


class UncheckedFinding(Struct, frozen=True):
    """A finding that vanished without proof of a fix, and is remembered.

    `since` is the time of the execution that no longer showed it. `worst` is its highest
    severity that was announced.
    """

    finding: Finding
    since: datetime
    worst: Severity


class Entry(Struct, frozen=True):
    """What a node's list holds of a finding: enough to compare and to name it.

    `reference` stands for the title (`title_reference`). `since` has whole seconds: when
    the finding was first seen, or since when it is not checked. `worst` is its highest
    severity that was announced. The marks are checksums of control id and compliance type,
    so that a change is seen; `type_mark` 0 means that the type is not known. is_unchecked:
    it is remembered, and not in the findings table · in_turn: it was back once after it
    was not checked · is_reworded: it has former ids · absences: executions that did not
    check it, at most `MAX_ABSENCES`.
    """

    finding_id: str
    reference: str
    severity: Severity
    worst: Severity
    since: datetime
    control_mark: int
    type_mark: int
    is_unchecked: bool = False
    in_turn: bool = False
    is_reworded: bool = False
    absences: int = 0

    @classmethod
    def of(cls, finding: Finding) -> "Entry":
        """Returns the entry of an open finding, as a list that is read again has it."""
        return cls(
            finding_id=finding.finding_id,
            reference=title_reference(finding.title),
            severity=finding.severity,
            worst=finding.severity,
            since=to_entry_time(finding.first_seen),
            control_mark=mark_control(finding.control_id),
            type_mark=mark_type(finding.compliance_type),
            is_reworded=bool(finding.former_ids),
        )

    @classmethod
    def of_unchecked(cls, unchecked: UncheckedFinding) -> "Entry":
        """Returns the entry of a remembered finding."""
        entry = cls.of(unchecked.finding)
        since = to_entry_time(unchecked.since)
        return replace(entry, worst=unchecked.worst, since=since, is_unchecked=True)

    def has_type(self, type_mark: int) -> bool:
        """Whether it may be of the compliance type with this mark."""
        return self.type_mark in (0, type_mark)


def to_entry_time(at: datetime) -> datetime:
    """Returns a time as an entry can hold it: whole seconds of the years 1970 to 2106."""
    return datetime.fromtimestamp(min(max(int(at.timestamp()), 0), _LATEST), UTC)


def mark_control(control_id: str) -> int:
    """Returns a checksum of a control id, two bytes."""
    return zlib.crc32(control_id.encode()) & 0xFFFF


def mark_type(compliance_type: str) -> int:
    """Returns a checksum of a compliance type, one byte; 0 if there is none."""
    return zlib.crc32(compliance_type.encode()) % 255 + 1 if compliance_type else 0


def pack_list(entries: Iterable[Entry]) -> bytes:
    """Packs a node's list, 33 bytes an entry, ordered by finding id."""
    return b"".join(
        _ENTRY.pack(
            bytes.fromhex(each.finding_id),
            bytes.fromhex(each.reference),
            each.worst.rank << 4 | each.severity.rank,
            each.is_unchecked * _UNCHECKED
            | each.in_turn * _IN_TURN
            | each.is_reworded * _REWORDED
            | each.absences << _ABSENCES_AT,
            int(each.since.timestamp()),
            each.control_mark,
            each.type_mark,
        )
        for each in sorted(entries, key=lambda each: each.finding_id)
    )


def list_size(packed: bytes) -> int:
    """Returns the number of entries of a packed list."""
    return len(packed) // ENTRY_SIZE


def is_list(packed: bytes) -> bool:
    """Whether `unpack_list` can read this. The length and every severity are checked."""
    severities = packed[_SEVERITIES_AT::ENTRY_SIZE]
    known = len(_SEVERITIES)
    return len(packed) % ENTRY_SIZE == 0 and all(
        each >> 4 < known and each & 0xF < known for each in set(severities)
    )


def unpack_list(packed: bytes) -> dict[str, Entry]:
    """Unpacks a node's list, by finding id. Raises ValueError if it is not one."""
    try:
        return {
            (finding_id := key.hex()): Entry(
                finding_id,
                reference.hex(),
                _SEVERITIES[severities & 0xF],
                _SEVERITIES[severities >> 4],
                datetime.fromtimestamp(seconds, UTC),
                control_mark,
                type_mark,
                bool(marks & _UNCHECKED),
                bool(marks & _IN_TURN),
                bool(marks & _REWORDED),
                marks >> _ABSENCES_AT & MAX_ABSENCES,
            )
            for key, reference, severities, marks, seconds, control_mark, type_mark in (
                _ENTRY.iter_unpack(packed)
            )
        }
    except (struct.error, IndexError) as error:
        raise ValueError(f"not a list of findings: {len(packed)} bytes") from error


class BriefEntry(NamedTuple):
    """The part of an entry that is needed to count it. `key` is the finding id as bytes."""

    key: bytes
    reference: str
    severity: Severity
    control_mark: int
    is_unchecked: bool


def read_briefly(packed: bytes) -> Iterator[BriefEntry]:
    """Yields a part of each entry, in a fraction of the time of `unpack_list`."""
    for key, reference, severities, marks, _, control_mark, _ in _ENTRY.iter_unpack(packed):
        severity = _SEVERITIES[severities & 0xF]
        yield BriefEntry(key, reference.hex(), severity, control_mark, bool(marks & _UNCHECKED))
