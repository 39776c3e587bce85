"""The service over simulated ports: tables as a complete scan left them, then all ran again."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from bench.simulation.clock import SimulatedClock
from bench.simulation.fleet import TYPE, Ran
from bench.simulation.ledger import CountedJournal, Metered
from bench.simulation.meter import Meter
from bench.simulation.outputs import CheckedFiles, KeptChannel
from bench.simulation.ssm import SimulatedSsm
from bench.simulation.tables import FindingTable, NodeTable
from chalicelib.domain.job import Job, JobKind
from chalicelib.reports.csv_file import render_csv
from chalicelib.reports.slack_message import Origin, render_alert, render_monthly
from chalicelib.usecases.context import Context
from chalicelib.usecases.ports import Renderer
from devstack.environment import ACCOUNT, ASSOCIATION, REGION
from tests.fakes import (
    MemoryLease,
    MemoryLedger,
    MemoryNodes,
    MemorySnoozes,
    MemorySorter,
    MemoryWork,
)

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
# The runs of the checks: the stored one, and the one that everything shows since.
BEFORE, NOW = START - timedelta(days=1), START - timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Service:
    """A context whose time is simulated, and what stands behind it."""

    now: Ran
    clock: SimulatedClock
    meter: Meter
    ssm: SimulatedSsm
    findings: FindingTable
    nodes: MemoryNodes
    journal: CountedJournal
    files: CheckedFiles
    channel: KeptChannel
    context: Context

    @property
    def left(self) -> int:
        """Nodes of which another run than the present one is stored."""
        executions = {TYPE.casefold(): self.now.execution}
        return sum(row.executions != executions for row in self.nodes.all())


def service(nodes: int, rate: float) -> Service:
    """The fleet has run again, all its findings are others, and the event of it has come."""
    clock, now = SimulatedClock(START), Ran("run-2", NOW, nodes)
    meter = Meter(clock)
    findings, rows = FindingTable(meter), MemoryNodes()
    for node, stored in Ran("run-1", BEFORE, nodes).stored("scan-1"):
        rows.put([node])
        findings.load(stored)
    ledger, origin = MemoryLedger(), Origin(ACCOUNT, REGION, "simulation", "UTC")
    ssm, journal = SimulatedSsm(now, clock, rate), CountedJournal(meter)
    files, channel = CheckedFiles(clock), KeptChannel(clock)
    context = Context(
        compliance=ssm,
        findings=findings,
        nodes=NodeTable(rows, meter),
        lease=Metered(MemoryLease(ledger), meter),
        work=Metered(MemoryWork(ledger), meter),
        snoozes=Metered(MemorySnoozes(ledger), meter),
        journal=journal,
        files=files,
        sorter=MemorySorter(),
        channel=channel,
        renderer=Renderer(
            alert=partial(render_alert, origin=origin),
            monthly=partial(render_monthly, origin=origin),
            csv=render_csv,
        ),
        clock=clock,
        # time is the sum of all calls in any case; one thread keeps their order nearly the same
        concurrency=1,
    )
    context.work.enqueue(
        Job(
            key=f"{ASSOCIATION}#{NOW.isoformat()}",
            kind=JobKind.EXECUTION,
            event_at=START,
            enqueued_at=START,
            association_id=ASSOCIATION,
            status="Success",
            executed_at=NOW,
            nodes={"Success": nodes},
        )
    )
    return Service(now, clock, meter, ssm, findings, rows, journal, files, channel, context)
