"""What a pass has to do, decided from what was gathered; pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.domain.compliance import Report
from chalicelib.domain.node import Missing, Node, lost_type, missing, to_read
from chalicelib.domain.proof import Doubt
from chalicelib.domain.snooze import Snooze
from chalicelib.usecases.lookup import Wanted
from chalicelib.usecases.read import Reading
from chalicelib.usecases.world import Order


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

    def wanted(self, nodes: Mapping[str, Node]) -> Iterator[Wanted]:
        """The nodes whose stored findings are compared, in the order in which they are."""
        for report in self.to_read:
            node = nodes.get(report.instance_id)
            yield Wanted(report.instance_id, node.open_findings if node else 0, report.count)
        for gone in self.missing.gone:
            yield Wanted(gone.instance_id, gone.open_findings)


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


def judge(reading: Reading, gathered: Gathered, now: datetime) -> Reading:
    """The reading with what else speaks against resolving by it; pure."""
    if reading.doubt:
        return reading
    if gathered.snoozes is None:
        return replace(reading, doubt=Doubt.SNOOZES_UNREADABLE)
    if lost_type(gathered.nodes.get(reading.report.instance_id), reading.report, now):
        return replace(reading, doubt=Doubt.TYPE_NOT_LISTED)
    return reading
