"""Anything in any order: whatever happened, when it is quiet the inbox shows what SSM shows.

Hypothesis chooses what happens to the fleet, the program, Slack, S3 and SSM;
`settle` lets the faults pass and reconcile run, and compares with a model that
knows nothing of watermarks, marks or messages.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from chalicelib.adapters.memory import MemorySnoozes
from chalicelib.domain.alert import Topic
from chalicelib.domain.errors import ServiceError
from chalicelib.domain.message import Step
from chalicelib.domain.snooze import State
from chalicelib.usecases.passes import make_passes
from tests.fleet import MINUTE, Service, snooze
from tests.reliability.crashing import CrashedError, CrashPoint, Fuse, Moment, wired

if TYPE_CHECKING:
    from chalicelib.usecases.world import PassReport

NODES = [f"i-{number}" for number in range(1, 5)]
LETTERS = "ABCDE"
LAMBDA = timedelta(minutes=15)
# An hour for nodes that are gone, some passes for faults that last, and a few more.
SETTLING = 12
CALLS = st.integers(min_value=1, max_value=60)
SOME = st.integers(min_value=1, max_value=3)
FALLIBLE = [
    "channel.attach",
    "channel.post",
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
    "nodes.all",
    "nodes.put",
    "snoozes.all",
    "snoozes.save",
    "work.mark_opened",
    "work.open",
    "work.record",
    "work.stage",
]


class Inbox(RuleBasedStateMachine):
    """The service, the world around it, and what people should know of it."""

    def __init__(self) -> None:
        super().__init__()
        self.service = Service()
        # what each node reported last
        self.ssm: dict[str, frozenset[str]] = {}
        self.runs = 0
        self.snoozes = 0
        # how often a title came into the store, and how much had been said before it last did
        self.episodes: Counter[str] = Counter()
        self.since: dict[str, int] = {}
        self.doubles = 0
        self.faults: Counter[str] = Counter()

    # the fleet

    @initialize(letters=st.sets(st.sampled_from(LETTERS)))
    def a_first_node(self, letters: set[str]) -> None:
        self.node_reports(NODES[0], letters)

    @rule(node=st.sampled_from(NODES), letters=st.sets(st.sampled_from(LETTERS)))
    def node_reports(self, node: str, letters: set[str]) -> None:
        self.runs += 1
        titles = frozenset(f"{node}/{letter}" for letter in letters)
        self.service.report(node, *sorted(titles), run=f"run-{self.runs}")
        self.ssm[node] = titles

    @precondition(lambda self: len(self.ssm) > 1)
    @rule(data=st.data())
    def node_leaves(self, data: st.DataObject) -> None:
        node = data.draw(st.sampled_from(sorted(self.ssm)))
        self.service.compliance.remove(node)
        del self.ssm[node]

    # time and people

    @rule(minutes=st.sampled_from([1, 10, 31, 61, 200]))
    def time_passes(self, minutes: int) -> None:
        self.service.clock.forward(minutes * MINUTE)

    @rule(
        node=st.sampled_from(NODES),
        letter=st.sampled_from(LETTERS),
        minutes=st.sampled_from([5, 40, 100]),
    )
    def snooze_pair(self, node: str, letter: str, minutes: int) -> None:
        self.snoozes += 1
        now = self.service.clock.now
        made = snooze(
            id=f"s-{self.snoozes}",
            instance_id=node,
            title=f"{node}/{letter}",
            starts_at=now,
            ends_at=now + minutes * MINUTE,
            created_at=now,
        )
        self.service.ledger.snoozes[made.id] = made

    @precondition(lambda self: self.service.ledger.snoozes)
    @rule(data=st.data())
    def unsnooze(self, data: st.DataObject) -> None:
        ledger = self.service.ledger
        held = ledger.snoozes[data.draw(st.sampled_from(sorted(ledger.snoozes)))]
        now = self.service.clock.now
        if held.state(now) is not State.ENDED:
            ended = replace(held, ended_at=now, version=held.version + 1)
            MemorySnoozes(ledger).save(ended)

    # the service

    @rule(doubled=st.booleans())
    def event_comes(self, doubled: bool) -> None:
        debt = self.service.owe("a-1", {"Success": len(self.ssm)})
        self.invoke()
        if doubled:
            self.service.world.work.owe(debt)
            self.invoke()

    @rule()
    def event_is_lost(self) -> None:
        """Reconcile comes instead."""
        self.invoke()

    @rule(call=CALLS, moment=st.sampled_from(Moment))
    def the_program_dies(self, call: int, moment: Moment) -> None:
        self.service.owe("a-1", {"Success": len(self.ssm)})
        self.invoke(CrashPoint(call, moment))

    @rule(call=CALLS)
    def another_worker_comes_in_between(self, call: int) -> None:
        """It finds the lease taken and leaves its debt to the holder."""

        def other() -> None:
            self.service.owe("a-2", {"Success": 1})
            world = wired(self.service.world, Fuse(faults=self.faults))
            make_passes(world, self.service.clock.now + LAMBDA)

        self.invoke(meanwhile=(call, other))

    # the vendors

    @rule(node=st.sampled_from(NODES), times=SOME)
    def ssm_fails_for_a_node(self, node: str, times: int) -> None:
        self.faults[f"compliance.items {node}"] += times

    @rule(call=st.sampled_from(FALLIBLE), times=SOME)
    def a_vendor_fails(self, call: str, times: int) -> None:
        self.faults[call] += times

    # what must be so

    @rule()
    def settle(self) -> None:
        self.come_to_rest()

    def teardown(self) -> None:
        self.come_to_rest()

    def come_to_rest(self) -> None:
        self.faults.clear()
        for _ in range(SETTLING):
            self.service.clock.forward(LAMBDA + MINUTE)
            self.invoke()
        ledger = self.service.ledger
        assert (ledger.debts, ledger.messages, ledger.open_scans) == ({}, {}, set())
        assert ledger.lease is None
        assert self.stored() == set().union(*self.ssm.values())
        assert {node.instance_id for node in self.service.nodes.all()} == set(self.ssm)
        self.everything_was_told()
        calls = self.invoke()
        assert not {"findings.put", "findings.delete", "compliance.items"} & set(calls)

    def everything_was_told(self) -> None:
        """What fails and is not muted was told since it failed, and not too often."""
        now = self.service.clock.now
        snoozes = self.service.ledger.snoozes.values()
        told = titles_of(self.service.said)
        for title in self.stored():
            node = title.partition("/")[0]
            about = [each for each in snoozes if each.covers(node, title)]
            since = titles_of(self.service.said[self.since[title] :])
            if not any(each.state(now) is State.ACTIVE for each in about):
                assert since[title] >= 1, title
        for title, times in told.items():
            node = title.partition("/")[0]
            ended = sum(each.covers(node, title) for each in snoozes)
            assert times <= self.episodes[title] + ended + self.doubles, title

    def invoke(
        self,
        point: CrashPoint | None = None,
        meanwhile: tuple[int, Callable[[], None]] | None = None,
    ) -> list[str]:
        """One invocation, whatever becomes of it, and what that did to the store; its calls."""
        fuse = Fuse(point, meanwhile, self.faults)
        before, said, unrecorded = self.stored(), len(self.service.said), self.unrecorded()
        faulty = self.unreadable()
        reports: Sequence[PassReport] = ()
        with suppress(CrashedError, ServiceError):
            world = wired(self.service.world, fuse)
            reports = make_passes(world, self.service.clock.now + LAMBDA)
        # told a second time, since nobody knows that Slack has taken it
        self.doubles += self.unrecorded() - unrecorded
        after = self.stored()
        for title in after - before:
            self.episodes[title] += 1
            self.since[title] = said
        lost = {title for title in before - after if title.partition("/")[0] in faulty}
        assert lost == set(), "a node that cannot be read loses nothing"
        for report in reports:
            if report.spoken.topic is Topic.NOTHING_NEW:
                assert after >= set().union(*self.ssm.values())
        return fuse.calls

    def unreadable(self) -> set[str]:
        """The nodes whose items SSM will not give; a node without any needs no reading."""
        return {
            node
            for node, titles in self.ssm.items()
            if titles and self.faults[f"compliance.items {node}"] > 1
        }

    def unrecorded(self) -> int:
        """Posts that were accepted and are not recorded; one that is superseded was never made."""
        ledger = self.service.ledger
        messages = [*ledger.messages.values(), *ledger.sent.values()]
        receipts = (message.done.get(Step.POST, "") for message in messages)
        return len(self.service.said) - sum(each.startswith("thread") for each in receipts)

    def stored(self) -> set[str]:
        return {finding.title for finding in self.service.findings.all()}


def titles_of(said: Sequence[str]) -> Counter[str]:
    """How often each title stands in these messages."""
    lists = (text.partition(": ")[2] for text in said)
    return Counter(title for text in lists for title in text.split(",") if title)


TestInbox = Inbox.TestCase
TestInbox.settings = settings(stateful_step_count=30, max_examples=200, deadline=None)
