"""The scan of a pass: gather, decide, read, compare, apply. What to say of it: stage.py."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice

from chalicelib.domain.compliance import group_reports
from chalicelib.domain.node import Node
from chalicelib.domain.outcome import Outcome
from chalicelib.domain.snooze import Snooze
from chalicelib.usecases.apply import NodeChange, Tally, apply_changes, compare_node, remove_node
from chalicelib.usecases.context import Context, Run
from chalicelib.usecases.outcome import summarize_scan
from chalicelib.usecases.plan import FleetState, ScanPlan, add_stored_doubts, plan_scan
from chalicelib.usecases.read import Reading, list_summaries, open_reader, split_into_chunks
from chalicelib.usecases.stored import StoredFindings

# Gone nodes are removed so many at a time, so that the deadline is looked at in between.
GONE_CHUNK = 100


def sync_store(context: Context, order: Run, snoozes: tuple[Snooze, ...] | None) -> Outcome:
    """Bring the store to what SSM shows, as far as the time allows, and say what changed."""
    gathered = gather_fleet(context, order, snoozes)
    now = context.clock()
    plan = plan_scan(gathered, order, now)
    tally = Tally(order.scan_id)
    nodes = dict(gathered.nodes)
    read: list[Reading] = []
    for readings, changes in read_and_compare(context, order, gathered, plan, now):
        apply_changes(context, changes, snoozes or (), tally, now)
        read.extend(readings)
        _follow(nodes, changes)
    context.nodes.put(plan.missing.newly)
    return summarize_scan(gathered, plan, read, nodes, tally, now)


def gather_fleet(context: Context, order: Run, snoozes: tuple[Snooze, ...] | None) -> FleetState:
    """Read the complete list of SSM and every node row."""
    present = group_reports(list_summaries(context.compliance, context.clock, order.read_until))
    nodes = {node.instance_id: node for node in context.nodes.all()}
    return FleetState(present, nodes, snoozes)


def read_and_compare(
    context: Context, order: Run, gathered: FleetState, plan: ScanPlan, now: datetime
) -> Iterator[tuple[tuple[Reading, ...], list[NodeChange]]]:
    """Readings and changes, chunk by chunk, until everything is done or the time is up."""
    nodes = gathered.nodes
    stored = StoredFindings(context.findings, nodes, plan.wanted(nodes))
    earlier = {
        node.instance_id: node.unverified_fingerprint
        for node in nodes.values()
        if node.unverified_fingerprint
    }
    with open_reader(
        context.compliance, context.concurrency, context.clock, earlier
    ) as nodes_reader:
        # one call at a time, where that is wished for, means the calls to the tables as well
        at_once = context.concurrency > 1
        for begun in nodes_reader.read(
            split_into_chunks(plan.to_read), order.read_until, ahead=at_once
        ):
            if at_once:
                stored.prepare(report.instance_id for report in begun.reports)
            readings = tuple(add_stored_doubts(each, gathered, now) for each in begun.readings())
            held = stored.of(readings)
            yield (
                readings,
                [
                    compare_node(
                        each, nodes.get(instance_id), held[instance_id], order.scan_id, now
                    )
                    for each in readings
                    for instance_id in (each.report.instance_id,)
                ],
            )
    for gone in _batches(plan.missing.gone):
        if context.clock() >= order.read_until:
            return
        held = stored.of_gone(gone)
        yield (
            (),
            [remove_node(node, held[node.instance_id], order.scan_id) for node in gone],
        )


def _follow(nodes: dict[str, Node], changes: Iterable[NodeChange]) -> None:
    """Keep the picture of the node table as it is after these changes."""
    for change in changes:
        if change.after:
            nodes[change.after.instance_id] = change.after
        else:
            del nodes[change.before.instance_id]


def _batches(nodes: Iterable[Node]) -> Iterator[tuple[Node, ...]]:
    rest = iter(nodes)
    while batch := tuple(islice(rest, GONE_CHUNK)):
        yield batch
