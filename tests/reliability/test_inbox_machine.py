"""Anything in any order: as soon as nothing changes any more, the inbox shows what SSM shows.

Hypothesis chooses what happens to the fleet, the program, Slack, S3 and SSM. `machine.py`
checks the promises after every invocation, and at rest compares with the model.
"""

from typing import TYPE_CHECKING

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule
from msgspec.structs import replace

from chalicelib.domain.errors import FileRefused
from chalicelib.usecases.context import Bounds, Options
from tests.effort import examples
from tests.fleet import DAY, MINUTE
from tests.reliability.bounds import any_bounds
from tests.reliability.crashing import CRASHES, CrashPoint, Fuse, Moment
from tests.reliability.interleaving import Program, interleave
from tests.reliability.machine import LONG
from tests.reliability.odd_lists import OddLists

if TYPE_CHECKING:
    from collections.abc import Callable

NODES = [f"i-{number}" for number in range(1, 5)]
LARGE = "i-9"
LETTERS = "ABCDE"
CALLS = st.integers(min_value=1, max_value=60)
# Up to three failures are a short outage. 200 are a throttle that does not end by itself.
TIMES = st.sampled_from([1, 2, 3, 200])
SETS = st.sets(st.sampled_from(LETTERS))
BOUNDS = any_bounds(5)
FALLIBLE = [
    "channel.attach",
    "channel.identity",
    "channel.post",
    "compliance.items",
    "compliance.summaries",
    "executions.targets",
    "facts.mark",
    "facts.rows",
    "facts.settle",
    "files.get",
    "files.put",
    "findings.all",
    "findings.delete",
    "findings.get",
    "findings.put",
    "journal.record",
    "journal.write",
    "lease.acquire",
    "lease.release",
    "nodes.all",
    "nodes.put",
    "receiver.post",
    "snoozes.about",
    "snoozes.add",
    "snoozes.all",
    "snoozes.get",
    "snoozes.save",
    "snoozes.unsettled",
    "titles.all",
    "titles.put",
    "work.open",
    "work.enqueue",
    "work.record",
    "work.save_output",
    "work.stage",
]
# The response of a read can be lost too, but that equals a read that fails.
READS = {"about", "all", "get", "identity", "open", "rows", "targets", "unsettled"}
LOSABLE = [each for each in FALLIBLE if each.partition(".")[2] not in READS]


class AnyOrder(OddLists):
    """The rules: what may happen, in any order."""

    # the fleet

    @initialize(
        letters=SETS,
        large=st.booleans(),
        bounds=BOUNDS,
        concurrency=st.sampled_from([1, 2, 8]),
        listed=st.booleans(),
    )
    def first_node_reports(
        self, letters: set[str], large: bool, bounds: Bounds, concurrency: int, listed: bool
    ) -> None:
        """Beside a large node that never changes, findings may be of any number."""
        self.service.bounds, self.concurrency = bounds, concurrency
        self.lists_targets = listed
        self.report_node(NODES[0], letters)
        if large:
            self.service.report(LARGE, *(f"untouched {number}" for number in range(500)))
            self.untouched = {LARGE}
            self.reported_at[LARGE] = self.service.clock.now

    @rule(node=st.sampled_from(NODES), letters=SETS)
    def node_reports(self, node: str, letters: set[str]) -> None:
        self.report_node(node, letters)

    @rule(node=st.sampled_from(NODES), letters=SETS, severity=st.sampled_from(["LOW", "CRITICAL"]))
    def severity_changes(self, node: str, letters: set[str], severity: str) -> None:
        """What fails already keeps its place in history, and is not announced again."""
        failing = {title.partition("/")[2] for title in self.ssm.get(node, ())}
        self.report_node(node, letters | failing, severity)

    @precondition(lambda self: len(self.ssm) > 1)
    @rule(data=st.data())
    def node_leaves(self, data: st.DataObject) -> None:
        self.remove_node(data.draw(st.sampled_from(sorted(self.ssm))))

    @precondition(lambda self: self.ssm)
    @rule(data=st.data(), letters=SETS)
    def node_is_replaced(self, data: st.DataObject, letters: set[str]) -> None:
        node = data.draw(st.sampled_from(sorted(self.ssm)))
        self.report_node(f"i-{self.runs + 10}", letters)
        self.remove_node(node)

    @rule()
    def all_nodes_leave(self) -> None:
        """They also do if somebody deletes the resource data sync, the role or the association."""
        for node in sorted(self.ssm):
            self.remove_node(node)

    @precondition(lambda self: not self.service.ledger.marks)
    @rule(data=st.data())
    def row_is_of_an_older_version(self, data: st.DataObject) -> None:
        """It has no list. The version that wrote it left no mark.

        So the highest severity that was announced is not known, and the present one counts.
        """
        if rows := {node.instance_id: node for node in self.service.nodes.all()}:
            chosen = rows[data.draw(st.sampled_from(sorted(rows)))]
            self.service.nodes.put([replace(chosen, open_list=None)])
            self.model.forget_severities(chosen.instance_id)

    # time and people

    @rule(minutes=st.sampled_from([1, 10, 31, 61, 200]))
    def time_passes(self, minutes: int) -> None:
        self.service.clock.forward(minutes * MINUTE)

    @rule(days=st.sampled_from([1, 3, 15]))
    def days_pass(self, days: int) -> None:
        """Nodes that do not report meanwhile are silent."""
        self.service.clock.forward(days * DAY)

    @rule(node=st.sampled_from(NODES), letter=st.sampled_from([*LETTERS, None]), data=st.data())
    def somebody_snoozes(self, node: str, letter: str | None, data: st.DataObject) -> None:
        self.snooze(node, letter, data.draw(st.sampled_from([5, 40, LONG])), Fuse())

    @precondition(lambda self: self.service.ledger.snoozes)
    @rule(data=st.data())
    def somebody_unsnoozes(self, data: st.DataObject) -> None:
        self.unsnooze(data.draw(st.sampled_from(sorted(self.service.ledger.snoozes))), Fuse())

    @rule(call=CALLS, node=st.sampled_from(NODES), letter=st.sampled_from(LETTERS), data=st.data())
    def somebody_snoozes_during_a_scan(
        self, call: int, node: str, letter: str, data: st.DataObject
    ) -> None:
        """Makes, changes or ends a snooze before one of the calls of a scan, often of a fix."""
        failing = {title.partition("/")[2] for title in self.ssm.get(node, ())}
        if data.draw(st.booleans()):
            self.report_node(node, failing - {letter})
        stored = sorted(self.service.ledger.snoozes)
        acts: list[Callable[[], None]] = [lambda: self.snooze(node, letter, LONG, Fuse())]
        if stored:
            chosen = data.draw(st.sampled_from(stored))
            acts.append(lambda: self.change_snooze(chosen, Fuse()))
            acts.append(lambda: self.unsnooze(chosen, Fuse()))
        act = data.draw(st.sampled_from(acts))
        self.invoke(meanwhile=(call, act), snoozes_change=True)

    # the service

    @rule(
        duplicated=st.booleans(),
        minutes=st.sampled_from([0, 0, 20, 90]),
        others=st.dictionaries(
            st.sampled_from(NODES), st.sampled_from(["Failed", "InProgress"]), max_size=2
        ),
    )
    def event_arrives(self, duplicated: bool, minutes: int, others: dict[str, str]) -> None:
        """A late event arrives after a newer one, so their order changes."""
        for _ in range(2 if duplicated else 1):
            self.invoke(lambda: self.enqueue("a-1", minutes, others))

    @rule(
        events=st.lists(
            st.tuples(st.sampled_from([0, 1, 2]), st.sampled_from([0, 1, 2]), st.booleans()),
            min_size=2,
            max_size=5,
        )
    )
    def events_of_one_execution_arrive(self, events: list[tuple[int, int, bool]]) -> None:
        """They come in any order, doubled, and while others are answered already."""
        for later, failed, is_answered in events:
            self.enqueue("a-2", failed=failed, later=later)
            if is_answered:
                self.invoke()

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
        report = (call, lambda: self.report_node(node, letters))
        self.invoke(lambda: self.enqueue("a-1"), meanwhile=report)

    @rule(node=st.sampled_from(NODES), letters=SETS, others=st.none() | SETS)
    def node_reports_between_two_pages(
        self, node: str, letters: set[str], others: set[str] | None
    ) -> None:
        """Often it reports the same in another order. Then the pages have the right count."""
        self.report_node(node, letters)
        self.invoke()
        self.report_node(node, letters)
        again = letters if others is None else others
        self.compliance.between_pages[node] = lambda: self.report_node(node, again)
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
            length = data.draw(st.sampled_from([40, LONG]))
            second = Program(
                lambda: self.snooze(node, letter, length, Fuse(wait_for_turn=second.wait_for_turn))
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
        self.report_node(node, letters | set(LETTERS[:2]))
        self.faults.torn[f"compliance.items {node}"] += times
        self.invoke()
        self.faults.torn.clear()

    @rule()
    def outages_end(self) -> None:
        self.end_outages()

    @rule()
    def token_is_replaced(self) -> None:
        """This ends a pause of Slack."""
        self.service.channel.token += "+"

    @rule()
    def channel_is_replaced(self) -> None:
        """Threads of the channel before are not there."""
        self.service.channel.id += "+"

    @rule(times=st.sampled_from([1, 2]))
    def slack_refuses_files(self, times: int) -> None:
        self.service.channel.fail_attach(FileRefused("malware_detected", "ask"), times)

    # the checks

    @rule()
    def everything_settles(self) -> None:
        self.settle_and_check()


TestInbox = AnyOrder.TestCase
TestInbox.settings = settings(
    stateful_step_count=30, max_examples=examples(200, soak=5_000), deadline=None
)
