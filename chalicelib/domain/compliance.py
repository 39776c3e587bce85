"""What SSM Compliance shows of a node, and whether a reading is verified."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from msgspec import Struct, field

from chalicelib.domain.finding import Observation, Severity

# A running index has no leading zero, so `ec2-ssh-01` does not end in one.
_INDEXED = re.compile(r"^(?P<control>.+)-(?P<index>0|[1-9]\d*)$", re.DOTALL)
# The time of an execution that has no possible one: before any other.
NEVER = datetime.fromtimestamp(0, UTC)
# Two readings a moment apart may be cut short in the same way. Readings this far apart are not.
SETTLED_AFTER = timedelta(minutes=10)


class Doubt(StrEnum):
    """Why a node is unverified. The value is the reason that people read."""

    NOTHING_CHECKED = "No check ran"
    NO_EXECUTION = "The summary names no execution, or one with an impossible time"
    NO_COUNT = "The summary does not say how many checks passed and failed"
    COUNT_DIFFERS = "SSM returned a different number of items than its summary reports"
    LISTED_TWICE = "SSM returned an item twice, so another may be missing"
    EXECUTION_DIFFERS = "The items belong to a different execution than the summary"
    SNOOZES_UNREADABLE = "The snoozes that a fix may end could not be read"
    OLDER_EXECUTION = "SSM shows an older execution than before"
    TYPE_NOT_LISTED = "SSM no longer lists every compliance type of the node"
    NOT_LISTED = "SSM no longer lists the node"
    UNREADABLE = "SSM did not return the items of the node"
    NEWER_ROW = "This version cannot read the node's row; run reconcile with full"


# These follow from the summary itself. Any other doubt may pass by itself.
CERTAIN = frozenset(
    {
        Doubt.NOTHING_CHECKED,
        Doubt.NO_EXECUTION,
        Doubt.NO_COUNT,
        Doubt.NOT_LISTED,
        Doubt.NEWER_ROW,
    }
)
# Two readings of the same settle these.
SETTLED_BY_REPETITION = frozenset({Doubt.COUNT_DIFFERS, Doubt.LISTED_TWICE})


class Execution(Struct, frozen=True):
    """One run of the checks on one node.

    executed_at: by the node's clock · count: its number of non-compliant items ·
    seen_at: when a list first showed it; None before a list is compared with the
    node's row (see `judge_report`), and in a row of an earlier version.
    """

    execution_id: str
    executed_at: datetime
    count: int
    seen_at: datetime | None = None

    @property
    def at(self) -> datetime:
        """When it ran. If the node's clock was ahead of ours, that is when it was first seen."""
        return min(self.executed_at, self.seen_at or self.executed_at)

    @property
    def key(self) -> tuple[str, datetime]:
        """What tells it from others of its node and type."""
        return self.execution_id, self.executed_at


class SummaryRow(Struct, frozen=True):
    """One row of the compliance summaries: a node and a compliance type.

    `compliant` is the number of compliant items. `flaw` says why the row proves
    nothing; what it lacks is then zero, empty or `NEVER`.
    """

    instance_id: str
    compliance_type: str
    execution: Execution
    compliant: int
    flaw: Doubt | None = None

    @property
    def checked_nothing(self) -> bool:
        """Whether no check ran: zero compliant and zero non-compliant items."""
        return self.execution.count == 0 and self.compliant == 0

    @property
    def folded_type(self) -> str:
        """The compliance type as watermarks spell it."""
        return self.compliance_type.casefold()


class Item(Struct, frozen=True):
    """One NON_COMPLIANT item as read. SSM may omit its Id and its Title."""

    compliance_type: str
    execution_id: str
    item_id: str | None
    title: str | None
    severity: str | None


class ItemList(Struct, frozen=True):
    """The items of a node, and on how many pages SSM returned them."""

    items: tuple[Item, ...]
    pages: int = 1

    def __iter__(self) -> Iterator[Item]:
        """Yields the items."""
        return iter(self.items)

    def __len__(self) -> int:
        """The number of items."""
        return len(self.items)

    @property
    def may_hide_items(self) -> bool:
        """Whether an item is there twice and another may be missing.

        The list may have changed between two pages. On one page, two equal items are
        simply two.
        """
        return self.pages > 1 and len(set(self.items)) != len(self.items)


class FoldedItems(Struct, frozen=True):
    """The observations of a node, one for each title, and the number of items without a title."""

    observations: tuple[Observation, ...]
    untitled: int


class NodeReport(Struct, frozen=True):
    """The current rows of one node: the newest of each compliance type.

    Spellings of a type that differ only in case are one type. `superseded` holds
    the spellings whose rows are older.

    rows: those that count · flawed: those that prove nothing, but whose items may
    show new findings. `judge_report` (domain/node.py) compares them with the node's
    row and fills the rest. uncounted: types (case folded) that do not count in this
    scan, with the reason: their row shows an older execution, or is missing ·
    older_since, absent_since: since when that is so.
    """

    instance_id: str
    rows: tuple[SummaryRow, ...]
    superseded: frozenset[str] = frozenset()
    flawed: tuple[SummaryRow, ...] = ()
    uncounted: Mapping[str, Doubt] = field(default_factory=dict)
    older_since: Mapping[str, datetime] = field(default_factory=dict)
    absent_since: Mapping[str, datetime] = field(default_factory=dict)

    @property
    def executions(self) -> dict[str, Execution]:
        """Compliance type (case folded) to its execution, as a watermark stores it."""
        return {row.folded_type: row.execution for row in self.rows}

    @property
    def types(self) -> tuple[str, ...]:
        """The types to read, spelt as the rows spell them."""
        return tuple(sorted({row.compliance_type for row in (*self.rows, *self.flawed)}))

    @property
    def count(self) -> int:
        """The number of non-compliant items of all types that are to be read."""
        return sum(row.execution.count for row in (*self.rows, *self.flawed))

    @property
    def has_items(self) -> bool:
        """Whether there may be items to read."""
        return self.count > 0 or any(row.flaw is Doubt.NO_COUNT for row in self.flawed)

    @property
    def doubt(self) -> Doubt | None:
        """The first doubt that follows from the rows alone, whatever the items are."""
        if any(row.checked_nothing for row in self.rows):
            return Doubt.NOTHING_CHECKED
        doubts = {*(row.flaw for row in self.flawed), *self.uncounted.values()}
        return next((each for each in Doubt if each in doubts), None)

    @property
    def executed_at(self) -> datetime | None:
        """When the node last reported any type that counts."""
        return max((row.execution.at for row in self.rows), default=None)


def group_reports(rows: Iterable[SummaryRow], now: datetime) -> dict[str, NodeReport]:
    """Groups rows by node. Types that differ only in case are one type: its newest row counts.

    A time ahead of ours tells nothing, so such a row is older than any other.
    """
    newest: dict[str, dict[str, SummaryRow]] = {}
    flawed: dict[str, dict[str, SummaryRow]] = {}
    spellings: dict[str, set[str]] = {}
    for row in rows:
        types = newest.setdefault(row.instance_id, {})
        if row.flaw:
            flawed.setdefault(row.instance_id, {})[row.compliance_type] = row
            continue
        spellings.setdefault(row.instance_id, set()).add(row.compliance_type)
        known = types.get(row.folded_type)
        if known is None or _by_age(known, now) < _by_age(row, now):
            types[row.folded_type] = row
    return {
        instance_id: NodeReport(
            instance_id=instance_id,
            rows=tuple(types[name] for name in sorted(types)),
            superseded=frozenset(
                spellings.get(instance_id, set())
                - {row.compliance_type for row in types.values()}
                - flawed.get(instance_id, {}).keys()
            ),
            flawed=tuple(flawed.get(instance_id, {}).values()),
        )
        for instance_id, types in newest.items()
    }


def _by_age(row: SummaryRow, now: datetime) -> tuple[bool, datetime, str]:
    return row.execution.executed_at <= now, row.execution.executed_at, row.compliance_type


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
        severity, kind = Severity.of(item.severity), item.compliance_type.casefold()
        observed = Observation(instance_id, item.title, severity, control, kind)
        worst[item.title] = min(worst.get(item.title, observed), observed, key=_by_severity)
    return FoldedItems(tuple(worst[title] for title in sorted(worst)), untitled)


def _by_severity(observation: Observation) -> tuple[int, str]:
    return observation.severity.rank, observation.control_id


def derive_control_ids(items: Sequence[Item]) -> tuple[str, ...]:
    """Returns the control id of each item; empty if its Id is missing.

    The reporter appends a running index that shifts between executions. It is
    removed only if every Id of the item's type ends in an index and no index repeats.
    """
    by_type: dict[str, list[Item]] = {}
    for item in items:
        by_type.setdefault(item.compliance_type.casefold(), []).append(item)
    indexed = {
        kind
        for kind, each in by_type.items()
        for indexes in (list_indexes(each),)
        if indexes is not None and len(indexes) == len(set(indexes))
    }
    return tuple(
        match["control"]
        if item.compliance_type.casefold() in indexed
        and item.item_id
        and (match := _INDEXED.match(item.item_id))
        else item.item_id or ""
        for item in items
    )


def list_indexes(items: Iterable[Item]) -> tuple[int, ...] | None:
    """Returns the running indexes of the Ids that there are; None if one has none."""
    matches = [_INDEXED.match(item.item_id) for item in items if item.item_id]
    indexes = tuple(int(match["index"]) for match in matches if match)
    return indexes if len(indexes) == len(matches) else None


def is_numbered(items: Sequence[Item]) -> bool:
    """Whether the Ids of all items of a type end in one unbroken running index."""
    indexes = list_indexes(items)
    if not indexes or len(indexes) < len(items):
        return False
    first = min(indexes)
    return first in (0, 1) and sorted(indexes) == [*range(first, first + len(items))]


def select_items(report: NodeReport, items: Iterable[Item]) -> tuple[Item, ...]:
    """Drops items of a spelling that a newer one has superseded, and of a type that is ignored."""
    return tuple(
        item
        for item in items
        if item.compliance_type not in report.superseded
        and item.compliance_type.casefold() not in report.uncounted
    )


def find_doubt(report: NodeReport, items: Sequence[Item]) -> Doubt | None:
    """Returns the first doubt about a reading; None if it is verified."""
    counts = {name: run.count for name, run in report.executions.items()}
    return report.doubt or _compare_items(report, items, counts)


def find_doubt_about_passed(
    report: NodeReport, types: Iterable[str], items: Sequence[Item]
) -> Doubt | None:
    """Returns the doubt about the passed items of these types; None if they are verified."""
    wanted = set(types)
    counts = {
        row.folded_type: row.compliant for row in report.rows if row.compliance_type in wanted
    }
    return _compare_items(report, items, counts)


def _compare_items(
    report: NodeReport, items: Sequence[Item], counts: Mapping[str, int]
) -> Doubt | None:
    """Returns the doubt if items are not of their execution, or not as many of each type."""
    executions = report.executions
    for item in items:
        execution = executions.get(item.compliance_type.casefold())
        if execution is None or execution.execution_id != item.execution_id:
            return Doubt.EXECUTION_DIFFERS
    listed = Counter(item.compliance_type.casefold() for item in items)
    if any(listed[name] != counts.get(name, 0) for name in listed.keys() | counts.keys()):
        return Doubt.COUNT_DIFFERS
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

    `earlier` is the fingerprint of the same node, first read `SETTLED_AFTER` ago or
    more. Items that a report really holds twice are returned twice in every scan.
    An empty reading carries no execution, so it never settles a doubt.
    """
    if doubt in SETTLED_BY_REPETITION and fingerprint and fingerprint == earlier:
        return None
    return doubt
