"""Anything in any order: whatever happened, when it is quiet the inbox shows what SSM shows.

Hypothesis chooses what happens to the fleet, the program, Slack, S3 and SSM;
`come_to_rest` lets the faults pass and reconcile run, and compares with the model.
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
    wired,
    wired_inbox,
)
from tests.reliability.interleaving import Program, interleave
from tests.reliability.model import Model, messages_of, muted_and_announced

if TYPE_CHECKING:
    from chalicelib.usecases.run import ScanReport

NODES = [f"i-{number}" for number in range(1, 5)]
LARGE = "i-9"
LETTERS = "ABCDE"
LAMBDA = timedelta(minutes=15)
# An hour for nodes that are gone, some passes for faults that last, and a few more.
SETTLING = 12
ONCALL = Author("oncall")
# Minutes of a snooze that is still active when all has settled.
LONG = 5000
CALLS = st.integers(min_value=1, max_value=60)
# Twice and again is a short outage; very often is a throttle that does not end by itself.
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
# Reads have no effect that could be lost.
READS = {"about", "all", "get", "open", "unsettled"}
LOSABLE = [each for each in FALLIBLE if each.partition(".")[2] not in READS]


class PagedCompliance(MemoryCompliance):
    """Gives the items of a node in two pages; `between_pages` happens once, between the two."""

    def __init__(self) -> None:
        super().__init__()
        self.between_pages: dict[str, Callable[[], None]] = {}

    def items(self, instance_id: str, types: Sequence[str]) -> tuple[Item, ...]:
        first = super().items(instance_id, types)
        half = (len(first) + 1) // 2
        self.between_pages.pop(instance_id, lambda: None)()
        return (*first[:half], *super().items(instance_id, types)[half:])


class InboxMachine(RuleBasedStateMachine):
    """The service, the context around it, and what people should know of it."""

    def __init__(self) -> None:
        super().__init__()
        self.compliance = PagedCompliance()
        self.service = Service(compliance=self.compliance)
        self.model = Model(self.service)
        # what each node reported last
        self.ssm: dict[str, frozenset[str]] = {}
        self.untouched: set[str] = set()
        self.left_at: dict[str, datetime] = {}
        self.runs = 0
        self.faults = Faults()

    # the fleet

    @initialize(letters=SETS, large=st.booleans())
    def a_first_node(self, letters: set[str], large: bool) -> None:
        """Beside a large node that never changes, a few others are looked up by the index."""
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
        self.leave(data.draw(st.sampled_from(sorted(self.ssm))))

    @precondition(lambda self: self.ssm)
    @rule(data=st.data(), letters=SETS)
    def node_is_replaced(self, data: st.DataObject, letters: set[str]) -> None:
        node = data.draw(st.sampled_from(sorted(self.ssm)))
        self.node_reports(f"i-{self.runs + 10}", letters)
        self.leave(node)

    @rule()
    def everybody_leaves(self) -> None:
        """Or somebody took the resource data sync, the role, the association away."""
        for node in sorted(self.ssm):
            self.leave(node)

    def leave(self, node: str) -> None:
        self.service.compliance.remove(node)
        # a return that no pass has seen is none
        self.left_at.setdefault(node, self.service.clock.now)
        del self.ssm[node]

    # time and people

    @rule(minutes=st.sampled_from([1, 10, 31, 61, 200]))
    def time_passes(self, minutes: int) -> None:
        self.service.clock.forward(minutes * MINUTE)

    @rule(node=st.sampled_from(NODES), letter=st.sampled_from([*LETTERS, None]), data=st.data())
    def somebody_snoozes(self, node: str, letter: str | None, data: st.DataObject) -> None:
        self.snooze(node, letter, data.draw(st.sampled_from([5, 40, LONG])), Fuse())

    def snooze(self, node: str, letter: str | None, minutes: int, fuse: Fuse) -> None:
        """A pair, until its fix where it is a long one, or a whole node."""
        scope = Scope(node, f"{node}/{letter}" if letter else None)
        terms = SnoozeTerms(
            end=SnoozeEnd(duration=minutes * MINUTE),
            reason=Reason.MAINTENANCE,
            comment="ticket 42",
            until_resolved=letter is not None and minutes == LONG,
        )
        with suppress(ServiceError):
            create_snooze(wired_inbox(self.service.inbox, fuse), scope, terms, ONCALL)

    @precondition(lambda self: self.service.ledger.snoozes)
    @rule(data=st.data())
    def somebody_unsnoozes(self, data: st.DataObject) -> None:
        self.unsnooze(data.draw(st.sampled_from(sorted(self.service.ledger.snoozes))), Fuse())

    def unsnooze(self, snooze_id: str, fuse: Fuse) -> None:
        with suppress(ServiceError):
            end_snooze(wired_inbox(self.service.inbox, fuse), snooze_id, None, ONCALL)

    # the service

    @rule(doubled=st.booleans(), minutes=st.sampled_from([0, 0, 20, 90]))
    def event_comes(self, doubled: bool, minutes: int) -> None:
        """Late ones come behind newer ones: the order is another one then."""
        for _ in range(2 if doubled else 1):
            self.invoke(lambda: self.enqueue("a-1", minutes))

    @rule(full=st.booleans())
    def event_is_lost(self, full: bool) -> None:
        """Reconcile comes instead."""
        self.invoke(wish=Options(full=full))

    @rule()
    def month_begins(self) -> None:
        self.invoke(self.service.enqueue_month)

    @rule(call=CALLS, moment=st.sampled_from(CRASHES))
    def the_program_dies(self, call: int, moment: Moment) -> None:
        self.invoke(lambda: self.enqueue("a-1"), point=CrashPoint(call, moment))

    @rule(call=CALLS, minutes=st.sampled_from([1, 13, 14, 16]))
    def a_call_takes_long(self, call: int, minutes: int) -> None:
        """Near the deadline, or beyond it: then Lambda has ended the program."""
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
        """Often the same again, in another order: then the pages fit together by number."""
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
    def two_at_once(self, other: str, schedule: list[int], data: st.DataObject) -> None:
        """A pass and another program, which make their calls in any order."""
        held = sorted(self.service.ledger.snoozes)
        if other == "snooze" or (other == "unsnooze" and not held):
            node, letter = data.draw(st.sampled_from(NODES)), data.draw(st.sampled_from(LETTERS))
            second = Program(lambda: self.snooze(node, letter, 40, Fuse(turn=second.turn)))
        elif other == "unsnooze":
            snooze_id = data.draw(st.sampled_from(held))
            second = Program(lambda: self.unsnooze(snooze_id, Fuse(turn=second.turn)))
        else:
            second = Program(lambda: self.run_scans(Fuse(faults=self.faults, turn=second.turn)))
        first = Program(lambda: self.run_scans(fuse))
        fuse = Fuse(faults=self.faults, turn=first.turn)
        self.watch(lambda: interleave([first, second], schedule), fuse, snoozes_change=True)

    # the vendors

    @rule(node=st.sampled_from(NODES), times=TIMES)
    def ssm_fails_for_a_node(self, node: str, times: int) -> None:
        self.faults.failing[f"compliance.items {node}"] += times

    @rule(call=st.sampled_from(FALLIBLE), times=TIMES)
    def a_vendor_fails(self, call: str, times: int) -> None:
        self.faults.failing[call] += times

    @rule(call=st.sampled_from(LOSABLE))
    def an_answer_is_lost(self, call: str) -> None:
        self.faults.lost[call] += 1

    @rule(node=st.sampled_from(NODES), letters=SETS, times=st.sampled_from([1, 2]))
    def ssm_leaves_a_row_out(self, node: str, letters: set[str], times: int) -> None:
        """While one pass reads it. SSM that says the same wrong thing for ever is believed."""
        self.node_reports(node, letters | set(LETTERS[:2]))
        self.faults.torn[f"compliance.items {node}"] += times
        self.invoke()
        self.faults.torn.clear()

    @rule()
    def outages_end(self) -> None:
        self.faults.failing.clear()
        self.faults.lost.clear()

    # what must be so

    @rule()
    def settle(self) -> None:
        self.come_to_rest()

    def teardown(self) -> None:
        self.come_to_rest()

    def come_to_rest(self) -> None:
        self.outages_end()
        self.reconcile(SETTLING)
        if self.service.ledger.channel_state.braked:
            known = {node.instance_id for node in self.service.nodes.all()}
            assert known > set(self.ssm)
            self.invoke(wish=Options(accept_missing=True))
            self.reconcile(2)
        ledger = self.service.ledger
        assert (ledger.jobs, ledger.messages, ledger.unannounced_scans) == ({}, {}, set())
        assert ledger.lease is None
        assert self.model.stored == self.failing()
        assert {node.instance_id for node in self.service.nodes.all()} == self.everybody()
        assert self.model.wrongs() == []
        calls = self.invoke()
        assert not {"findings.put", "findings.delete", "compliance.items"} & set(calls)

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
        wish: Options = DEFAULT_OPTIONS,
    ) -> list[str]:
        """One invocation, whatever becomes of it; its calls."""
        event()
        deadline = self.service.clock.now + LAMBDA
        fuse = Fuse(
            point,
            meanwhile=meanwhile,
            faults=self.faults,
            alive=lambda: self.service.clock.now < deadline,
        )
        self.watch(lambda: self.run_scans(fuse, wish), fuse, accepted=wish.accept_missing)
        return fuse.calls

    def run_scans(self, fuse: Fuse, wish: Options = DEFAULT_OPTIONS) -> None:
        """Passes of one invocation; no quiet answer says more than is true."""
        reports: Sequence[ScanReport] = ()
        before = dict(self.ssm)
        with suppress(CrashedError, ServiceError):
            context = wired(self.service.context, fuse)
            reports = run_scans(context, self.service.clock.now + LAMBDA, wish)
        still = [titles for node, titles in self.ssm.items() if before.get(node) == titles]
        stored = {finding.title for finding in self.service.findings.all()}
        for report in reports:
            if report.announcement.topic is Topic.NOTHING_NEW:
                assert stored >= set().union(*still), "nothing new is said of a whole scan only"

    def watch(
        self,
        happens: Callable[[], None],
        fuse: Fuse,
        *,
        snoozes_change: bool = False,
        accepted: bool = False,
    ) -> None:
        """Let it happen, and see what that did to the store and to what people know."""
        began, doubles = self.service.clock.now, self.model.doubles
        known = {message.id for message in messages_of(self.service)}
        unreadable, failing, nobody = self.unreadable(), self.failing(), not self.everybody()
        self.faults.struck.clear()
        happens()
        left = self.model.observe(began)
        missing = {row.instance_id for row in self.service.nodes.all() if row.missing_since}
        for node in self.ssm.keys() - missing:
            self.left_at.pop(node, None)
        unread = {node for node in unreadable if self.ssm[node]}
        lost = {title for title in left if title.partition("/")[0] in unread}
        assert lost == set(), "a node that cannot be read, and still shows something, loses nothing"
        assert left & failing & self.failing() == set(), "what fails all the time is not resolved"
        if not accepted:
            assert not (left and nobody and not self.everybody()), "an empty list resolves nothing"
            nodes = {title.partition("/")[0] for title in left}
            young = {node for node in nodes - self.ssm.keys() if self.absent(node) < HOUR}
            assert young == set(), "a node is gone after an hour, not before"
        if self.model.doubles > doubles:
            struck = self.faults.struck
            assert fuse.dead or struck["channel.post"] or struck["work.record"] > 1
        if not snoozes_change and not self.faults.struck["snoozes.unsettled"]:
            for message in messages_of(self.service):
                if message.id not in known:
                    assert muted_and_announced(self.service, message) == set()

    def everybody(self) -> set[str]:
        """The nodes that SSM lists."""
        return self.ssm.keys() | self.untouched

    def absent(self, node: str) -> timedelta:
        """How long SSM has not listed a node."""
        return self.service.clock.now - self.left_at[node]

    def failing(self) -> set[str]:
        """What fails, as SSM shows it."""
        return set().union(*self.ssm.values())

    def unreadable(self) -> set[str]:
        """The nodes whose items SSM will not give; a node without any needs no reading."""
        return {
            node
            for node, titles in self.ssm.items()
            if titles and self.faults.failing[f"compliance.items {node}"] > 1
        }


TestInbox = InboxMachine.TestCase
TestInbox.settings = settings(
    stateful_step_count=30, max_examples=examples(200, soak=5_000), deadline=None
)
