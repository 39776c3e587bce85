"""A fleet of equal nodes, and SSM Compliance over it on the simulated clock."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from bench.simulation.clock import SimulatedClock
from chalicelib.domain.compliance import Execution, Item, ItemList, SummaryRow
from chalicelib.domain.finding import Entry, Finding, Severity
from chalicelib.domain.node import Node
from chalicelib.usecases.scan.compare import with_list
from chalicelib.usecases.scan.read import PAGE

TYPE = "Custom:InSpec"
FINDINGS_A_NODE = 20
# The titles of one run. Each node shows 20 of them, and its neighbour shows different ones.
TITLES = 100
SEVERITIES = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW)
SUMMARIES, ITEMS = "ListResourceComplianceSummaries", "ListComplianceItems"
# A page of failed items, and the pages of passed ones, because all findings of a node vanish.
CALLS_A_NODE = 1 + -(-TITLES // PAGE)


def make_instance_id(number: int) -> str:
    """The id of a node, in EC2's form."""
    return f"i-{number:017x}"


def parse_number(instance_id: str) -> int:
    """The number of a node."""
    return int(instance_id.removeprefix("i-"), 16)


@dataclass(frozen=True, slots=True)
class FleetRun:
    """One run of the checks on all nodes. Runs with different ids have no title in common.

    `before` is the run whose titles pass now.
    """

    run: str
    at: datetime
    nodes: int
    before: str = ""

    @property
    def execution(self) -> Execution:
        """The execution in every node's summary."""
        return Execution(self.run, self.at, FINDINGS_A_NODE)

    def build_item_sets(self) -> tuple[tuple[Item, ...], ...]:
        """The items of a node, by its number modulo `TITLES`."""
        items = self._build_items(self.run)
        return tuple(
            tuple(items[(first + each) % TITLES] for each in range(FINDINGS_A_NODE))
            for first in range(TITLES)
        )

    def build_passed(self) -> tuple[Item, ...]:
        """The passed items of every node."""
        return self._build_items(self.before)

    def _build_items(self, titles_of: str) -> tuple[Item, ...]:
        return tuple(
            Item(
                TYPE,
                self.run,
                f"control-{number:03d}",
                f"{titles_of}: control {number:03d} must hold on every node",
                SEVERITIES[number % len(SEVERITIES)],
            )
            for number in range(TITLES)
        )

    def build_summaries(self) -> tuple[SummaryRow, ...]:
        """A row for each node."""
        execution = self.execution
        return tuple(
            SummaryRow(make_instance_id(number), TYPE, execution, compliant=TITLES)
            for number in range(self.nodes)
        )

    def build_stored(self, scan_id: str) -> Iterator[tuple[Node, tuple[Finding, ...]]]:
        """The row and the findings of each node, as a complete scan of this run stores them."""
        executions = {TYPE.casefold(): self.execution}
        finding_sets = [
            tuple(
                (item.title or "", Severity.of(item.severity), item.item_id or "") for item in items
            )
            for items in self.build_item_sets()
        ]
        for number in range(self.nodes):
            name, index = make_instance_id(number), number % TITLES
            findings = tuple(Finding(name, *each, self.at, scan_id) for each in finding_sets[index])
            yield with_list(Node(name, executions), map(Entry.of, findings)), findings


class SimulatedSsm:
    """`Compliance` of a fleet after one run, at `rate` calls a second.

    Calls of all threads share the rate, because AWS limits the account.
    """

    def __init__(self, fleet: FleetRun, clock: SimulatedClock, rate: float) -> None:
        self.calls: Counter[str] = Counter()
        self._rows = fleet.build_summaries()
        self._item_sets = fleet.build_item_sets()
        self._passed = fleet.build_passed()
        self._clock = clock
        self._rate = rate

    def summaries(self) -> tuple[SummaryRow, ...]:
        """A row for each node, in pages of 50."""
        self._add_calls(SUMMARIES, -(-len(self._rows) // PAGE))
        return self._rows

    def items(self, instance_id: str, types: Sequence[str]) -> ItemList:  # noqa: ARG002 - there is one
        """The 20 items of a node, in one page."""
        self._add_calls(ITEMS, 1)
        return ItemList(self._item_sets[parse_number(instance_id) % TITLES])

    def passed_items(self, instance_id: str, types: Sequence[str]) -> ItemList:  # noqa: ARG002 - all pass the same
        """The items that passed, in two pages: the titles of the run before."""
        self._add_calls(ITEMS, -(-TITLES // PAGE))
        return ItemList(self._passed, pages=2)

    def _add_calls(self, operation: str, number: int) -> None:
        self.calls[operation] += number
        self._clock.advance(number / self._rate)
