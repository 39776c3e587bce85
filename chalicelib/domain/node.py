"""A node: its watermark, whether to read it, and whether it is gone."""

import struct
from collections import Counter
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import pairwise

from msgspec import Struct, field
from msgspec.structs import replace

from chalicelib.domain.compliance import (
    NEVER,
    SETTLED_AFTER,
    Doubt,
    Execution,
    NodeReport,
    SummaryRow,
)
from chalicelib.domain.finding import Severity

# A node, or a compliance type of it, is gone if it is missing from two complete lists at least
# this far apart.
GONE_AFTER = timedelta(hours=1)
# A row that shows an older execution than was verified is ignored for this time.
IGNORE_OLDER = timedelta(hours=1)
# The brake engages if more than this many nodes, and at least half of all known, are missing.
BRAKE_NODES = 10
# What is usual for a node follows from this many gaps between its executions, and from the checks
# of this many executions.
USUAL_RUNS = 8
# Executions within a day count as one sign of life: a node that reports every half an hour and
# sleeps at weekends must not forget its weekends.
_SAME_SIGN = timedelta(days=1)
# An association that is created, edited and run by hand within an hour shows no schedule.
_SHORTEST_GAP = timedelta(hours=1)
# Bytes of a time in seconds since 1970, which ends in 2106, and of a number of checks.
_TIME_BYTES, _CHECKS_BYTES = 4, 2
_MOST_CHECKS = 2**16 - 1
# A node is silent after twice its longest usual gap, within these limits.
SHORTEST_SILENCE = timedelta(days=2)
LONGEST_SILENCE = timedelta(days=40)
# The usual gap while none is known in the whole fleet.
UNKNOWN_GAP = timedelta(days=7)
# Nodes that fall silent together are told together: the first waits for those that follow
# within an hour, for six hours at most.
FOLLOWING = timedelta(hours=1)
LONGEST_WAIT = timedelta(hours=6)


class Node(Struct, frozen=True):
    """A stored managed instance.

    `executions` (compliance type, case folded, to execution) is the watermark:
    the last verified executions. `passed_types` are the types of which it has ever shown
    a passed check. `severities` counts the open findings, `unchecked` the remembered ones,
    `in_turn` those of them that were back once, and `unchecked_since` is the time of the
    oldest of the others. `open_list` names all of them (see `pack_list`). It is None if the
    row was written before rows had such a list; the stored findings then fill it.
    `untitled` counts the items without a title in the last reading.
    `unverified_executions` are those that SSM listed and that were not verified.
    `older_since` and `absent_since` say since when the list shows an older execution
    of a type than was verified, or does not show the type.
    `unverified_fingerprint` belongs to the last reading, empty if it was verified;
    `fingerprint_since` says when that was first read.
    `is_newer` says that this version cannot read the row, usually a newer one's, so that
    only its id is known.
    `runs` has the times at which scans saw a new execution of any type, the last
    nine (`list_runs`); what the node's clock says does not count. `checks` has the
    numbers of checks, compliant ones included, of the last eight executions
    (`list_checks`). Both are packed: a fleet has 100,000 of them.
    """

    instance_id: str
    executions: Mapping[str, Execution] = field(default_factory=dict)
    severities: Mapping[Severity, int] = field(default_factory=dict)
    passed_types: tuple[str, ...] = ()
    open_list: bytes | None = b""
    unchecked: int = 0
    in_turn: int = 0
    unchecked_since: datetime | None = None
    missing_since: datetime | None = None
    unverified_since: datetime | None = None
    untitled: int = 0
    unverified_executions: Mapping[str, Execution] = field(default_factory=dict)
    older_since: Mapping[str, datetime] = field(default_factory=dict)
    absent_since: Mapping[str, datetime] = field(default_factory=dict)
    unverified_fingerprint: str = ""
    fingerprint_since: datetime | None = None
    is_newer: bool = False
    runs: bytes = b""
    checks: bytes = b""

    @property
    def open_findings(self) -> int:
        """The number of its stored findings."""
        return sum(self.severities.values())

    @property
    def last_read(self) -> datetime | None:
        """The time of the newest verified execution; None before the first."""
        return max((run.at for run in self.executions.values()), default=None)

    @property
    def checked_at(self) -> datetime | None:
        """When everything that is stored of it was last verified; None before the first time.

        That is the time of its last verified execution, with several types the
        oldest of theirs. A time ahead of our clock counts as when a scan saw it.
        """
        return min((run.at for run in self.executions.values()), default=None)


def list_runs(node: Node) -> tuple[int, ...]:
    """Lists when new executions of a node were seen, in seconds since 1970, oldest first."""
    number = len(node.runs) // _TIME_BYTES
    return struct.unpack_from(f">{number}I", node.runs)


def list_checks(node: Node) -> tuple[int, ...]:
    """Lists how many checks the last executions of a node had, oldest first."""
    number = len(node.checks) // _CHECKS_BYTES
    return struct.unpack_from(f">{number}H", node.checks)


def has_new_execution(node: Node, report: NodeReport) -> bool:
    """Whether a report shows an execution that the watermark does not have."""
    known = {name: run.key for name, run in node.executions.items()}
    return any(known.get(name) != run.key for name, run in report.executions.items())


def add_run(node: Node, report: NodeReport, now: datetime) -> Node:
    """Returns the node with one more execution, which was seen now.

    The checks of a node with several types are those of all of them.
    """
    at = int(now.timestamp())
    runs = list_runs(node)
    if len(runs) > 1 and at - runs[-2] < _SAME_SIGN.total_seconds():
        runs = runs[:-1]
    runs = (*runs, at)[-USUAL_RUNS - 1 :]
    number = sum(row.compliant + row.execution.count for row in report.rows)
    checks = (*list_checks(node), min(max(number, 0), _MOST_CHECKS))[-USUAL_RUNS:]
    return replace(
        node,
        runs=struct.pack(f">{len(runs)}I", *runs),
        checks=struct.pack(f">{len(checks)}H", *checks),
    )


def is_partial(node: Node) -> bool:
    """Whether the last execution had fewer than half of the node's usual checks."""
    checks = list_checks(node)
    return bool(checks) and 2 * checks[-1] < max(checks)


class MissingNodes(Struct, frozen=True):
    """The known nodes that are missing from a complete list.

    newly: missing for the first time, with `missing_since` set · gone: to be
    removed with their findings · braked: too many are missing, so none may be
    removed · total: all that are missing.
    """

    newly: tuple[Node, ...]
    gone: tuple[Node, ...]
    braked: bool
    total: int


def judge_report(node: Node | None, report: NodeReport, now: datetime) -> NodeReport:
    """Compares the rows that SSM lists of a node with its stored row.

    Each execution gets the time at which it was first seen. A row with an older
    execution than the newest one known does not count for `IGNORE_OLDER`: a list may
    lag behind. Then it counts, because the node's clock may have been set back. The
    absence of a type counts after `GONE_AFTER`. Both times are of the type alone,
    and begin anew after the list has shown it as it should be. A type that is not
    verified yet counts as well, because it may have shown new findings.
    """
    node = node or Node(report.instance_id)
    rows, flawed = (
        tuple(replace(row, execution=_note_sighting(node, row, now)) for row in listed_rows)
        for listed_rows in (report.rows, report.flawed)
    )
    older_since = {
        row.folded_type: _keep_since(node.older_since.get(row.folded_type), now)
        for row in rows
        if any(row.execution.at < each.at for each in _list_known(node, row))
    }
    listed = {row.folded_type for row in (*rows, *flawed)}
    absent_since = {
        name: _keep_since(node.absent_since.get(name), now)
        for name in {**node.executions, **node.unverified_executions}
        if name not in listed
    }
    uncounted = {
        name: Doubt.OLDER_EXECUTION
        for name, since in older_since.items()
        if now - since < IGNORE_OLDER
    } | {
        name: Doubt.TYPE_NOT_LISTED
        for name, since in absent_since.items()
        if now - since < GONE_AFTER
    }
    return replace(
        report,
        rows=tuple(row for row in rows if row.folded_type not in uncounted),
        flawed=flawed,
        uncounted=uncounted,
        older_since=older_since,
        absent_since=absent_since,
    )


def _note_sighting(node: Node, row: SummaryRow, now: datetime) -> Execution:
    """Returns the execution of a row with the time at which it was first seen.

    The first one of a type may have been there for long, so its own time counts if
    that is not ahead of ours.
    """
    known = _list_known(node, row)
    for each in known:
        if each.key == row.execution.key:
            return replace(row.execution, seen_at=each.seen_at)
    return replace(row.execution, seen_at=now if known else min(row.execution.executed_at, now))


def _list_known(node: Node, row: SummaryRow) -> list[Execution]:
    """Lists what is known of the type of a row: the verified execution, and the other one."""
    runs = (node.executions, node.unverified_executions)
    return [each[row.folded_type] for each in runs if row.folded_type in each]


def _keep_since(stored: datetime | None, now: datetime) -> datetime:
    """Returns since when something is so. A stored time ahead of a clock that was set back ends."""
    return min(stored or now, now)


def note_listed(node: Node, report: NodeReport, now: datetime) -> Node:
    """Returns the row of a node that is listed, with what follows from that alone.

    A node that was missing is to be read again, even if this scan does not come to it.
    """
    return replace(
        node,
        missing_since=None,
        unverified_since=node.unverified_since or (now if node.missing_since else None),
        older_since=report.older_since,
        absent_since=report.absent_since,
    )


def note_verified(node: Node, report: NodeReport) -> Node:
    """Returns the row after a verified reading."""
    return replace(
        node,
        executions=report.executions,
        missing_since=None,
        unverified_since=None,
        unverified_executions={},
        older_since={},
        absent_since={},
        unverified_fingerprint="",
        fingerprint_since=None,
    )


def note_unverified(node: Node, report: NodeReport, fingerprint: str, now: datetime) -> Node:
    """Returns the row after a reading that is in doubt. An empty fingerprint changes none."""
    fingerprint = fingerprint or node.unverified_fingerprint
    is_same = fingerprint == node.unverified_fingerprint
    since = _keep_since(node.fingerprint_since if is_same else None, now)
    return replace(
        note_listed(node, report, now),
        unverified_since=_keep_since(node.unverified_since, now),
        unverified_executions=_list_unverified(node, report),
        unverified_fingerprint=fingerprint,
        fingerprint_since=since if fingerprint else None,
    )


def _list_unverified(node: Node, report: NodeReport) -> dict[str, Execution]:
    """Lists what SSM has listed and nobody verified, also of types that do not count now."""
    flawed = {row.folded_type: row.execution for row in report.flawed}
    kept = flawed.keys() | report.uncounted.keys()
    runs = {
        **{name: run for name, run in flawed.items() if name not in node.executions},
        **{name: run for name, run in node.unverified_executions.items() if name in kept},
        **report.executions,
    }
    return {name: run for name, run in runs.items() if run != node.executions.get(name)}


def has_changed(node: Node | None, report: NodeReport) -> bool:
    """Whether to read a node: it is new, unverified, was missing, or has other executions."""
    if node is None or node.missing_since or node.unverified_since or report.doubt:
        return True
    return dict(node.executions) != report.executions


def find_last_report(node: Node | None, report: NodeReport) -> datetime:
    """Returns when the node last reported: when its newest execution was first seen.

    A row that is ignored counts as the newest execution known. `NEVER` if there is none.
    """
    node = node or Node(report.instance_id)
    runs = {**node.executions, **node.unverified_executions, **report.executions}
    return max((run.seen_at or run.executed_at for run in runs.values()), default=NEVER)


def find_settled_fingerprint(node: Node | None, now: datetime) -> str:
    """Returns the fingerprint that settles a doubt if it is read again; empty if it is too young.

    What counts is when it was first read.
    """
    if node is None or node.fingerprint_since is None:
        return ""
    return node.unverified_fingerprint if now - node.fingerprint_since >= SETTLED_AFTER else ""


def select_for_reading(
    nodes: Mapping[str, Node], present: Mapping[str, NodeReport], *, full: bool
) -> tuple[NodeReport, ...]:
    """Selects the nodes to read, in order: new, then least recently read, then unverified.

    Unverified nodes come last because they may stay so however often they are read.
    """

    def by_urgency(report: NodeReport) -> tuple[bool, bool, float, str]:
        node = nodes.get(report.instance_id)
        last_read = node.last_read if node else None
        is_unverified = node is not None and node.unverified_since is not None
        at = last_read.timestamp() if last_read else 0.0
        return is_unverified, last_read is not None, at, report.instance_id

    chosen = (
        report
        for instance_id, report in present.items()
        if full or has_changed(nodes.get(instance_id), report)
    )
    return tuple(sorted(chosen, key=by_urgency))


def judge_missing(
    nodes: Mapping[str, Node],
    present: Mapping[str, NodeReport],
    now: datetime,
    *,
    accept_missing: bool,
    braked_before: bool = False,
) -> MissingNodes:
    """Judges the known nodes that are missing from a complete list.

    `accept_missing` says that a person confirms that they are gone. It releases
    the brake and does not wait for a second list. `braked_before` says that the
    brake was announced: it then holds while any node is missing.
    """
    absent = [node for instance_id, node in nodes.items() if instance_id not in present]
    too_many = len(absent) > BRAKE_NODES and 2 * len(absent) >= len(nodes)
    suspicious = not present or too_many or braked_before
    braked = bool(absent) and suspicious and not accept_missing
    gone = tuple(
        node
        for node in absent
        if accept_missing or (node.missing_since and now - node.missing_since >= GONE_AFTER)
    )
    return MissingNodes(
        newly=tuple(
            replace(node, missing_since=now)
            for node in absent
            if (node.missing_since is None or node.missing_since > now) and not accept_missing
        ),
        gone=() if braked else gone,
        braked=braked,
        total=len(absent),
    )


class Silence(Struct, frozen=True):
    """The nodes without a sign of life.

    since: silent node to when its last execution was seen · returned: nodes that were
    announced as silent and report again · gone: nodes that left and are in no message
    yet · missing: nodes that SSM does not list and that have not left, none under the
    brake · growing: others are about to fall silent too.
    """

    since: Mapping[str, datetime] = field(default_factory=dict)
    returned: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    missing: frozenset[str] = frozenset()
    growing: bool = False


class _Pace:
    """How often the nodes of a fleet report."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        self._nodes = nodes

    def limit(self, node: Node) -> timedelta:
        """Returns after which time without a new execution a node is silent."""
        gaps = _list_gaps(node)
        longest = max(gaps, default=0)
        if len(gaps) < 2:  # noqa: PLR2004 - one gap is no habit
            longest = max(longest, self._median)
        return min(max(timedelta(seconds=2 * longest), SHORTEST_SILENCE), LONGEST_SILENCE)

    @cached_property
    def _median(self) -> int:
        """The median of all known gaps, in seconds, rounded up to hours, which are few."""
        hours = Counter(-(-gap // 3600) for node in self._nodes for gap in _list_gaps(node))
        ordered = sorted(hours.elements())
        return ordered[len(ordered) // 2] * 3600 if ordered else int(UNKNOWN_GAP.total_seconds())


def _list_gaps(node: Node) -> list[int]:
    gaps = (later - earlier for earlier, later in pairwise(list_runs(node)))
    return [gap for gap in gaps if gap >= _SHORTEST_GAP.total_seconds()]


def find_last_sign(node: Node) -> datetime | None:
    """Returns when the last verified execution was seen; None before the first."""
    runs = list_runs(node)
    return datetime.fromtimestamp(runs[-1], UTC) if runs else node.last_read


def judge_silence(
    nodes: Mapping[str, Node],
    present: Mapping[str, NodeReport],
    now: datetime,
    *,
    announced: AbstractSet[str],
    leaving: AbstractSet[str],
    braked: bool,
) -> Silence:
    """Judges the nodes without a sign of life. `nodes` are the rows after a scan.

    An execution that could not be verified is a sign of life too. A missing node is
    none: it leaves after an hour, or it is there again. `announced` are the nodes that
    the channel believes to be silent, `leaving` those that were missing, or that
    were removed by this scan or are gone without a word.
    """
    since: dict[str, datetime] = {}
    longest_overdue, is_followed = timedelta(), False
    pace = _Pace(nodes.values())
    for instance_id, node in nodes.items():
        last = find_last_sign(node)
        if last is None or now - last + FOLLOWING < SHORTEST_SILENCE:
            continue
        report = present.get(instance_id)
        if report is None:
            if instance_id in announced:
                since[instance_id] = last
            continue
        overdue = now - last - pace.limit(node)
        # of a flawed row nobody knows the execution, and an older one may be a new one of a clock
        # that was set back, so the node is unverified, not silent
        is_unknown = bool(report.flawed or report.uncounted) and instance_id not in announced
        if overdue < -FOLLOWING or has_new_execution(node, report) or is_unknown:
            continue
        if overdue < timedelta():
            is_followed = True
            continue
        since[instance_id] = last
        if instance_id not in announced:
            longest_overdue = max(longest_overdue, overdue)
    return Silence(
        since=since,
        returned=tuple(sorted((announced & present.keys()) - since.keys())),
        gone=tuple(sorted(leaving - nodes.keys() - present.keys())),
        missing=frozenset() if braked else frozenset(nodes.keys() - present.keys()),
        growing=is_followed and longest_overdue < LONGEST_WAIT,
    )


def sum_severities(nodes: Iterable[Node]) -> dict[Severity, int]:
    """Sums the open findings of all nodes by severity, worst first, without zeros."""
    totals = dict.fromkeys(Severity, 0)
    for node in nodes:
        for severity, count in node.severities.items():
            totals[severity] += count
    return {severity: count for severity, count in totals.items() if count}
