"""The scan of a pass: gather, decide, read, compare, apply. What to say of it: stage.py."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice

from chalicelib.domain.compliance import reports
from chalicelib.domain.node import Node
from chalicelib.domain.outcome import Outcome
from chalicelib.domain.snooze import Snooze
from chalicelib.usecases.apply import NodeChange, Tally, apply, change_of, change_of_gone
from chalicelib.usecases.outcome import outcome_of
from chalicelib.usecases.plan import Gathered, Plan, decide, judge
from chalicelib.usecases.read import Reading, chunks, reader, rows_in_time
from chalicelib.usecases.stored import Stored
from chalicelib.usecases.world import Order, World

# Gone nodes are removed so many at a time, so that the deadline is looked at in between.
GONE_CHUNK = 100


def scan(world: World, order: Order, snoozes: tuple[Snooze, ...] | None) -> Outcome:
    """Bring the store to what SSM shows, as far as the time allows, and say what changed."""
    gathered = gather(world, order, snoozes)
    now = world.clock()
    plan = decide(gathered, order, now)
    tally = Tally(order.scan_id)
    nodes = dict(gathered.nodes)
    read: list[Reading] = []
    for readings, changes in work_through(world, order, gathered, plan, now):
        apply(world, changes, snoozes or (), tally, now)
        read.extend(readings)
        _follow(nodes, changes)
    world.nodes.put(plan.missing.newly)
    return outcome_of(gathered, plan, read, nodes, tally, now)


def gather(world: World, order: Order, snoozes: tuple[Snooze, ...] | None) -> Gathered:
    """Read the complete list of SSM and every node row."""
    present = reports(rows_in_time(world.compliance, world.clock, order.read_until))
    nodes = {node.instance_id: node for node in world.nodes.all()}
    return Gathered(present, nodes, snoozes)


def work_through(
    world: World, order: Order, gathered: Gathered, plan: Plan, now: datetime
) -> Iterator[tuple[tuple[Reading, ...], list[NodeChange]]]:
    """Readings and changes, chunk by chunk, until everything is done or the time is up."""
    nodes = gathered.nodes
    stored = Stored(world.findings, nodes, plan.wanted(nodes))
    earlier = {
        node.instance_id: node.doubtful_reading for node in nodes.values() if node.doubtful_reading
    }
    with reader(world.compliance, world.concurrency, world.clock, earlier) as nodes_reader:
        # one call at a time, where that is wished for, means the calls to the tables as well
        at_once = world.concurrency > 1
        for begun in nodes_reader.read(chunks(plan.to_read), order.read_until, ahead=at_once):
            if at_once:
                stored.prepare(report.instance_id for report in begun.reports)
            readings = tuple(judge(each, gathered, now) for each in begun.readings())
            held = stored.of(readings)
            yield (
                readings,
                [
                    change_of(each, nodes.get(instance_id), held[instance_id], order.scan_id, now)
                    for each in readings
                    for instance_id in (each.report.instance_id,)
                ],
            )
    for gone in _batches(plan.missing.gone):
        if world.clock() >= order.read_until:
            return
        held = stored.of_gone(gone)
        yield (
            (),
            [change_of_gone(node, held[node.instance_id], order.scan_id) for node in gone],
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
