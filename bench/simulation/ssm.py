"""SSM Compliance on the simulated clock: each call takes the time that its rate allows it."""

from collections import Counter
from collections.abc import Sequence

from bench.simulation.clock import SimulatedClock
from bench.simulation.fleet import TITLES, Ran, number_of
from chalicelib.domain.compliance import Item, SummaryRow
from chalicelib.usecases.read import PAGE

SUMMARIES, ITEMS = "ListResourceComplianceSummaries", "ListComplianceItems"


class SimulatedSsm:
    """`Compliance` of a fleet that ran its checks, at `rate` calls a second.

    All calls go one after the other over the clock, whoever makes them: the rate is the
    account's, and more threads do not raise it.
    """

    def __init__(self, ran: Ran, clock: SimulatedClock, rate: float) -> None:
        self.calls: Counter[str] = Counter()
        self._rows = ran.summaries()
        self._shapes = ran.shapes()
        self._clock = clock
        self._rate = rate

    def summaries(self) -> tuple[SummaryRow, ...]:
        """A row for each node, in pages of 50."""
        self._call(SUMMARIES, -(-len(self._rows) // PAGE))
        return self._rows

    def items(self, instance_id: str, types: Sequence[str]) -> tuple[Item, ...]:  # noqa: ARG002 - there is one
        """The 20 items of a node: one page."""
        self._call(ITEMS, 1)
        return self._shapes[number_of(instance_id) % TITLES]

    def _call(self, operation: str, times: int) -> None:
        self.calls[operation] += times
        self._clock.forward(times / self._rate)
