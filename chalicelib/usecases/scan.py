"""The pass: gather, decide, read, compare, apply. What to say of it is decided in stage.py."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice

from chalicelib.domain.alert import SETTLE, Coverage, Outcome
from chalicelib.domain.compliance import Report, reports
from chalicelib.domain.node import Missing, Node, fleet_severities, missing, to_read
from chalicelib.domain.proof import CERTAIN, Doubt
from chalicelib.domain.snooze import Snooze
from chalicelib.usecases.apply import NodeChange, Tally, apply, change_of, change_of_gone
from chalicelib.usecases.read import Reading, chunks, reader
from chalicelib.usecases.stored import Stored
from chalicelib.usecases.world import Order, World

# Gone nodes are removed so many at a time, so that the deadline is looked at in between.
GONE_CHUNK = 100
# A report from further in the future is that of a wrong clock, and answers for nobody.
CLOCK_SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Gathered:
    """The fleet as SSM lists it now and as it is stored; snoozes None: they cannot be read."""

    present: Mapping[str, Report]
    nodes: Mapping[str, Node]
    snoozes: tuple[Snooze, ...] | None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a pass has to do: nodes to read in order, and what became of absent ones.

    `postponed` counts gone nodes that may not be removed in this pass.
    """

    to_read: tuple[Report, ...]
    missing: Missing
    postponed: int = 0

    def touches_most_of(self, known: int) -> bool:
        """Whether reading the findings table once is cheaper than asking node by node."""
        return 2 * (len(self.to_read) + len(self.missing.gone)) > known


def scan(world: World, order: Order, snoozes: tuple[Snooze, ...] | None) -> Outcome:
    """Bring the store to what SSM shows, as far as the time allows, and say what changed."""
    gathered = gather(world, snoozes)
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


def gather(world: World, snoozes: tuple[Snooze, ...] | None) -> Gathered:
    """Read the complete list of SSM and every node row."""
    present = reports(world.compliance.summaries())
    nodes = {node.instance_id: node for node in world.nodes.all()}
    return Gathered(present, nodes, snoozes)


def decide(gathered: Gathered, order: Order, now: datetime) -> Plan:
    """Choose what to read and judge what is absent; pure."""
    absent = missing(
        gathered.nodes,
        gathered.present,
        now,
        accept_missing=order.accept_missing,
        braked_before=order.braked_before,
    )
    reading = to_read(gathered.nodes, gathered.present, full=order.full)
    if gathered.snoozes is None:
        return Plan(reading, replace(absent, gone=()), postponed=len(absent.gone))
    return Plan(reading, absent)


def without_resolving(reading: Reading) -> Reading:
    """The reading as one that resolves nothing: a fix may end a snooze that cannot be read."""
    return replace(reading, doubt=reading.doubt or Doubt.SNOOZES_UNREADABLE)


def work_through(
    world: World, order: Order, gathered: Gathered, plan: Plan, now: datetime
) -> Iterator[tuple[tuple[Reading, ...], list[NodeChange]]]:
    """Readings and changes, chunk by chunk, until everything is done or the time is up."""
    nodes = gathered.nodes
    wanted = {report.instance_id for report in plan.to_read}
    wanted.update(node.instance_id for node in plan.missing.gone)
    stored = Stored(
        world.findings, nodes, wanted, whole=plan.touches_most_of(len(nodes.keys() | wanted))
    )
    earlier = {node.instance_id: node.doubtful_reading for node in nodes.values()}
    with reader(world.compliance, world.concurrency, world.clock, earlier) as nodes_reader:
        for chunk in chunks(plan.to_read):
            if world.clock() >= order.read_until:
                return
            readings = nodes_reader.read(chunk, order.read_until)
            if gathered.snoozes is None:
                readings = tuple(without_resolving(each) for each in readings)
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


def outcome_of(
    gathered: Gathered,
    plan: Plan,
    read: Sequence[Reading],
    nodes: Mapping[str, Node],
    tally: Tally,
    now: datetime,
) -> Outcome:
    """Sum up what a pass has seen and written; pure."""
    unproven = _doubts(gathered, read, nodes)
    removed = sum(node.instance_id not in nodes for node in plan.missing.gone)
    waiting = len(plan.missing.gone) - removed + plan.postponed
    return Outcome(
        scan_id=tally.scan_id,
        at=now,
        opened=tuple(tally.opened),
        resolved=tally.resolved,
        by_severity=fleet_severities(nodes.values()),
        coverage=Coverage(
            known=len(nodes.keys() | gathered.present.keys()),
            reports={
                node: report.executed_at
                for node, report in gathered.present.items()
                if report.executed_at <= now + CLOCK_SKEW
            },
            read=len(read),
            left=len(plan.to_read) - len(read) + waiting,
            unproven=unproven,
            settling=_settling(unproven, nodes, now),
            untitled=sum(node.untitled for node in nodes.values()),
            missing=plan.missing.total,
            braked=plan.missing.braked,
            gone=removed,
        ),
    )


def _doubts(
    gathered: Gathered, read: Sequence[Reading], nodes: Mapping[str, Node]
) -> dict[str, Doubt]:
    """Nodes in doubt: those just read, and those that left the list before they were proven."""
    doubts = {each.report.instance_id: each.doubt for each in read if each.doubt}
    for instance_id, node in nodes.items():
        if node.unproven_since and instance_id not in gathered.present:
            doubts[instance_id] = Doubt.NOT_LISTED
    return doubts


def _settling(
    doubts: Mapping[str, Doubt], nodes: Mapping[str, Node], now: datetime
) -> frozenset[str]:
    """The doubts that may pass by themselves, as a node that reported while it was read."""
    return frozenset(
        instance_id
        for instance_id, doubt in doubts.items()
        if doubt not in CERTAIN and now - (nodes[instance_id].unproven_since or now) < SETTLE
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
