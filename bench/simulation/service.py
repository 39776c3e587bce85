"""The service with a simulated clock: a stored complete scan, after which all nodes ran again."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from bench.simulation.clock import Meter, SimulatedClock
from bench.simulation.fleet import TYPE, FleetRun, SimulatedSsm
from bench.simulation.tables import (
    CountingJournal,
    FactTable,
    FindingTable,
    MeteredPort,
    NodeTable,
)
from chalicelib.adapters.s3 import S3Output
from chalicelib.adapters.slack import SlackOutput
from chalicelib.domain.errors import DeliveryError
from chalicelib.domain.scan import Job, JobKind
from chalicelib.reports.csv_file import render_alert_csv, render_changes_csv, render_csv
from chalicelib.reports.slack_alert import render_alert
from chalicelib.reports.slack_blocks import Origin, Rendered
from chalicelib.reports.slack_monthly import render_monthly
from chalicelib.usecases.context import Context
from devstack.environment import ACCOUNT, ASSOCIATION, REGION
from tests.fakes import (
    MemoryExecutions,
    MemoryFacts,
    MemoryLease,
    MemoryLedger,
    MemoryNodes,
    MemorySnoozes,
    MemorySorter,
    MemoryTitles,
    MemoryUnchecked,
    MemoryWork,
)

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
# The time of the stored run, and of the run that SSM shows.
BEFORE, NOW = START - timedelta(days=1), START - timedelta(minutes=5)
# Seconds of a call to S3 or Slack.
OUTPUT_CALL = 0.5
# The end of a CSV's name that holds what left.
CHANGES = "-changes.csv"
# The finding id in a line of a CSV, after its opening quote.
ID = slice(1, 33)


@dataclass(frozen=True, slots=True)
class StoredCsv:
    """The header of a CSV, its finding ids as numbers, and its number of rows."""

    header: str
    finding_ids: frozenset[int]
    rows: int


class CsvIndex:
    """`Files` that keep the finding ids of each CSV. Nothing can be read back."""

    def __init__(self, clock: SimulatedClock) -> None:
        self.stored: dict[str, StoredCsv] = {}
        self._clock = clock

    def put(self, key: str, content: Iterable[bytes]) -> None:
        """Parse a CSV. One of changes is only read."""
        if key.endswith(CHANGES):
            deque(content, maxlen=0)
            self._clock.advance(OUTPUT_CALL)
            return
        header, *lines = b"".join(content).decode("utf-8-sig").splitlines()
        ids = frozenset(int(line[ID], 16) for line in lines)
        self.stored[key] = StoredCsv(header, ids, len(lines))
        self._clock.advance(OUTPUT_CALL)

    def get(self, key: str) -> Iterator[bytes]:
        """Always DeliveryError, as from a bucket that lost the object."""
        raise DeliveryError(f"NoSuchKey {key}", retryable=False)


class RecordingChannel:
    """A `Channel` that keeps texts and counts files."""

    id = "simulated"

    def __init__(self, clock: SimulatedClock) -> None:
        self.texts: list[str] = []
        self.files = 0
        self._clock = clock

    def post(self, rendered: Rendered, thread: str | None = None) -> str:  # noqa: ARG002 - counted only
        """Keep a text."""
        self.texts.append(rendered.text)
        self._clock.advance(OUTPUT_CALL)
        return f"thread-{len(self.texts)}"

    def attach(self, thread: str | None, name: str, title: str, content: bytes) -> str:  # noqa: ARG002 - counted only
        """Count a file that is not one of changes."""
        self.files += not name.endswith(CHANGES)
        self._clock.advance(OUTPUT_CALL)
        return f"file-{self.files}"

    def identity(self) -> str:
        """Always the same."""
        return self.id


@dataclass(frozen=True, slots=True)
class SimulatedService:
    """The context of a scan, and everything behind its ports. `now` is the run that SSM shows."""

    now: FleetRun
    clock: SimulatedClock
    meter: Meter
    ssm: SimulatedSsm
    findings: FindingTable
    nodes: MemoryNodes
    journal: CountingJournal
    files: CsvIndex
    channel: RecordingChannel
    context: Context

    def count_deferred(self) -> int:
        """The number of nodes whose stored run is not the present one."""
        present = self.now.execution.key
        return sum(row.executions[TYPE.casefold()].key != present for row in self.nodes.all())


def build_service(nodes: int, rate: float) -> SimulatedService:
    """A fleet that ran again with different findings, and the job of that execution."""
    clock, now = SimulatedClock(START), FleetRun("run-2", NOW, nodes, before="run-1")
    meter = Meter(clock)
    findings, rows = FindingTable(meter), MemoryNodes()
    for node, stored in FleetRun("run-1", BEFORE, nodes).build_stored("scan-1"):
        rows.put([node])
        findings.load(stored)
    unchecked = MemoryUnchecked()
    ledger, origin = MemoryLedger(), Origin(ACCOUNT, REGION, "simulation", "UTC")
    ssm, journal = SimulatedSsm(now, clock, rate), CountingJournal(meter)
    files, channel = CsvIndex(clock), RecordingChannel(clock)
    context = Context(
        compliance=ssm,
        executions=MemoryExecutions(),
        findings=findings,
        nodes=NodeTable(rows, meter),
        titles=MeteredPort(MemoryTitles(), meter),
        unchecked=MeteredPort(unchecked, meter),
        facts=FactTable(MemoryFacts(ledger, rows, findings, unchecked), journal, meter),
        lease=MeteredPort(MemoryLease(ledger), meter),
        work=MeteredPort(MemoryWork(ledger), meter),
        snoozes=MeteredPort(MemorySnoozes(ledger), meter),
        journal=journal,
        files=files,
        controls={},
        sorter=MemorySorter(),
        outputs=(
            SlackOutput(
                channel,
                partial(render_alert, origin=origin),
                partial(render_monthly, origin=origin),
            ),
            S3Output(files, "simulated"),
        ),
        render_csv=render_csv,
        render_announced=render_alert_csv,
        render_changes=render_changes_csv,
        clock=clock,
        # the clock adds up all calls anyway; one thread keeps their order nearly the same
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
    return SimulatedService(
        now, clock, meter, ssm, findings, rows, journal, files, channel, context
    )
