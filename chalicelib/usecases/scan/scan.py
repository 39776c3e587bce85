"""Syncs the store with SSM Compliance: gather, plan, read, compare, apply, sum up."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice

from chalicelib.domain.compliance import CERTAIN, Doubt, NodeReport, group_reports
from chalicelib.domain.finding import Finding  # noqa: TC001 - annotates a local, like the others
from chalicelib.domain.node import (
    MissingNodes,
    Node,
    has_lost_type,
    judge_missing,
    select_for_reading,
    sum_severities,
)
from chalicelib.domain.scan import SETTLING_TIME, Coverage, Outcome
from chalicelib.domain.snooze import Snooze
from chalicelib.usecases.context import Context, Run
from chalicelib.usecases.scan.apply import NodeChange, apply_changes, compare_node, remove_node
from chalicelib.usecases.scan.read import Reading, list_summaries, open_reader, split_into_chunks
from chalicelib.usecases.scan.stored import NodeLookup, StoredFindings

# Gone nodes are removed in batches of this size; the deadline is checked between them.
GONE_BATCH = 100
# A report from further in the future comes from a wrong clock, and answers no execution.
CLOCK_SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class FleetState:
    """The fleet as SSM lists it and as it is stored. `snoozes` None: they cannot be read."""

    present: Mapping[str, NodeReport]
    nodes: Mapping[str, Node]
    snoozes: tuple[Snooze, ...] | None


@dataclass(frozen=True, slots=True)
class ScanPlan:
    """What a scan has to do: the nodes to read, in order, and the verdict on missing nodes.

    `postponed` counts gone nodes that this scan must not remove.
    """

    to_read: tuple[NodeReport, ...]
    missing: MissingNodes
    postponed: int = 0

    def list_lookups(self, nodes: Mapping[str, Node]) -> Iterator[NodeLookup]:
        """Lists the nodes whose stored findings are needed, in the order of their comparison."""
        for report in self.to_read:
            node = nodes.get(report.instance_id)
            yield NodeLookup(report.instance_id, node.open_findings if node else 0, report.count)
        for gone in self.missing.gone:
            yield NodeLookup(gone.instance_id, gone.open_findings)


@dataclass(frozen=True, slots=True)
class ChunkResult:
    """The readings of a chunk of nodes, and the changes that they make."""

    readings: tuple[Reading, ...]
    changes: tuple[NodeChange, ...]


def sync_store(context: Context, run: Run, snoozes: tuple[Snooze, ...] | None) -> Outcome:
    """Brings the store to what SSM shows, as far as time allows, and returns what changed."""
    fleet = gather_fleet(context, run, snoozes)
    now = context.clock()
    plan = plan_scan(fleet, run, now)
    nodes = dict(fleet.nodes)
    readings: list[Reading] = []
    new: list[Finding] = []
    fixed = gone = 0
    for chunk in read_and_compare(context, run, fleet, plan, now):
        apply_changes(context, run.scan_id, chunk.changes, snoozes or (), now, marked=bool(new))
        readings.extend(chunk.readings)
        for change in chunk.changes:
            new.extend(change.diff.new)
            if change.after:
                fixed += len(change.diff.removed)
                nodes[change.after.instance_id] = change.after
            else:
                gone += len(change.diff.removed)
                del nodes[change.before.instance_id]
    context.nodes.put(plan.missing.newly)
    return Outcome(
        scan_id=run.scan_id,
        at=now,
        new=tuple(new),
        fixed=fixed,
        gone=gone,
        by_severity=sum_severities(nodes.values()),
        coverage=sum_up_coverage(fleet, plan, readings, nodes, now),
    )


def gather_fleet(context: Context, run: Run, snoozes: tuple[Snooze, ...] | None) -> FleetState:
    """Reads the complete list of SSM and every node row."""
    present = group_reports(list_summaries(context.compliance, context.clock, run.read_until))
    nodes = {node.instance_id: node for node in context.nodes.all()}
    return FleetState(present, nodes, snoozes)


def plan_scan(fleet: FleetState, run: Run, now: datetime) -> ScanPlan:
    """Chooses which nodes to read and judges which are missing; pure."""
    missing = judge_missing(
        fleet.nodes,
        fleet.present,
        now,
        accept_missing=run.options.accept_missing,
        braked_before=run.braked_before,
    )
    to_read = select_for_reading(fleet.nodes, fleet.present, full=run.options.full)
    if fleet.snoozes is None:
        # a fix may end a snooze, so nothing is removed while snoozes cannot be read
        return ScanPlan(to_read, replace(missing, gone=()), postponed=len(missing.gone))
    return ScanPlan(to_read, missing)


def read_and_compare(
    context: Context, run: Run, fleet: FleetState, plan: ScanPlan, now: datetime
) -> Iterator[ChunkResult]:
    """Yields readings and changes chunk by chunk, until everything is done or time is up."""
    nodes = fleet.nodes
    stored = StoredFindings(context.findings, nodes, plan.list_lookups(nodes))
    earlier = {
        node.instance_id: node.unverified_fingerprint
        for node in nodes.values()
        if node.unverified_fingerprint
    }
    # a concurrency of one also means one call at a time to the tables
    parallel = context.concurrency > 1
    chunks = split_into_chunks(plan.to_read)
    with open_reader(context.compliance, context.concurrency, context.clock, earlier) as reader:
        for chunk in reader.read(chunks, run.read_until, ahead=parallel):
            if parallel:
                stored.prepare(report.instance_id for report in chunk.reports)
            readings = tuple(add_stored_doubts(each, fleet, now) for each in chunk.readings())
            findings = stored.look_up(readings)
            yield ChunkResult(
                readings,
                tuple(
                    compare_node(each, nodes.get(node_id), findings[node_id], run.scan_id, now)
                    for each in readings
                    for node_id in (each.report.instance_id,)
                ),
            )
    for batch in _split_into_batches(plan.missing.gone):
        if context.clock() >= run.read_until:
            return
        findings = stored.look_up_gone(batch)
        changes = (remove_node(node, findings[node.instance_id], run.scan_id) for node in batch)
        yield ChunkResult((), tuple(changes))


def add_stored_doubts(reading: Reading, fleet: FleetState, now: datetime) -> Reading:
    """Adds what the store says against removing findings by this reading; pure."""
    if reading.doubt:
        return reading
    if fleet.snoozes is None:
        return replace(reading, doubt=Doubt.SNOOZES_UNREADABLE)
    if has_lost_type(fleet.nodes.get(reading.report.instance_id), reading.report, now):
        return replace(reading, doubt=Doubt.TYPE_NOT_LISTED)
    return reading


def sum_up_coverage(
    fleet: FleetState,
    plan: ScanPlan,
    readings: Sequence[Reading],
    nodes: Mapping[str, Node],
    now: datetime,
) -> Coverage:
    """Sums up what the scan saw; `nodes` are the node rows after it. Pure."""
    unverified = _find_unverified(fleet, readings, nodes)
    removed = sum(node.instance_id not in nodes for node in plan.missing.gone)
    not_removed = len(plan.missing.gone) - removed + plan.postponed
    return Coverage(
        known=len(nodes.keys() | fleet.present.keys()),
        reports={
            node: report.executed_at
            for node, report in fleet.present.items()
            if report.executed_at <= now + CLOCK_SKEW
        },
        read=len(readings),
        verified=sum(not each.doubt for each in readings),
        deferred=len(plan.to_read) - len(readings) + not_removed,
        unverified=unverified,
        settling=_find_settling(unverified, nodes, now),
        untitled=sum(node.untitled for node in nodes.values()),
        missing=plan.missing.total,
        braked=plan.missing.braked,
        gone=removed,
    )


def _find_unverified(
    fleet: FleetState, readings: Sequence[Reading], nodes: Mapping[str, Node]
) -> dict[str, Doubt]:
    """Maps unverified nodes to the reason, also those that left the list unverified."""
    unverified = {each.report.instance_id: each.doubt for each in readings if each.doubt}
    for instance_id, node in nodes.items():
        if node.unverified_since and instance_id not in fleet.present:
            unverified[instance_id] = Doubt.NOT_LISTED
    return unverified


def _find_settling(
    unverified: Mapping[str, Doubt], nodes: Mapping[str, Node], now: datetime
) -> frozenset[str]:
    """Finds doubts that may pass by themselves, as of a node that reported while it was read."""
    return frozenset(
        instance_id
        for instance_id, doubt in unverified.items()
        if doubt not in CERTAIN
        and now - (nodes[instance_id].unverified_since or now) < SETTLING_TIME
    )


def _split_into_batches(nodes: Iterable[Node]) -> Iterator[tuple[Node, ...]]:
    rest = iter(nodes)
    while batch := tuple(islice(rest, GONE_BATCH)):
        yield batch
