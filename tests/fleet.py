"""A fleet and a service in memory: what tests of the pass are written in."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from chalicelib.domain.announcement import Alert
from chalicelib.domain.compliance import Item
from chalicelib.domain.job import Job, JobKind
from chalicelib.domain.message import Rendered
from chalicelib.domain.monthly import MonthlyReport
from chalicelib.domain.snooze import ListedFinding, Reason, Snooze
from chalicelib.usecases.context import DEFAULT_OPTIONS, Context, Inbox, Options
from chalicelib.usecases.ports import Renderer
from chalicelib.usecases.run import ScanReport, run_scans
from tests.fakes import (
    MemoryArchive,
    MemoryChannel,
    MemoryCompliance,
    MemoryFiles,
    MemoryFindings,
    MemoryJournal,
    MemoryLease,
    MemoryLedger,
    MemoryNodes,
    MemorySnoozes,
    MemorySorter,
    MemoryWork,
)

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
TYPE = "Custom:InSpec"
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def item(
    title: str | None = "SSH must not allow root",
    *,
    execution: str = "run-1",
    severity: str | None = "HIGH",
    item_id: str | None = "ssh-01",
    compliance_type: str = TYPE,
) -> Item:
    """A non-compliant item."""
    return Item(compliance_type, execution, item_id, title, severity)


def snooze(**fields: object) -> Snooze:
    """A pair snooze over the first day, unless told otherwise."""
    usual = Snooze(
        id="s-1",
        instance_id="i-1",
        title="SSH must not allow root",
        starts_at=START,
        ends_at=START + timedelta(days=1),
        until_resolved=False,
        reason=Reason.FIX_SCHEDULED,
        comment="ticket 42",
        created_by="first",
        created_via="api",
        created_at=START,
    )
    return replace(usual, **fields)  # type: ignore[arg-type]


@dataclass
class FakeClock:
    """A clock that stands still until it is moved."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, by: timedelta) -> None:
        self.now += by


def _text(alert: Alert) -> Rendered:
    titles = ",".join(line.finding.title for line in alert.lines.announced)
    return Rendered(f"{alert.topic}: {titles}", ({"type": "divider"},))


def _monthly(report: MonthlyReport) -> Rendered:
    return Rendered(f"monthly: {report.total}", ({"type": "divider"},))


def _csv(rows: Iterable[ListedFinding]) -> Iterator[bytes]:
    yield "\n".join(row.finding.title for row in rows).encode()


@dataclass
class Service:
    """The whole service over memory, and the fleet that it watches."""

    clock: FakeClock = field(default_factory=FakeClock)
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    compliance: MemoryCompliance = field(default_factory=MemoryCompliance)
    findings: MemoryFindings = field(default_factory=MemoryFindings)
    nodes: MemoryNodes = field(default_factory=MemoryNodes)
    files: MemoryFiles = field(default_factory=MemoryFiles)
    channel: MemoryChannel = field(default_factory=MemoryChannel)
    quiet_answers: bool = True

    @property
    def context(self) -> Context:
        return Context(
            compliance=self.compliance,
            findings=self.findings,
            nodes=self.nodes,
            lease=MemoryLease(self.ledger),
            work=MemoryWork(self.ledger),
            snoozes=MemorySnoozes(self.ledger),
            journal=MemoryJournal(self.ledger),
            files=self.files,
            sorter=MemorySorter(),
            channel=self.channel,
            renderer=Renderer(alert=_text, monthly=_monthly, csv=_csv),
            clock=self.clock,
            concurrency=2,
            quiet_answers=self.quiet_answers,
        )

    @property
    def inbox(self) -> Inbox:
        """What the API sees of the same service."""
        return Inbox(
            findings=self.findings,
            nodes=self.nodes,
            snoozes=MemorySnoozes(self.ledger),
            work=MemoryWork(self.ledger),
            archive=MemoryArchive(self.ledger),
            clock=self.clock,
            longest=timedelta(days=180),
        )

    @property
    def said(self) -> list[str]:
        """The texts posted so far."""
        return [post.text for post in self.channel.posts]

    def report(
        self,
        node: str,
        *titles: str,
        run: str = "run-1",
        compliant: int = 1,
        severity: str = "HIGH",
    ) -> None:
        """Let a node report these titles as non-compliant, now."""
        items = [item(title, execution=run, severity=severity) for title in titles]
        self.compliance.put(node, TYPE, run, self.clock.now, items, compliant=compliant)

    def enqueue(
        self,
        association: str = "a-1",
        nodes: dict[str, int] | None = None,
        ago: timedelta = timedelta(),
    ) -> Job:
        """Let an association execution that began then be owed an answer."""
        began = self.clock.now - ago
        job = Job(
            key=f"{association}#{began.isoformat()}",
            kind=JobKind.EXECUTION,
            event_at=began,
            enqueued_at=self.clock.now,
            association_id=association,
            status="Success",
            executed_at=began,
            nodes=nodes or {},
        )
        self.context.work.enqueue(job)
        return job

    def enqueue_month(self) -> None:
        """Let a monthly report be owed."""
        now = self.clock.now
        key = f"monthly#{now:%Y-%m-%d}"
        self.context.work.enqueue(Job(key=key, kind=JobKind.MONTHLY, event_at=now, enqueued_at=now))

    def run(self, wish: Options = DEFAULT_OPTIONS, minutes: float = 15) -> ScanReport:
        """Make one pass with this much time."""
        reports = run_scans(self.context, self.clock.now + timedelta(minutes=minutes), wish)
        assert len(reports) == 1
        return reports[0]

    def titles(self, node: str | None = None) -> list[str]:
        """The titles stored, of one node or of all."""
        stored = self.findings.all() if node is None else iter(self.findings.of_node(node))
        return sorted(finding.title for finding in stored)
