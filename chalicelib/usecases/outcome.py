"""What a pass has seen and written, summed up; pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from chalicelib.domain.alert import SETTLING_TIME
from chalicelib.domain.node import Node, sum_severities
from chalicelib.domain.outcome import Coverage, Outcome
from chalicelib.domain.proof import CERTAIN, Doubt
from chalicelib.usecases.apply import Tally
from chalicelib.usecases.plan import FleetState, ScanPlan
from chalicelib.usecases.read import Reading

# A report from further in the future is that of a wrong clock, and answers for nobody.
CLOCK_SKEW = timedelta(minutes=5)


def summarize_scan(
    gathered: FleetState,
    plan: ScanPlan,
    read: Sequence[Reading],
    nodes: Mapping[str, Node],
    tally: Tally,
    now: datetime,
) -> Outcome:
    """Sum up what a pass has seen and written; pure."""
    unverified = _doubts(gathered, read, nodes)
    removed = sum(node.instance_id not in nodes for node in plan.missing.gone)
    waiting = len(plan.missing.gone) - removed + plan.postponed
    return Outcome(
        scan_id=tally.scan_id,
        at=now,
        new=tuple(tally.new),
        fixed=tally.fixed,
        gone=tally.gone,
        by_severity=sum_severities(nodes.values()),
        coverage=Coverage(
            known=len(nodes.keys() | gathered.present.keys()),
            reports={
                node: report.executed_at
                for node, report in gathered.present.items()
                if report.executed_at <= now + CLOCK_SKEW
            },
            read=len(read),
            verified=sum(not each.doubt for each in read),
            deferred=len(plan.to_read) - len(read) + waiting,
            unverified=unverified,
            settling=_settling(unverified, nodes, now),
            untitled=sum(node.untitled for node in nodes.values()),
            missing=plan.missing.total,
            braked=plan.missing.braked,
            gone=removed,
        ),
    )


def _doubts(
    gathered: FleetState, read: Sequence[Reading], nodes: Mapping[str, Node]
) -> dict[str, Doubt]:
    """Nodes in doubt: those just read, and those that left the list before they were verified."""
    doubts = {each.report.instance_id: each.doubt for each in read if each.doubt}
    for instance_id, node in nodes.items():
        if node.unverified_since and instance_id not in gathered.present:
            doubts[instance_id] = Doubt.NOT_LISTED
    return doubts


def _settling(
    doubts: Mapping[str, Doubt], nodes: Mapping[str, Node], now: datetime
) -> frozenset[str]:
    """The doubts that may pass by themselves, as a node that reported while it was read."""
    return frozenset(
        instance_id
        for instance_id, doubt in doubts.items()
        if doubt not in CERTAIN
        and now - (nodes[instance_id].unverified_since or now) < SETTLING_TIME
    )
