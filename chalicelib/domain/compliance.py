"""What SSM Compliance says: rows of the inventory, items of a node, and how they fold."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from chalicelib.domain.finding import Observation, Severity

# A running index carries no leading zero, so `ec2-ssh-01` does not end in one.
_INDEXED = re.compile(r"^(?P<control>.+)-(?P<index>0|[1-9]\d*)$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Execution:
    """One run of the checks on one node; `count` is its number of non-compliant items."""

    execution_id: str
    executed_at: datetime
    count: int


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """One row of the compliance summaries: a node and a compliance type."""

    instance_id: str
    compliance_type: str
    execution: Execution
    compliant: int

    @property
    def checked_nothing(self) -> bool:
        """Zero compliant and zero non-compliant items: no check ran."""
        return self.execution.count == 0 and self.compliant == 0


@dataclass(frozen=True, slots=True)
class Item:
    """One NON_COMPLIANT compliance item as read; Id and Title may be missing."""

    compliance_type: str
    execution_id: str
    item_id: str | None
    title: str | None
    severity: str | None


@dataclass(frozen=True, slots=True)
class FoldedItems:
    """The observations of a node, one a title, and how many items had no title."""

    observations: tuple[Observation, ...]
    untitled: int


@dataclass(frozen=True, slots=True)
class NodeReport:
    """The present rows of one node: the newest of each compliance type, by folded type."""

    instance_id: str
    rows: tuple[SummaryRow, ...]
    superseded: frozenset[str]

    @property
    def executions(self) -> dict[str, Execution]:
        """Compliance type (case folded) to its execution: what a watermark remembers."""
        return {row.compliance_type.casefold(): row.execution for row in self.rows}

    @property
    def types(self) -> tuple[str, ...]:
        """The types to list, spelt as the rows spell them."""
        return tuple(sorted(row.compliance_type for row in self.rows))

    @property
    def count(self) -> int:
        """Non-compliant items over all types."""
        return sum(row.execution.count for row in self.rows)

    @property
    def checked_nothing(self) -> bool:
        """Whether for some type not one check ran."""
        return any(row.checked_nothing for row in self.rows)

    @property
    def executed_at(self) -> datetime:
        """When the node last reported, over all types."""
        return max(row.execution.executed_at for row in self.rows)


def group_reports(rows: Iterable[SummaryRow]) -> dict[str, NodeReport]:
    """Rows by node. Types that differ only in case are one type and its newest row wins."""
    newest: dict[str, dict[str, SummaryRow]] = {}
    spellings: dict[str, set[str]] = {}
    for row in rows:
        types = newest.setdefault(row.instance_id, {})
        spellings.setdefault(row.instance_id, set()).add(row.compliance_type)
        folded = row.compliance_type.casefold()
        if folded not in types or _age(types[folded]) < _age(row):
            types[folded] = row
    return {
        instance_id: NodeReport(
            instance_id=instance_id,
            rows=tuple(types[name] for name in sorted(types)),
            superseded=frozenset(
                spellings[instance_id] - {row.compliance_type for row in types.values()}
            ),
        )
        for instance_id, types in newest.items()
    }


def _age(row: SummaryRow) -> tuple[datetime, str]:
    return row.execution.executed_at, row.compliance_type


def fold_items(instance_id: str, items: Sequence[Item]) -> FoldedItems:
    """One observation a title, the worst severity winning; items without a title set aside."""
    controls = derive_control_ids(items)
    worst: dict[str, Observation] = {}
    untitled = 0
    for item, control in zip(items, controls, strict=True):
        if not item.title or not item.title.strip():
            untitled += 1
            continue
        seen = Observation(instance_id, item.title, Severity.of(item.severity), control)
        held = worst.get(item.title)
        if held is None or (seen.severity.rank, seen.control_id) < (
            held.severity.rank,
            held.control_id,
        ):
            worst[item.title] = seen
    return FoldedItems(tuple(worst[title] for title in sorted(worst)), untitled)


def derive_control_ids(items: Sequence[Item]) -> tuple[str, ...]:
    """The control id of each item, empty where the Id is missing.

    The reporter appends a running index that shifts between runs. It is taken
    off only where every Id of the node ends in one and no two are the same.
    """
    matches = [_INDEXED.match(item.item_id) for item in items if item.item_id]
    indexes = [match["index"] for match in matches if match]
    indexed = len(indexes) == len(matches) == len(set(indexes))
    return tuple(
        match["control"]
        if indexed and item.item_id and (match := _INDEXED.match(item.item_id))
        else item.item_id or ""
        for item in items
    )


class Doubt(StrEnum):
    """Why a node is not verified; the value is the reason people read."""

    NOTHING_CHECKED = "no check ran on it"
    COUNT_DIFFERS = "SSM lists another number of items than it announces"
    LISTED_TWICE = "SSM lists an item twice, so it may have left out another"
    EXECUTION_DIFFERS = "its items belong to another execution than announced"
    SNOOZES_UNREADABLE = "the snoozes that its fixes may end could not be read"
    TYPE_NOT_LISTED = "SSM does not list all of its compliance types any more"
    NOT_LISTED = "SSM does not list it any more"
    UNREADABLE = "SSM could not list its items"


def drop_superseded(report: NodeReport, items: Sequence[Item]) -> tuple[Item, ...]:
    """The items less those of a type that a newer row, spelt otherwise, has replaced."""
    return tuple(item for item in items if item.compliance_type not in report.superseded)


def find_doubt(report: NodeReport, items: Sequence[Item]) -> Doubt | None:
    """What speaks against one reading; None where it is verified."""
    if report.checked_nothing:
        return Doubt.NOTHING_CHECKED
    announced = report.executions
    for item in items:
        execution = announced.get(item.compliance_type.casefold())
        if execution is None or execution.execution_id != item.execution_id:
            return Doubt.EXECUTION_DIFFERS
    if len(items) != report.count:
        return Doubt.COUNT_DIFFERS
    if len(set(items)) != len(items):
        return Doubt.LISTED_TWICE
    return None


def fingerprint(items: Sequence[Item]) -> str:
    """What a reading showed, whatever its order; empty where it showed nothing."""
    if not items:
        return ""
    shown = sorted(
        repr((each.compliance_type, each.execution_id, each.item_id, each.title, each.severity))
        for each in items
    )
    return hashlib.sha256("\n".join(shown).encode()).hexdigest()


# What two passes that read the same speak against.
SETTLED_BY_REPETITION = frozenset({Doubt.COUNT_DIFFERS, Doubt.LISTED_TWICE})


def settle_doubt(against: Doubt | None, reading: str, earlier: str) -> Doubt | None:
    """The doubt about a reading, none where an earlier pass read the same.

    Two readings a moment apart may both be cut short in the same way; two
    passes may not. A reading that shows nothing carries no execution, and so
    never proves anything against an announced count. Items that a report
    really holds twice are listed twice by every pass.
    """
    if against in SETTLED_BY_REPETITION and reading and reading == earlier:
        return None
    return against


# What the summary itself says needs no second look; any other doubt may pass by itself.
CERTAIN = frozenset({Doubt.NOTHING_CHECKED, Doubt.NOT_LISTED})
