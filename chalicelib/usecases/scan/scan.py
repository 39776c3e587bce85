"""Syncs the store with SSM Compliance: gather, plan, read, compare, apply, sum up."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import islice

from msgspec import Struct, field
from msgspec.structs import replace

from chalicelib.domain.announcement import ChannelState
from chalicelib.domain.compliance import CERTAIN, Doubt, NodeReport, group_reports
from chalicelib.domain.diff import Evidence, Sight
from chalicelib.domain.errors import ServiceError
from chalicelib.domain.history import ChangedFinding, EventKind, Mark
from chalicelib.domain.node import (
    MissingNodes,
    Node,
    find_last_report,
    is_partial,
    judge_missing,
    judge_report,
    judge_silence,
    note_listed,
    select_for_reading,
    sum_severities,
)
from chalicelib.domain.scan import SETTLING_TIME, Coverage, MutedCount, Outcome
from chalicelib.domain.snooze import Snooze, State, digest_snoozes
from chalicelib.usecases.context import Context, Run
from chalicelib.usecases.inventory import Inventory
from chalicelib.usecases.ports import OpenWork
from chalicelib.usecases.scan.apply import ChangeWriter
from chalicelib.usecases.scan.compare import (
    Comparison,
    Names,
    NodeChange,
    accept_unchecked,
    compare_nodes,
    remove_node,
)
from chalicelib.usecases.scan.lists import fill_lists
from chalicelib.usecases.scan.read import (
    NO_ITEMS,
    Reading,
    list_summaries,
    open_reader,
    read_targets,
    split_into_chunks,
)
from chalicelib.usecases.scan.recover import recover_marks


class FleetState(Struct, frozen=True):
    """The fleet as SSM lists it and as it is stored. `snoozes` None: they cannot be read.

    absent: listed findings without a row in the findings table, by node, as far as
    the table was read · unlisted: the number of rows there that no list had · newer:
    nodes whose rows a newer version wrote; the scan does not touch them.
    """

    present: Mapping[str, NodeReport]
    nodes: Mapping[str, Node]
    snoozes: tuple[Snooze, ...] | None
    absent: Mapping[str, frozenset[str]] = field(default_factory=dict)
    unlisted: int = 0
    newer: frozenset[str] = frozenset()


class ScanPlan(Struct, frozen=True):
    """What a scan has to do: the nodes to read, in order, and the verdict on missing nodes.

    `postponed` counts gone nodes that this scan must not remove.
    """

    to_read: tuple[NodeReport, ...]
    missing: MissingNodes
    postponed: int = 0


class ChunkResult(Struct, frozen=True):
    """The readings of a chunk of nodes, and the changes that they make."""

    readings: tuple[Reading, ...]
    changes: Sequence[NodeChange]


class Synced(Struct, frozen=True):
    """The result of a scan. `list_changes` yields what happened, as often as it is called.

    `target_errors` say why the targets of executions could not be read.
    """

    outcome: Outcome
    list_changes: Callable[[], Iterator[ChangedFinding]]
    target_errors: tuple[ServiceError, ...] = ()


def sync_store(
    context: Context, run: Run, work: OpenWork, snoozes: tuple[Snooze, ...] | None
) -> Synced:
    """Brings the store to what SSM shows, as far as time allows, and returns what changed."""
    writer = ChangeWriter(context, run.scan_id, work.last_fact)
    # before the list: a target that has succeeded by now has its report in the list
    targets = read_targets(context.executions, work.jobs)
    fleet = gather_fleet(context, run, snoozes, work.marks)
    if work.marks:
        nodes = recover_marks(context, writer, work.marks, fleet.nodes, fleet.newer)
        fleet = replace(fleet, nodes=nodes)
        writer.note_recovered()
    now = context.clock()
    fleet = judge_reports(fleet, now)
    plan = plan_scan(fleet, run, now)
    fleet = note_list(context, fleet, plan, now)
    fleet = replace(fleet, nodes=_accept_unchecked(writer, fleet.nodes, run, now))
    nodes = dict(fleet.nodes)
    readings: list[Reading] = []
    for chunk in read_and_compare(context, run, fleet, plan, now, writer.names):
        writer.apply(chunk.changes, now)
        # what the nodes show is stored by now, and need not stay in memory
        readings.extend(replace(each, folded=NO_ITEMS, shown={}) for each in chunk.readings)
        for change in chunk.changes:
            if change.after:
                nodes[change.after.instance_id] = change.after
            else:
                del nodes[change.before.instance_id]
    is_as_before = not writer.has_settled and work.channel_state.facts == writer.last
    known = work.day.muted if work.day and is_as_before else None
    outcome = Outcome(
        scan_id=run.scan_id,
        at=now,
        new=writer.take(EventKind.NEW),
        worse=writer.take(EventKind.WORSE),
        returned=tuple(writer.returned),
        changes=dict(writer.counts),
        alternating=tuple(sorted(writer.alternating)),
        by_severity=sum_severities(nodes.values()),
        coverage=replace(
            sum_up_coverage(fleet, plan, readings, nodes, now, work.channel_state),
            targets=targets.by_job,
        ),
        repaired=fleet.unlisted + sum(map(len, fleet.absent.values())),
        before=work.last_fact,
        last=writer.last,
        unchecked=sum(each.unchecked for each in nodes.values()),
        muted=count_muted(context, writer.names, nodes.values(), snoozes, known),
        fixed_ages=dict(writer.fixed_ages),
    )
    return Synced(outcome, writer.list_changes, targets.errors)


def _accept_unchecked(
    writer: ChangeWriter, nodes: Mapping[str, Node], run: Run, now: datetime
) -> dict[str, Node]:
    """Forgets what a person accepts as not checked any more, and returns the nodes after that."""
    acceptance = run.options.accept_unchecked
    if acceptance is None:
        return dict(nodes)
    found = (accept_unchecked(node, acceptance, writer.names, now) for node in nodes.values())
    changes = [each for each in found if each]
    writer.apply(changes, now)
    return {**nodes, **{each.before.instance_id: each.after for each in changes if each.after}}


def gather_fleet(
    context: Context,
    run: Run,
    snoozes: tuple[Snooze, ...] | None,
    marks: Sequence[Mark],
) -> FleetState:
    """Reads the complete list of SSM and every node row, with its list of findings.

    `marks` name what is left to `recover_marks`.
    """
    rows = list_summaries(context.compliance, context.clock, run.read_until)
    present = group_reports(rows, context.clock())
    nodes = {node.instance_id: node for node in context.nodes.all()}
    newer = frozenset(node.instance_id for node in nodes.values() if node.is_newer)
    full = run.options.full
    if full:
        newer = frozenset()
    present = {key: each for key, each in present.items() if key not in newer}
    nodes = {key: each for key, each in nodes.items() if key not in newer}
    fleet = FleetState(present, nodes, snoozes, newer=newer)
    if full or any(node.open_list is None for node in nodes.values()):
        lists = fill_lists(context, nodes, present, marks, full=full)
        return replace(fleet, nodes=lists.nodes, absent=lists.absent, unlisted=lists.unlisted)
    return fleet


def judge_reports(fleet: FleetState, now: datetime) -> FleetState:
    """Decides which rows of the list count, by what is stored of their nodes; pure."""
    present = {
        instance_id: judge_report(fleet.nodes.get(instance_id), report, now)
        for instance_id, report in fleet.present.items()
    }
    return replace(fleet, present=present)


def note_list(context: Context, fleet: FleetState, plan: ScanPlan, now: datetime) -> FleetState:
    """Stores what follows from the complete list alone: what is missing, and what is back.

    It comes first, because it holds even if the rest of the scan fails.
    """
    listed = {
        instance_id: note_listed(node, fleet.present[instance_id], now)
        for instance_id, node in fleet.nodes.items()
        if instance_id in fleet.present
    }
    changed = {key: node for key, node in listed.items() if node != fleet.nodes[key]}
    context.nodes.put((*plan.missing.newly, *changed.values()))
    return replace(fleet, nodes={**fleet.nodes, **changed})


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
    context: Context, run: Run, fleet: FleetState, plan: ScanPlan, now: datetime, names: Names
) -> Iterator[ChunkResult]:
    """Yields readings and changes chunk by chunk, until everything is done or time is up."""
    nodes, bounds = fleet.nodes, context.bounds
    proving = find_proving_types(fleet)
    chunks = split_into_chunks(plan.to_read, bounds.chunk_pages)
    with open_reader(context.compliance, context.concurrency, context.clock, nodes) as reader:
        # a concurrency of one also means one call at a time
        for chunk in reader.read(chunks, run.read_until, ahead=context.concurrency > 1):
            readings = tuple(add_stored_doubt(each, fleet) for each in chunk())
            comparisons = (
                Comparison(
                    each,
                    nodes.get(node_id),
                    build_evidence(each, nodes.get(node_id), proving),
                    Sight(each.report.executed_at or now, run.scan_id, now, context.keep_unchecked),
                    fleet.absent.get(node_id, ()),
                )
                for each in readings
                for node_id in (each.report.instance_id,)
            )
            yield ChunkResult(readings, compare_nodes(context, names, comparisons))
    for batch in _split_into_batches(plan.missing.gone, bounds.gone_nodes):
        if context.clock() >= run.read_until:
            return
        yield ChunkResult((), tuple(remove_node(nodes[node.instance_id], now) for node in batch))


def find_proving_types(fleet: FleetState) -> frozenset[str]:
    """Finds the compliance types of which a node has ever shown a passed check."""
    ever = {each for node in fleet.nodes.values() for each in node.passed_types}
    rows = (row for report in fleet.present.values() for row in report.rows if row.compliant)
    return frozenset(ever.union(row.compliance_type.casefold() for row in rows))


def build_evidence(reading: Reading, node: Node | None, proving: frozenset[str]) -> Evidence:
    """Returns what a reading proves about findings that it does not show; pure.

    A fix may end a snooze, so nothing is fixed while snoozes cannot be read.
    """
    withholds_fixes = reading.doubt is Doubt.SNOOZES_UNREADABLE
    if reading.doubt and not withholds_fixes:
        return Evidence()
    executions = node.executions if node else {}
    present = reading.report.executions
    verified = {
        kind: replace(
            shown,
            is_new=kind not in executions
            or executions[kind].execution_id != present[kind].execution_id,
        )
        for kind, shown in reading.shown.items()
    }
    return Evidence(verified, frozenset(), proving, withholds_fixes)


def add_stored_doubt(reading: Reading, fleet: FleetState) -> Reading:
    """Adds what the store says against removing findings by this reading; pure."""
    if reading.doubt is None and fleet.snoozes is None:
        return replace(reading, doubt=Doubt.SNOOZES_UNREADABLE)
    return reading


def sum_up_coverage(
    fleet: FleetState,
    plan: ScanPlan,
    readings: Sequence[Reading],
    nodes: Mapping[str, Node],
    now: datetime,
    state: ChannelState,
) -> Coverage:
    """Sums up what the scan saw; `nodes` are the node rows after it. Pure.

    `state` is what the channel knew before.
    """
    unverified = _find_unverified(fleet, readings, nodes)
    removed = {each.instance_id for each in plan.missing.gone} - nodes.keys()
    not_removed = len(plan.missing.gone) - len(removed) + plan.postponed
    return Coverage(
        known=len(nodes.keys() | fleet.present.keys() | fleet.newer),
        reports={
            node: find_last_report(fleet.nodes.get(node), report)
            for node, report in fleet.present.items()
        },
        read=len(readings),
        verified=sum(not each.doubt for each in readings),
        deferred=len(plan.to_read) - len(readings) + not_removed,
        unverified=unverified,
        settling=_find_settling(unverified, nodes, now),
        untitled=sum(node.untitled for node in nodes.values()),
        missing=plan.missing.total,
        braked=plan.missing.braked,
        gone=len(removed),
        partial=tuple(sorted(name for name, node in nodes.items() if is_partial(node))),
        unchecked={
            node.instance_id: node.unchecked - node.in_turn
            for node in nodes.values()
            if node.unchecked > node.in_turn
        },
        unchecked_since=min(
            (each.unchecked_since for each in nodes.values() if each.unchecked_since), default=None
        ),
        checked_at={name: at for name, node in nodes.items() if (at := node.checked_at)},
        silence=judge_silence(
            nodes,
            fleet.present,
            now,
            announced=state.silent,
            leaving=(state.leaving | removed) - fleet.newer,
            braked=plan.missing.braked,
        ),
    )


def count_muted(
    context: Context,
    names: Names,
    nodes: Iterable[Node],
    snoozes: Sequence[Snooze] | None,
    known: MutedCount | None,
) -> MutedCount | None:
    """Counts the open findings that snoozes mute, in parts of the fleet that memory holds.

    `known` was counted for the same findings. It holds if the snoozes are the same. None if
    something cannot be read: an alert does without this number.
    """
    if snoozes is None:
        return None
    active = [each for each in snoozes if each.state(context.clock()) is State.ACTIVE]
    digest = digest_snoozes(active)
    if known and known.snoozes == digest:
        return known
    parts = _split_into_batches(nodes if active else (), context.bounds.counted_nodes)
    inventories = (Inventory(partial(tuple, part), names.read) for part in parts)
    try:
        return MutedCount(sum(each.count_muted(active) for each in inventories), digest)
    except ServiceError:
        return None


def _find_unverified(
    fleet: FleetState, readings: Sequence[Reading], nodes: Mapping[str, Node]
) -> dict[str, Doubt]:
    """Maps unverified nodes to the reason, also those that left the list unverified."""
    unverified = {each.report.instance_id: each.doubt for each in readings if each.doubt}
    for instance_id, node in nodes.items():
        if node.unverified_since and instance_id not in fleet.present:
            unverified[instance_id] = Doubt.NOT_LISTED
    return unverified | dict.fromkeys(fleet.newer, Doubt.NEWER_ROW)


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


def _split_into_batches(nodes: Iterable[Node], size: int) -> Iterator[tuple[Node, ...]]:
    rest = iter(nodes)
    while batch := tuple(islice(rest, size)):
        yield batch
