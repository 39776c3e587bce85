"""What a pass has to do, decided from what was gathered; pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.domain.compliance import NodeReport
from chalicelib.domain.node import (
    MissingNodes,
    Node,
    has_lost_type,
    judge_missing,
    select_for_reading,
)
from chalicelib.domain.proof import Doubt
from chalicelib.domain.snooze import Snooze
from chalicelib.usecases.context import Run
from chalicelib.usecases.lookup import NodeLookup
from chalicelib.usecases.read import Reading


@dataclass(frozen=True, slots=True)
class FleetState:
    """The fleet as SSM lists it now and as it is stored; snoozes None: they cannot be read."""

    present: Mapping[str, NodeReport]
    nodes: Mapping[str, Node]
    snoozes: tuple[Snooze, ...] | None


@dataclass(frozen=True, slots=True)
class ScanPlan:
    """What a pass has to do: nodes to read in order, and what became of absent ones.

    `postponed` counts gone nodes that may not be removed in this pass.
    """

    to_read: tuple[NodeReport, ...]
    missing: MissingNodes
    postponed: int = 0

    def wanted(self, nodes: Mapping[str, Node]) -> Iterator[NodeLookup]:
        """The nodes whose stored findings are compared, in the order in which they are."""
        for report in self.to_read:
            node = nodes.get(report.instance_id)
            yield NodeLookup(report.instance_id, node.open_findings if node else 0, report.count)
        for gone in self.missing.gone:
            yield NodeLookup(gone.instance_id, gone.open_findings)


def plan_scan(gathered: FleetState, order: Run, now: datetime) -> ScanPlan:
    """Choose what to read and judge what is absent; pure."""
    absent = judge_missing(
        gathered.nodes,
        gathered.present,
        now,
        accept_missing=order.accept_missing,
        braked_before=order.braked_before,
    )
    reading = select_for_reading(gathered.nodes, gathered.present, full=order.full)
    if gathered.snoozes is None:
        return ScanPlan(reading, replace(absent, gone=()), postponed=len(absent.gone))
    return ScanPlan(reading, absent)


def add_stored_doubts(reading: Reading, gathered: FleetState, now: datetime) -> Reading:
    """The reading with what else speaks against resolving by it; pure."""
    if reading.doubt:
        return reading
    if gathered.snoozes is None:
        return replace(reading, doubt=Doubt.SNOOZES_UNREADABLE)
    if has_lost_type(gathered.nodes.get(reading.report.instance_id), reading.report, now):
        return replace(reading, doubt=Doubt.TYPE_NOT_LISTED)
    return reading
