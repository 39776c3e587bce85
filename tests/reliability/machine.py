"""A service, its fleet and its vendors, with the checks after every invocation and at rest."""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from hypothesis.stateful import RuleBasedStateMachine

from chalicelib.domain.announcement import Topic
from chalicelib.domain.compliance import NEVER, ItemList
from chalicelib.domain.errors import ServiceError
from chalicelib.domain.scan import Job
from chalicelib.domain.snooze import Reason, Scope
from chalicelib.domain.snooze_rules import SnoozeChange, SnoozeEnd, SnoozeTerms
from chalicelib.usecases.context import DEFAULT_OPTIONS, Author, Options
from chalicelib.usecases.inbox.snoozes import change_snooze, create_snooze, end_snooze
from chalicelib.usecases.run import run_scans
from tests.fakes import MemoryCompliance
from tests.fakes.compliance import CopiedReport
from tests.fleet import DAY, HOUR, MINUTE, TYPE, Service
from tests.reliability.consistency import find_inconsistencies
from tests.reliability.crashing import (
    CrashedError,
    CrashPoint,
    Faults,
    Fuse,
    add_fuse,
    add_fuse_to_inbox,
)
from tests.reliability.model import Model, find_muted_titles, list_messages
from tests.webhook import Receiver

if TYPE_CHECKING:
    from chalicelib.domain.message import OutputState, Trouble
    from chalicelib.usecases.run import ScanReport

LAMBDA = timedelta(minutes=15)
# Enough for the hour of gone nodes, and some more.
SETTLING_SCANS = 12
ONCALL = Author("oncall")
# A second compliance type, and the letters of the titles that only it has.
OTHER, OTHER_LETTERS = "Custom:Other", "XYZ"
# Minutes of a snooze that is still active after `settle_and_check`.
LONG = 5000


class PagedCompliance(MemoryCompliance):
    """Returns the items of a node in two pages. `between_pages` happens once, between them."""

    def __init__(self) -> None:
        super().__init__()
        self.between_pages: dict[str, Callable[[], None]] = {}

    def items(self, instance_id: str, types: Sequence[str]) -> ItemList:
        """Returns the first half of the items as of now, and the second half as of later."""
        first = super().items(instance_id, types).items
        half = (len(first) + 1) // 2
        self.between_pages.pop(instance_id, lambda: None)()
        second = super().items(instance_id, types).items
        return ItemList((*first[:half], *second[half:]), pages=2)


class InboxMachine(RuleBasedStateMachine):
    """The service, the fleet and the vendors around it, and the model of what is announced.

    ssm: the titles that each listed node reported last · untouched: nodes that never
    change · absent_since: when a node left the list · reported_at: when it last reported ·
    main, other: the titles of its two compliance types · lost_since: when the second type
    left the list · ahead: how much the clock of a node is ahead of ours · passed_at: when a
    title was last shown as passed · targets: nodes with their status, by the key of a job ·
    lists_targets: whether SSM lists them · latest_events: the last event of each execution.
    """

    def __init__(self) -> None:
        super().__init__()
        self.compliance = PagedCompliance()
        self.service = Service(compliance=self.compliance, webhook=Receiver())
        self.model = Model(self.service)
        self.ssm: dict[str, frozenset[str]] = {}
        self.targets: dict[str, dict[str, str]] = {}
        self.lists_targets = False
        self.untouched: set[str] = set()
        self.absent_since: dict[str, datetime] = {}
        self.reported_at: dict[str, datetime] = {}
        self.main: dict[str, frozenset[str]] = {}
        self.other: dict[str, frozenset[str]] = {}
        self.lost_since: dict[str, datetime] = {}
        self.ahead: dict[str, timedelta] = {}
        self.passed_at: dict[str, datetime] = {}
        self.runs = 0
        self.latest_events: dict[str, Job] = {}
        self.faults = Faults()
        self.concurrency = 1

    def report_node(
        self,
        node: str,
        letters: set[str],
        severity: str = "HIGH",
        *,
        times: int = 1,
        passed: set[str] | None = None,
    ) -> None:
        """Lets a node report these titles in a new execution, each so many times.

        All others pass, or only these.
        """
        self.main[node] = self.report_type(node, letters, TYPE, severity, times, passed)
        self.ssm[node] = self.main[node] | self.other.get(node, frozenset())

    def report_type(
        self,
        node: str,
        letters: set[str],
        compliance_type: str,
        severity: str = "HIGH",
        times: int = 1,
        passed: set[str] | None = None,
    ) -> frozenset[str]:
        """Lets a node report these titles for a compliance type, and returns them."""
        self.runs += 1
        titles = frozenset(f"{node}/{letter}" for letter in letters)
        # SSM promises no order
        ordered = sorted([*titles] * times, reverse=self.runs % 2 == 0)
        self.service.report(
            node,
            *ordered,
            run=f"run-{self.runs}",
            severity=severity,
            compliance_type=compliance_type,
            ahead=self.ahead.get(node, timedelta()),
            compliant=1 + len(passed or ()),
            passed=None if passed is None else [f"{node}/{letter}" for letter in passed],
        )
        self.note_passed(node)
        if compliance_type == TYPE:
            # the other type may leave the list before a scan has seen it
            self.reported_at[node] = self.service.clock.now
        return titles

    def note_passed(self, node: str) -> None:
        """Notes what SSM shows as passed now."""
        shown = MemoryCompliance.passed_items(self.compliance, node, [TYPE, OTHER])
        self.passed_at.update({str(each.title): self.service.clock.now for each in shown.items})

    def show_report(self, node: str, report: CopiedReport) -> None:
        """Lets SSM show what it showed before."""
        self.compliance.show_report(node, report)
        self.note_passed(node)

    def remove_node(self, node: str) -> None:
        self.service.compliance.remove(node)
        # a return that no scan has seen does not count
        self.absent_since.setdefault(node, self.service.clock.now)
        if self.other.pop(node, None) is not None:
            self.lost_since.setdefault(node, self.service.clock.now)
        del self.ssm[node]

    def snooze(self, node: str, letter: str | None, minutes: int, fuse: Fuse) -> None:
        """Snoozes a pair, a long one until its fix, or a whole node."""
        scope = Scope(node, f"{node}/{letter}" if letter else None)
        terms = SnoozeTerms(
            end=SnoozeEnd(duration=minutes * MINUTE),
            reason=Reason.MAINTENANCE,
            comment="ticket 42",
            until_resolved=letter is not None and minutes == LONG,
        )
        with suppress(ServiceError):
            inbox = add_fuse_to_inbox(self.service.inbox, fuse)
            self.model.note_snooze(create_snooze(inbox, scope, terms, ONCALL))

    def change_snooze(self, snooze_id: str, fuse: Fuse) -> None:
        """Changes the end of a snooze."""
        change = SnoozeChange(end=SnoozeEnd(duration=LONG * MINUTE))
        with suppress(ServiceError):
            inbox = add_fuse_to_inbox(self.service.inbox, fuse)
            self.model.note_snooze(change_snooze(inbox, snooze_id, change, None, ONCALL))

    def unsnooze(self, snooze_id: str, fuse: Fuse) -> None:
        with suppress(ServiceError):
            end_snooze(add_fuse_to_inbox(self.service.inbox, fuse), snooze_id, None, ONCALL)

    def end_outages(self) -> None:
        self.faults.failing.clear()
        self.faults.lost.clear()

    def enqueue(
        self,
        association: str,
        minutes: int = 0,
        others: dict[str, str] | None = None,
        *,
        failed: int = 0,
        later: int = 0,
    ) -> None:
        """Enqueues an execution on every node. `others` have another status than success.

        It began `minutes` ago. Its event came `later` minutes later. A second event may know
        of more nodes that `failed`.
        """
        began = (self.service.clock.now - minutes * MINUTE).isoformat()
        new = dict.fromkeys(self.ssm, "Success") | (others or {})
        targets = self.targets.setdefault(f"{association}#{began}", new)
        targets.update({f"failed-{number}": "Failed" for number in range(failed)})
        job = self.service.enqueue(
            association,
            dict(Counter(targets.values())),
            ago=minutes * MINUTE,
            targets=targets if self.lists_targets else None,
            status="Failed" if "Failed" in targets.values() else "Success",
            later=later * MINUTE,
        )
        latest = self.latest_events.setdefault(job.key, job)
        number, known = job.nodes.get("Failed", 0), latest.nodes.get("Failed", 0)
        if (job.event_at, number) > (latest.event_at, known):
            self.latest_events[job.key] = job

    def is_covered(self, job: Job) -> bool:
        """Whether every target of an execution succeeded, and as many nodes reported since.

        A node has reported if a list showed a new execution of it since. Without a list of
        targets the latest event counts.
        """
        statuses = (
            [*self.targets[job.key].values()]
            if self.lists_targets
            else [*Counter(job.nodes).elements()]
        )
        rows = {row.instance_id: row for row in self.service.nodes.all()}
        runs = {
            node: [*row.executions.values(), *row.unverified_executions.values()]
            for node, row in rows.items()
            if node in self.listed_nodes
        }
        reported = sum(
            any((run.seen_at or NEVER) >= job.since for run in runs[node]) for node in runs
        )
        return set(statuses) == {"Success"} and reported >= len(statuses)

    def invoke(
        self,
        event: Callable[[], object] = lambda: None,
        *,
        point: CrashPoint | None = None,
        meanwhile: tuple[int, Callable[[], object]] | None = None,
        options: Options = DEFAULT_OPTIONS,
        snoozes_change: bool = False,
    ) -> list[str]:
        """Runs one invocation, which may fail or die, and checks it. Returns its calls."""
        event()
        deadline = self.service.clock.now + LAMBDA
        fuse = Fuse(
            point,
            meanwhile=meanwhile,
            faults=self.faults,
            is_alive=lambda: self.service.clock.now < deadline,
        )
        accepted = options.accept_missing
        self.run_and_check(
            lambda: self.run_scans(fuse, options, concurrency=self.concurrency),
            fuse,
            accepted=accepted,
            snoozes_change=snoozes_change,
        )
        return fuse.calls

    def reconcile(self, times: int) -> None:
        for _ in range(times):
            self.service.clock.forward(LAMBDA + MINUTE)
            self.invoke()

    def list_pauses(self) -> list[datetime]:
        """Lists when each output and each message in trouble is tried again."""
        ledger = self.service.ledger
        troubles: list[Trouble | OutputState] = [
            each for message in ledger.messages.values() for each in message.failures.values()
        ]
        return [each.retry_at for each in [*troubles, *ledger.outputs.values()]]

    def wait_for_outputs(self) -> None:
        """Waits until nothing is paused any more, and lets everything be tried again."""
        pauses = self.list_pauses()
        assert max(pauses) - self.service.clock.now <= DAY, "no pause is longer than a day"
        self.service.clock.now = max(*pauses, self.service.clock.now)
        self.reconcile(1)
        assert self.list_pauses() != pauses, "what is tried again works or fails again"

    def run_scans(
        self, fuse: Fuse, options: Options = DEFAULT_OPTIONS, *, concurrency: int = 1
    ) -> None:
        """Runs the scans of one invocation, and checks that an all-clear is true.

        With a concurrency above one, no call may wait for the turn of a program: a
        thread that reads ahead would still wait when the program has ended.
        """
        reports: Sequence[ScanReport] = ()
        before = dict(self.ssm)
        jobs = {job.key: job for job in self.service.list_jobs()}
        with suppress(CrashedError, ServiceError):
            context = add_fuse(self.service.context, fuse, concurrency)
            reports = run_scans(context, self.service.clock.now + LAMBDA, options)
        unchanged = [titles for node, titles in self.ssm.items() if before.get(node) == titles]
        stored = {finding.title for finding in self.service.findings.all()}
        for report in reports:
            if report.announcement.topic is Topic.NOTHING_NEW:
                assert stored >= set().union(*unchanged), "an all-clear needs a complete scan"
                is_true = any(map(self.is_covered, jobs.values()))
                assert is_true, "an all-clear needs a result of every target"

    def run_and_check(
        self,
        run: Callable[[], None],
        fuse: Fuse,
        *,
        snoozes_change: bool = False,
        accepted: bool = False,
    ) -> None:
        """Runs an invocation, and checks what it did to the store and in the channel.

        `snoozes_change` says that people snooze meanwhile, `accepted` that a person has
        accepted the missing nodes.
        """
        began, duplicates = self.service.clock.now, self.model.duplicates
        known = {message.id for message in list_messages(self.service)}
        unreadable, failing, was_empty = self.unreadable, self.failing, not self.listed_nodes
        stored = set(self.model.stored)
        # a list does not show what a node reports after it was read
        reported_at = dict(self.reported_at)
        self.faults.injected.clear()
        run()
        removed = self.model.observe(began)
        missing = {row.instance_id for row in self.service.nodes.all() if row.missing_since}
        for node in self.ssm.keys() - missing:
            self.absent_since.pop(node, None)
        for title, since in self.model.fixed.items():
            assert self.passed_at.get(title, NEVER) >= since, "what is fixed was shown as passed"
        appeared = self.model.stored - stored
        assert appeared <= failing | self.failing, "what is new was shown by SSM"
        self.check_lost_types(removed, failing)
        unread = {node for node in unreadable if self.ssm[node]}
        lost = {title for title in removed if title.partition("/")[0] in unread}
        assert lost == set(), "a node that cannot be read loses no finding, unless it has none"
        assert removed & failing & self.failing == set(), "what fails all the time stays stored"
        if not accepted:
            is_empty = was_empty and not self.listed_nodes
            assert not (removed and is_empty), "an empty list removes nothing"
            nodes = {title.partition("/")[0] for title in removed}
            early = {node for node in nodes - self.ssm.keys() if self.get_absence(node) < HOUR}
            assert early == set(), "a node is gone after an hour, not before"
        if self.model.duplicates > duplicates:
            injected = self.faults.injected
            excused = fuse.is_dead or injected["channel.post"] or injected["work.record"] > 1
            assert excused, "a post is unrecorded only if the program, Slack or the ledger failed"
        for message in list_messages(self.service):
            for silent in message.alert.silent if message.alert and message.id not in known else ():
                time = message.created_at - reported_at[silent.instance_id]
                assert time >= 2 * DAY, "a node that reported is not silent"
        if not snoozes_change and not self.faults.injected["snoozes.unsettled"]:
            for message in list_messages(self.service):
                if message.id not in known:
                    muted = find_muted_titles(self.service, message, self.model.worsened)
                    assert muted == set(), "no finding is both muted and announced"

    def check_lost_types(self, removed: set[str], failing: set[str]) -> None:
        """Checks that a type that is not listed loses nothing for an hour."""
        rows = {row.instance_id: row for row in self.service.nodes.all()}
        for node, since in [*self.lost_since.items()]:
            own = {title for title in removed - failing if title.startswith(f"{node}/")}
            is_listed = node in self.ssm and node not in self.other
            if is_listed and self.service.clock.now - since < HOUR:
                early = own & {f"{node}/{letter}" for letter in OTHER_LETTERS}
                assert early == set(), "a type is gone after an hour, not before"
            # a return that no scan has seen does not count
            if node not in rows or (node in self.other and not rows[node].absent_since):
                del self.lost_since[node]

    @property
    def listed_nodes(self) -> set[str]:
        """The nodes that SSM lists."""
        return self.ssm.keys() | self.untouched

    @property
    def failing(self) -> set[str]:
        """The titles that fail, as SSM shows them."""
        return set().union(*self.ssm.values())

    @property
    def unreadable(self) -> set[str]:
        """The nodes whose items SSM will not return. A node without items needs no reading."""
        return {
            node
            for node, titles in self.ssm.items()
            if titles and self.faults.failing[f"compliance.items {node}"] > 1
        }

    def get_absence(self, node: str) -> timedelta:
        """Returns for how long SSM has not listed a node."""
        return self.service.clock.now - self.absent_since[node]

    def settle_and_check(self) -> None:
        """Ends the faults, runs `reconcile` until nothing changes, and compares with the model."""
        self.end_outages()
        self.reconcile(SETTLING_SCANS)
        while self.service.ledger.messages and self.list_pauses():
            self.wait_for_outputs()
        if self.service.ledger.channel_state.braked:
            known = {node.instance_id for node in self.service.nodes.all()}
            assert known > set(self.ssm), "the brake holds only while a node is missing"
            self.invoke(options=Options(accept_missing=True))
            self.reconcile(2)
        ledger = self.service.ledger
        assert (ledger.jobs, ledger.messages, ledger.marks) == ({}, {}, {})
        assert ledger.lease is None
        for key, latest in self.latest_events.items():
            answered = ledger.completed[key]
            assert not latest.is_worse_than(answered), "the latest event is answered"
        assert self.model.stored == self.failing
        assert {node.instance_id for node in self.service.nodes.all()} == self.listed_nodes
        errors = self.model.find_errors()
        assert errors == [], errors
        assert find_inconsistencies(self.service) == []
        calls = self.invoke()
        unchanged = "an unchanged fleet causes no reading of items and no write of findings"
        assert not {"findings.put", "findings.delete", "compliance.items"} & set(calls), unchanged

    def teardown(self) -> None:
        self.settle_and_check()
