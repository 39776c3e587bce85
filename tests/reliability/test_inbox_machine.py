"""Anything in any order: as soon as nothing changes any more, the inbox shows what SSM shows.

Hypothesis chooses what happens to the fleet, the program, Slack, S3 and SSM.
`settle_and_check` ends the faults, lets `reconcile` run, and compares with the model.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from chalicelib.domain.announcement import Topic
from chalicelib.domain.compliance import Item
from chalicelib.domain.errors import ServiceError
from chalicelib.domain.snooze import Reason, Scope
from chalicelib.domain.snooze_rules import SnoozeEnd, SnoozeTerms
from chalicelib.usecases.context import DEFAULT_OPTIONS, Author, Options
from chalicelib.usecases.inbox.snoozes import create_snooze, end_snooze
from chalicelib.usecases.run import run_scans
from tests.effort import examples
from tests.fakes import MemoryCompliance
from tests.fleet import HOUR, MINUTE, Service
from tests.reliability.crashing import (
    CRASHES,
    CrashedError,
    CrashPoint,
    Faults,
    Fuse,
    Moment,
    add_fuse,
    add_fuse_to_inbox,
)
from tests.reliability.interleaving import Program, interleave
from tests.reliability.model import Model, find_muted_titles, list_messages

if TYPE_CHECKING:
    from chalicelib.usecases.run import ScanReport

NODES = [f"i-{number}" for number in range(1, 5)]
LARGE = "i-9"
LETTERS = "ABCDE"
LAMBDA = timedelta(minutes=15)
# Enough for the hour of gone nodes, and some more.
SETTLING_SCANS = 12
ONCALL = Author("oncall")
# Minutes of a snooze that is still active after `settle_and_check`.
LONG = 5000
CALLS = st.integers(min_value=1, max_value=60)
# Up to three failures are a short outage. 200 are a throttle that does not end by itself.
TIMES = st.sampled_from([1, 2, 3, 200])
SETS = st.sets(st.sampled_from(LETTERS))
FALLIBLE = [
    "channel.attach",
    "channel.post",
    "compliance.items",
    "compliance.summaries",
    "files.get",
    "files.put",
    "findings.all",
    "findings.delete",
    "findings.get",
    "findings.of_node",
    "findings.put",
    "journal.record",
    "journal.write",
    "lease.acquire",
    "lease.release",
    "nodes.all",
    "nodes.delete",
    "nodes.put",
    "snoozes.about",
    "snoozes.add",
    "snoozes.all",
    "snoozes.get",
    "snoozes.save",
    "snoozes.unsettled",
    "work.mark_unannounced",
    "work.open",
    "work.enqueue",
    "work.record",
    "work.stage",
]
# The response of a read can be lost too, but that equals a read that fails.
READS = {"about", "all", "get", "open", "unsettled"}
LOSABLE = [each for each in FALLIBLE if each.partition(".")[2] not in READS]


class PagedCompliance(MemoryCompliance):
    """Returns the items of a node in two pages. `between_pages` happens once, between them."""

    def __init__(self) -> None:
        super().__init__()
        self.between_pages: dict[str, Callable[[], None]] = {}

    def items(self, instance_id: str, types: Sequence[str]) -> tuple[Item, ...]:
        """Returns the first half of the items as of now, and the second half as of later."""
        first = super().items(instance_id, types)
        half = (len(first) + 1) // 2
        self.between_pages.pop(instance_id, lambda: None)()
        return (*first[:half], *super().items(instance_id, types)[half:])


class InboxMachine(RuleBasedStateMachine):
    """The service, the fleet and the vendors around it, and the model of what is announced.

    ssm: the titles that each listed node reported last · untouched: nodes that never
    change · absent_since: when a node left the list.
    """

    def __init__(self) -> None:
        super().__init__()
        self.compliance = PagedCompliance()
        self.service = Service(compliance=self.compliance)
        self.model = Model(self.service)
        self.ssm: dict[str, frozenset[str]] = {}
        self.untouched: set[str] = set()
        self.absent_since: dict[str, datetime] = {}
        self.runs = 0
        self.faults = Faults()

    # the fleet

    @initialize(letters=SETS, large=st.booleans())
    def first_node_reports(self, letters: set[str], large: bool) -> None:
        """Beside a large node that never changes, other nodes are looked up through the index."""
        self.node_reports(NODES[0], letters)
        if large:
            self.service.report(LARGE, *(f"untouched {number}" for number in range(500)))
            self.untouched = {LARGE}

    @rule(node=st.sampled_from(NODES), letters=SETS)
    def node_reports(self, node: str, letters: set[str]) -> None:
        self.runs += 1
        titles = frozenset(f"{node}/{letter}" for letter in letters)
        # SSM promises no order
        ordered = sorted(titles, reverse=self.runs % 2 == 0)
        self.service.report(node, *ordered, run=f"run-{self.runs}")
        self.ssm[node] = titles

    @precondition(lambda self: len(self.ssm) > 1)
    @rule(data=st.data())
    def node_leaves(self, data: st.DataObject) -> None:
        self.remove_node(data.draw(st.sampled_from(sorted(self.ssm))))

    @precondition(lambda self: self.ssm)
    @rule(data=st.data(), letters=SETS)
    def node_is_replaced(self, data: st.DataObject, letters: set[str]) -> None:
        node = data.draw(st.sampled_from(sorted(self.ssm)))
        self.node_reports(f"i-{self.runs + 10}", letters)
        self.remove_node(node)

    @rule()
    def all_nodes_leave(self) -> None:
        """They also do if somebody deletes the resource data sync, the role or the association."""
        for node in sorted(self.ssm):
            self.remove_node(node)

    def remove_node(self, node: str) -> None:
        self.service.compliance.remove(node)
        # a return that no scan has seen does not count
        self.absent_since.setdefault(node, self.service.clock.now)
        del self.ssm[node]

    # time and people

    @rule(minutes=st.sampled_from([1, 10, 31, 61, 200]))
    def time_passes(self, minutes: int) -> None:
        self.service.clock.forward(minutes * MINUTE)

    @rule(node=st.sampled_from(NODES), letter=st.sampled_from([*LETTERS, None]), data=st.data())
    def somebody_snoozes(self, node: str, letter: str | None, data: st.DataObject) -> None:
        self.snooze(node, letter, data.draw(st.sampled_from([5, 40, LONG])), Fuse())

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
            create_snooze(add_fuse_to_inbox(self.service.inbox, fuse), scope, terms, ONCALL)

    @precondition(lambda self: self.service.ledger.snoozes)
    @rule(data=st.data())
    def somebody_unsnoozes(self, data: st.DataObject) -> None:
        self.unsnooze(data.draw(st.sampled_from(sorted(self.service.ledger.snoozes))), Fuse())

    def unsnooze(self, snooze_id: str, fuse: Fuse) -> None:
        with suppress(ServiceError):
            end_snooze(add_fuse_to_inbox(self.service.inbox, fuse), snooze_id, None, ONCALL)

    # the service

    @rule(doubled=st.booleans(), minutes=st.sampled_from([0, 0, 20, 90]))
    def event_arrives(self, doubled: bool, minutes: int) -> None:
        """A late event arrives after a newer one, so their order changes."""
        for _ in range(2 if doubled else 1):
            self.invoke(lambda: self.enqueue("a-1", minutes))

    @rule(full=st.booleans())
    def event_is_lost(self, full: bool) -> None:
        """`reconcile` runs instead."""
        self.invoke(options=Options(full=full))

    @rule()
    def month_begins(self) -> None:
        self.invoke(self.service.enqueue_month)

    @rule(call=CALLS, moment=st.sampled_from(CRASHES))
    def program_dies(self, call: int, moment: Moment) -> None:
        self.invoke(lambda: self.enqueue("a-1"), point=CrashPoint(call, moment))

    @rule(call=CALLS, minutes=st.sampled_from([1, 13, 14, 16]))
    def call_takes_long(self, call: int, minutes: int) -> None:
        """It ends near the deadline or after it. In that case Lambda has ended the program."""
        wait = (call, lambda: self.service.clock.forward(minutes * MINUTE))
        self.invoke(lambda: self.enqueue("a-1"), meanwhile=wait)

    @rule(call=CALLS, node=st.sampled_from(NODES), letters=SETS)
    def node_reports_while_it_is_read(self, call: int, node: str, letters: set[str]) -> None:
        report = (call, lambda: self.node_reports(node, letters))
        self.invoke(lambda: self.enqueue("a-1"), meanwhile=report)

    @rule(node=st.sampled_from(NODES), letters=SETS, others=st.none() | SETS)
    def node_reports_between_two_pages(
        self, node: str, letters: set[str], others: set[str] | None
    ) -> None:
        """Often it reports the same in another order. Then the pages have the right count."""
        self.node_reports(node, letters)
        self.invoke()
        self.node_reports(node, letters)
        again = letters if others is None else others
        self.compliance.between_pages[node] = lambda: self.node_reports(node, again)
        self.invoke(lambda: self.enqueue("a-1"))
        self.compliance.between_pages.clear()

    @rule(
        other=st.sampled_from(["event", "snooze", "unsnooze"]),
        schedule=st.lists(st.integers(min_value=0, max_value=1), max_size=60),
        data=st.data(),
    )
    def two_programs_run(self, other: str, schedule: list[int], data: st.DataObject) -> None:
        """Runs scans and another program at once. Their calls mix in any order."""
        stored = sorted(self.service.ledger.snoozes)
        if other == "snooze" or (other == "unsnooze" and not stored):
            node, letter = data.draw(st.sampled_from(NODES)), data.draw(st.sampled_from(LETTERS))
            second = Program(
                lambda: self.snooze(node, letter, 40, Fuse(wait_for_turn=second.wait_for_turn))
            )
        elif other == "unsnooze":
            snooze_id = data.draw(st.sampled_from(stored))
            second = Program(
                lambda: self.unsnooze(snooze_id, Fuse(wait_for_turn=second.wait_for_turn))
            )
        else:
            second = Program(
                lambda: self.run_scans(Fuse(faults=self.faults, wait_for_turn=second.wait_for_turn))
            )
        first = Program(lambda: self.run_scans(fuse))
        fuse = Fuse(faults=self.faults, wait_for_turn=first.wait_for_turn)
        self.run_and_check(lambda: interleave([first, second], schedule), fuse, snoozes_change=True)

    # the vendors

    @rule(node=st.sampled_from(NODES), times=TIMES)
    def ssm_fails_for_a_node(self, node: str, times: int) -> None:
        self.faults.failing[f"compliance.items {node}"] += times

    @rule(call=st.sampled_from(FALLIBLE), times=TIMES)
    def call_fails(self, call: str, times: int) -> None:
        self.faults.failing[call] += times

    @rule(call=st.sampled_from(LOSABLE))
    def response_is_lost(self, call: str) -> None:
        self.faults.lost[call] += 1

    @rule(node=st.sampled_from(NODES), letters=SETS, times=st.sampled_from([1, 2]))
    def ssm_omits_an_item(self, node: str, letters: set[str], times: int) -> None:
        """This lasts for one scan. An SSM that omits the same item for ever is believed."""
        self.node_reports(node, letters | set(LETTERS[:2]))
        self.faults.torn[f"compliance.items {node}"] += times
        self.invoke()
        self.faults.torn.clear()

    @rule()
    def outages_end(self) -> None:
        self.faults.failing.clear()
        self.faults.lost.clear()

    # the promises

    @rule()
    def everything_settles(self) -> None:
        self.settle_and_check()

    def teardown(self) -> None:
        self.settle_and_check()

    def settle_and_check(self) -> None:
        """Ends the faults, runs `reconcile` until nothing changes, and compares with the model."""
        self.outages_end()
        self.reconcile(SETTLING_SCANS)
        if self.service.ledger.channel_state.braked:
            known = {node.instance_id for node in self.service.nodes.all()}
            assert known > set(self.ssm), "the brake holds only while a node is missing"
            self.invoke(options=Options(accept_missing=True))
            self.reconcile(2)
        ledger = self.service.ledger
        assert (ledger.jobs, ledger.messages, ledger.unannounced_scans) == ({}, {}, set())
        assert ledger.lease is None
        assert self.model.stored == self.failing
        assert {node.instance_id for node in self.service.nodes.all()} == self.listed_nodes
        assert self.model.find_errors() == []
        calls = self.invoke()
        unchanged = "an unchanged fleet causes no reading of items and no write of findings"
        assert not {"findings.put", "findings.delete", "compliance.items"} & set(calls), unchanged

    def reconcile(self, times: int) -> None:
        for _ in range(times):
            self.service.clock.forward(LAMBDA + MINUTE)
            self.invoke()

    def enqueue(self, association: str, minutes: int = 0) -> None:
        self.service.enqueue(association, {"Success": len(self.ssm)}, ago=minutes * MINUTE)

    def invoke(
        self,
        event: Callable[[], object] = lambda: None,
        *,
        point: CrashPoint | None = None,
        meanwhile: tuple[int, Callable[[], object]] | None = None,
        options: Options = DEFAULT_OPTIONS,
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
        self.run_and_check(lambda: self.run_scans(fuse, options), fuse, accepted=accepted)
        return fuse.calls

    def run_scans(self, fuse: Fuse, options: Options = DEFAULT_OPTIONS) -> None:
        """Runs the scans of one invocation, and checks that an all-clear is true."""
        reports: Sequence[ScanReport] = ()
        before = dict(self.ssm)
        with suppress(CrashedError, ServiceError):
            context = add_fuse(self.service.context, fuse)
            reports = run_scans(context, self.service.clock.now + LAMBDA, options)
        unchanged = [titles for node, titles in self.ssm.items() if before.get(node) == titles]
        stored = {finding.title for finding in self.service.findings.all()}
        for report in reports:
            if report.announcement.topic is Topic.NOTHING_NEW:
                assert stored >= set().union(*unchanged), "an all-clear needs a complete scan"

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
        self.faults.injected.clear()
        run()
        removed = self.model.observe(began)
        missing = {row.instance_id for row in self.service.nodes.all() if row.missing_since}
        for node in self.ssm.keys() - missing:
            self.absent_since.pop(node, None)
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
        if not snoozes_change and not self.faults.injected["snoozes.unsettled"]:
            for message in list_messages(self.service):
                if message.id not in known:
                    muted = find_muted_titles(self.service, message)
                    assert muted == set(), "no finding is both muted and announced"

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


TestInbox = InboxMachine.TestCase
TestInbox.settings = settings(
    stateful_step_count=30, max_examples=examples(200, soak=5_000), deadline=None
)
