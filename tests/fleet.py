"""A service in memory and the fleet that it watches, for tests of whole scans."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from chalicelib.adapters.s3 import S3Output
from chalicelib.adapters.slack import SlackOutput
from chalicelib.domain.announcement import Alert
from chalicelib.domain.compliance import Item
from chalicelib.domain.history import ChangedFinding
from chalicelib.domain.monthly import MonthlyReport
from chalicelib.domain.scan import Job, JobKind, Outcome
from chalicelib.domain.snooze import ListedFinding, Reason, Snooze
from chalicelib.domain.snooze_rules import SnoozeLimits
from chalicelib.domain.summary import AlertSummary, TitleSummary, summarize_alert
from chalicelib.reports.slack_blocks import Rendered
from chalicelib.usecases.announce.deliver import StepResult
from chalicelib.usecases.context import DEFAULT_OPTIONS, Bounds, Context, Inbox, Options
from chalicelib.usecases.inventory import WarmInventory
from chalicelib.usecases.ports import Output
from chalicelib.usecases.run import ScanReport, run_scans
from tests.fakes import (
    MemoryArchive,
    MemoryChannel,
    MemoryCompliance,
    MemoryControls,
    MemoryExecutions,
    MemoryFacts,
    MemoryFiles,
    MemoryFindings,
    MemoryJournal,
    MemoryLease,
    MemoryLedger,
    MemoryNodes,
    MemorySnoozes,
    MemorySorter,
    MemoryTitles,
    MemoryUnchecked,
    MemoryWork,
)
from tests.webhook import Receiver, WebhookFacts, WebhookMessages

# The kinds of the steps: the name of a step without that of a file.
POST, FILE, STORE = "slack.post", "slack.file", "s3.store"
START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
TYPE = "Custom:InSpec"
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def make_item(
    title: str | None = "SSH must not allow root",
    *,
    execution: str = "run-1",
    severity: str | None = "HIGH",
    item_id: str | None = "ssh-01",
    compliance_type: str = TYPE,
) -> Item:
    """Returns a non-compliant item."""
    return Item(compliance_type, execution, item_id, title, severity)


def kind_of(result: StepResult) -> str:
    """Returns the kind of the step that was tried."""
    return result.step.partition(":")[0]


def make_snooze(**fields: Any) -> Snooze:
    """Returns a snooze of one finding on the first day, with these fields changed."""
    snooze = Snooze(
        id="s-1",
        instance_id="i-1",
        title="SSH must not allow root",
        starts_at=START,
        ends_at=START + DAY,
        until_resolved=False,
        reason=Reason.FIX_SCHEDULED,
        comment="ticket 42",
        created_by="first",
        created_via="api",
        created_at=START,
    )
    return replace(snooze, **fields)


@dataclass
class FakeClock:
    """A clock that stands still until a test moves it."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, by: timedelta) -> None:
        """Moves the clock forward."""
        self.now += by


def _summarize(alert: Alert) -> AlertSummary:
    """Summarizes an alert, and names every finding."""
    findings = (line.finding for line in alert.lines.announced)
    titles = tuple(
        TitleSummary(each.title, each.severity, 1, each.instance_id) for each in findings
    )
    return replace(summarize_alert(alert), titles=titles)


def _render_alert(alert: AlertSummary) -> Rendered:
    titles = ",".join(each.title for each in alert.titles)
    return Rendered(f"{alert.topic}: {titles}", ({"type": "divider"},))


def _render_monthly(report: MonthlyReport) -> Rendered:
    return Rendered(f"monthly: {report.total}", ({"type": "divider"},))


def _render_csv(rows: Iterable[ListedFinding]) -> Iterator[bytes]:
    yield "\n".join(row.finding.title for row in rows).encode()


def _render_announced(rows: Iterable[tuple[ListedFinding, str]]) -> Iterator[bytes]:
    return _render_csv(row for row, _ in rows)


def _render_changes(rows: Iterable[ChangedFinding]) -> Iterator[bytes]:
    yield "\n".join(f"{row.kind} {row.finding.title}" for row in rows).encode()


@dataclass
class Service:
    """The whole service in memory, and the fleet that it watches.

    An alert's text is `<topic>: <title>,<title>`, a month's `monthly: <findings>`. The
    block of an alert has the numbers `fixed` and `gone`.
    A CSV has one title in a line and no header. `webhook` adds a third output.
    """

    clock: FakeClock = field(default_factory=FakeClock)
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    compliance: MemoryCompliance = field(default_factory=MemoryCompliance)
    executions: MemoryExecutions = field(default_factory=MemoryExecutions)
    findings: MemoryFindings = field(default_factory=MemoryFindings)
    nodes: MemoryNodes = field(default_factory=MemoryNodes)
    titles: MemoryTitles = field(default_factory=MemoryTitles)
    unchecked: MemoryUnchecked = field(default_factory=MemoryUnchecked)
    files: MemoryFiles = field(default_factory=MemoryFiles)
    controls: MemoryControls = field(default_factory=MemoryControls)
    channel: MemoryChannel = field(default_factory=MemoryChannel)
    quiet_answers: bool = True
    bounds: Bounds = field(default_factory=Bounds)
    limits: SnoozeLimits = field(default_factory=lambda: SnoozeLimits(timedelta(days=180)))
    webhook: Receiver | None = None

    @property
    def context(self) -> Context:
        """The ports of a scan."""
        return Context(
            compliance=self.compliance,
            executions=self.executions,
            findings=self.findings,
            nodes=self.nodes,
            titles=self.titles,
            unchecked=self.unchecked,
            facts=MemoryFacts(self.ledger, self.nodes, self.findings, self.unchecked),
            lease=MemoryLease(self.ledger),
            work=MemoryWork(self.ledger),
            snoozes=MemorySnoozes(self.ledger),
            journal=self.journal,
            files=self.files,
            controls=self.controls.texts,
            sorter=MemorySorter(),
            outputs=self.outputs,
            fact_outputs=(WebhookFacts(self.webhook),) if self.webhook else (),
            render_csv=_render_csv,
            render_announced=_render_announced,
            render_changes=_render_changes,
            clock=self.clock,
            summarize=_summarize,
            concurrency=2,
            quiet_answers=self.quiet_answers,
            bounds=self.bounds,
        )

    @property
    def outputs(self) -> tuple[Output, ...]:
        """The real outputs, over a channel and a bucket in memory."""
        return (
            SlackOutput(self.channel, _render_alert, _render_monthly),
            S3Output(self.files, "memory"),
            *([WebhookMessages(self.webhook)] if self.webhook else []),
        )

    @property
    def inbox(self) -> Inbox:
        """The ports of the API."""
        return Inbox(
            findings=self.findings,
            nodes=self.nodes,
            unchecked=self.unchecked,
            snoozes=MemorySnoozes(self.ledger),
            work=MemoryWork(self.ledger),
            archive=MemoryArchive(self.ledger),
            clock=self.clock,
            limits=self.limits,
            inventory=WarmInventory(self.nodes, self.titles, MemoryArchive(self.ledger)),
            controls=self.controls,
        )

    @property
    def journal(self) -> MemoryJournal:
        """The finished part of the ledger."""
        return MemoryJournal(self.ledger)

    @property
    def messages(self) -> list[str]:
        """The texts posted to the channel, oldest first."""
        return [post.text for post in self.channel.posts]

    def report(
        self,
        node: str,
        *titles: str,
        run: str = "run-1",
        compliant: int = 1,
        severity: str = "HIGH",
        passed: Sequence[str] | None = None,
        compliance_type: str = TYPE,
        control: str = "ssh-01",
        ahead: timedelta = timedelta(),
    ) -> None:
        """Lets a node report these titles as non-compliant, now. All are of one control.

        `passed` None: what failed before passes, unless `compliant` is 0. `ahead` is how
        much its clock is ahead of ours.
        """

        def make(title: str) -> Item:
            kind = compliance_type
            return make_item(
                title, execution=run, severity=severity, item_id=control, compliance_type=kind
            )

        items = [make(title) for title in titles]
        shown = None if passed is None else [make(title) for title in passed]
        at = self.clock.now + ahead
        self.compliance.put(
            node, compliance_type, run, at, items, compliant=compliant, passed=shown
        )

    def report_numbered(
        self, run: str, failed: Sequence[str], passed: Sequence[str], severity: str = "HIGH"
    ) -> None:
        """Lets i-1 report as AWS's reporter does: Ids of one control with a running index."""
        items = [
            make_item(title, execution=run, severity=severity, item_id=f"c-{number}")
            for number, title in enumerate((*failed, *passed))
        ]
        self.compliance.put(
            "i-1",
            TYPE,
            run,
            self.clock.now,
            items[: len(failed)],
            compliant=len(passed),
            passed=items[len(failed) :],
        )

    def add_snooze(self, **fields: Any) -> Snooze:
        """Stores the snooze of `make_snooze`."""
        snooze = make_snooze(**fields)
        self.ledger.snoozes[snooze.id] = snooze
        return snooze

    def enqueue(
        self,
        association: str = "a-1",
        nodes: dict[str, int] | None = None,
        ago: timedelta = timedelta(),
        targets: dict[str, str] | None = None,
        *,
        status: str = "Success",
        later: timedelta = timedelta(),
    ) -> Job:
        """Enqueues an association execution that began `ago`; `nodes` are its counts by status.

        `targets` are nodes with their status, as SSM lists them; without them it lists none.
        Its event comes so much `later`.
        """
        began = self.clock.now - ago
        if targets is not None:
            self.executions.put(association, began, targets.items())
        job = Job(
            key=f"{association}#{began.isoformat()}",
            kind=JobKind.EXECUTION,
            event_at=began + later,
            enqueued_at=self.clock.now,
            association_id=association,
            status=status,
            executed_at=began,
            nodes=nodes or {},
        )
        self.context.work.enqueue(job)
        return job

    def enqueue_month(self) -> None:
        """Enqueues the monthly report of today."""
        now = self.clock.now
        key = f"monthly#{now:%Y-%m-%d}"
        self.context.work.enqueue(Job(key=key, kind=JobKind.MONTHLY, event_at=now, enqueued_at=now))

    def run(
        self, options: Options = DEFAULT_OPTIONS, minutes: float = 15, **ports: Any
    ) -> ScanReport:
        """Runs one scan that has this much time. `ports` replace ports of the context."""
        context = replace(self.context, **ports)
        (report,) = run_scans(context, self.clock.now + timedelta(minutes=minutes), options)
        return report

    def run_to_outcome(self, options: Options = DEFAULT_OPTIONS, minutes: float = 15) -> Outcome:
        """Runs one scan that reads the fleet, and returns its outcome."""
        outcome = self.run(options, minutes).outcome
        assert outcome is not None
        return outcome

    def list_titles(self, node: str | None = None) -> list[str]:
        """Lists the titles of the stored findings, of one node or of all, sorted."""
        stored = self.findings.all()
        return sorted(each.title for each in stored if node in (None, each.instance_id))

    def list_jobs(self) -> tuple[Job, ...]:
        """Lists the jobs that wait, oldest first."""
        return self.context.work.open().jobs
