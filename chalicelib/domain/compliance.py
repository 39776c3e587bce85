"""What SSM Compliance shows of a node, and whether a reading is verified."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from chalicelib.domain.finding import Observation, Severity

# A running index has no leading zero, so `ec2-ssh-01` does not end in one.
_INDEXED = re.compile(r"^(?P<control>.+)-(?P<index>0|[1-9]\d*)$", re.DOTALL)


class Execution(Struct, frozen=True):
    """One run of the checks on one node. `count` is its number of non-compliant items."""

    execution_id: str
    executed_at: datetime
    count: int


class SummaryRow(Struct, frozen=True):
    """One row of the compliance summaries: a node and a compliance type.

    `compliant` is the number of compliant items.
    """

    instance_id: str
    compliance_type: str
    execution: Execution
    compliant: int

    @property
    def checked_nothing(self) -> bool:
        """Whether no check ran: zero compliant and zero non-compliant items."""
        return self.execution.count == 0 and self.compliant == 0


class Item(Struct, frozen=True):
    """One NON_COMPLIANT item as read. SSM may omit its Id and its Title."""

    compliance_type: str
    execution_id: str
    item_id: str | None
    title: str | None
    severity: str | None


class FoldedItems(Struct, frozen=True):
    """The observations of a node, one for each title, and the number of items without a title."""

    observations: tuple[Observation, ...]
    untitled: int


class NodeReport(Struct, frozen=True):
    """The current rows of one node: the newest of each compliance type.

    Spellings of a type that differ only in case are one type. `superseded` holds
    the spellings whose rows are older.
    """

    instance_id: str
    rows: tuple[SummaryRow, ...]
    superseded: frozenset[str]

    @property
    def executions(self) -> dict[str, Execution]:
        """Compliance type (case folded) to its execution, as a watermark stores it."""
        return {row.compliance_type.casefold(): row.execution for row in self.rows}

    @property
    def types(self) -> tuple[str, ...]:
        """The types to read, spelt as the rows spell them."""
        return tuple(sorted(row.compliance_type for row in self.rows))

    @property
    def count(self) -> int:
        """The number of non-compliant items of all types."""
        return sum(row.execution.count for row in self.rows)

    @property
    def checked_nothing(self) -> bool:
        """Whether no check ran for at least one type."""
        return any(row.checked_nothing for row in self.rows)

    @property
    def executed_at(self) -> datetime:
        """When the node last reported any type."""
        return max(row.execution.executed_at for row in self.rows)


def group_reports(rows: Iterable[SummaryRow]) -> dict[str, NodeReport]:
    """Groups rows by node. Types that differ only in case are one type: its newest row counts."""
    newest: dict[str, dict[str, SummaryRow]] = {}
    spellings: dict[str, set[str]] = {}
    for row in rows:
        types = newest.setdefault(row.instance_id, {})
        spellings.setdefault(row.instance_id, set()).add(row.compliance_type)
        folded = row.compliance_type.casefold()
        if folded not in types or _by_age(types[folded]) < _by_age(row):
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


def _by_age(row: SummaryRow) -> tuple[datetime, str]:
    return row.execution.executed_at, row.compliance_type


def fold_items(instance_id: str, items: Sequence[Item]) -> FoldedItems:
    """Folds items into one observation for each title, which gets the worst severity.

    Items without a title are only counted: nothing tells them apart.
    """
    controls = derive_control_ids(items)
    worst: dict[str, Observation] = {}
    untitled = 0
    for item, control in zip(items, controls, strict=True):
        if not item.title or not item.title.strip():
            untitled += 1
            continue
        observed = Observation(instance_id, item.title, Severity.of(item.severity), control)
        worst[item.title] = min(worst.get(item.title, observed), observed, key=_by_severity)
    return FoldedItems(tuple(worst[title] for title in sorted(worst)), untitled)


def _by_severity(observation: Observation) -> tuple[int, str]:
    return observation.severity.rank, observation.control_id


def derive_control_ids(items: Sequence[Item]) -> tuple[str, ...]:
    """Returns the control id of each item; empty if its Id is missing.

    The reporter appends a running index that shifts between executions. It is
    removed only if every Id of the node ends in an index and no index repeats.
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
    """Why a node is unverified. The value is the reason that people read."""

    NOTHING_CHECKED = "No check ran"
    COUNT_DIFFERS = "SSM returned a different number of items than its summary reports"
    LISTED_TWICE = "SSM returned an item twice, so another may be missing"
    EXECUTION_DIFFERS = "The items belong to a different execution than the summary"
    SNOOZES_UNREADABLE = "The snoozes that a fix may end could not be read"
    TYPE_NOT_LISTED = "SSM no longer lists every compliance type of the node"
    NOT_LISTED = "SSM no longer lists the node"
    UNREADABLE = "SSM did not return the items of the node"
    NEWER_ROW = "This version cannot read the node's row; run reconcile with full"


# These follow from the summary itself. Any other doubt may pass by itself.
CERTAIN = frozenset({Doubt.NOTHING_CHECKED, Doubt.NOT_LISTED, Doubt.NEWER_ROW})
# Two scans that read the same settle these.
SETTLED_BY_REPETITION = frozenset({Doubt.COUNT_DIFFERS, Doubt.LISTED_TWICE})


def drop_superseded(report: NodeReport, items: Sequence[Item]) -> tuple[Item, ...]:
    """Drops items whose compliance type was superseded by a newer spelling of it."""
    return tuple(item for item in items if item.compliance_type not in report.superseded)


def find_doubt(report: NodeReport, items: Sequence[Item]) -> Doubt | None:
    """Returns the first doubt about a reading; None if it is verified."""
    if report.checked_nothing:
        return Doubt.NOTHING_CHECKED
    executions = report.executions
    for item in items:
        execution = executions.get(item.compliance_type.casefold())
        if execution is None or execution.execution_id != item.execution_id:
            return Doubt.EXECUTION_DIFFERS
    if len(items) != report.count:
        return Doubt.COUNT_DIFFERS
    if len(set(items)) != len(items):
        return Doubt.LISTED_TWICE
    return None


def compute_fingerprint(items: Sequence[Item]) -> str:
    """Returns a hash of the items in any order; empty if there are none."""
    if not items:
        return ""
    lines = sorted(
        repr((each.compliance_type, each.execution_id, each.item_id, each.title, each.severity))
        for each in items
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def settle_doubt(doubt: Doubt | None, fingerprint: str, earlier: str) -> Doubt | None:
    """Returns the doubt; None if an earlier scan read the same and that settles it.

    Two readings a moment apart may be cut short in the same way. Two scans are
    not. Items that a report really holds twice are returned twice in every scan.
    An empty reading carries no execution, so it never settles a doubt.
    """
    if doubt in SETTLED_BY_REPETITION and fingerprint and fingerprint == earlier:
        return None
    return doubt
