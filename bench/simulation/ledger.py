"""The ledger in memory, each call to it metered; of the history only the number of lines."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from bench.simulation.meter import Meter
from chalicelib.domain.history import EventKind, HistoryEvent
from chalicelib.domain.scan_record import ScanRecord

LINE = 1


@dataclass(frozen=True, slots=True)
class Price:
    """The operation of a call, and its units."""

    operation: str
    reads: int = 0
    writes: int = 0


# A message has some 10 KB, and a transaction costs twice.
PRICES = {
    "acquire": Price("PutItem", writes=1),
    "release": Price("DeleteItem", writes=1),
    "open": Price("Query", reads=3),
    "enqueue": Price("TransactWriteItems", writes=4),
    "mark_unannounced": Price("PutItem", writes=1),
    "stage": Price("TransactWriteItems", writes=30),
    "record": Price("PutItem", writes=10),
    "all": Price("Query", reads=1),
    "unsettled": Price("Query", reads=1),
}


class Metered:
    """A port of the ledger whose calls take time and units."""

    def __init__(self, port: object, meter: Meter) -> None:
        self._port = port
        self._meter = meter

    def __getattr__(self, method: str) -> Callable[..., Any]:
        """The method, behind the meter."""
        perform, price = getattr(self._port, method), PRICES[method]

        def call(*args: Any) -> Any:
            self._meter.call(price.operation, reads=price.reads, writes=price.writes)
            return perform(*args)

        return call


class CountedJournal:
    """`Journal` that keeps how many lines of each kind were written."""

    def __init__(self, meter: Meter) -> None:
        self.lines: Counter[EventKind] = Counter()
        self._meter = meter

    def write(self, events: Iterable[HistoryEvent]) -> None:
        """Count history."""
        kinds = Counter(event.kind for event in events)
        self.lines += kinds
        self._meter.write(kinds.total(), LINE)

    def record(self, scan: ScanRecord) -> None:  # noqa: ARG002 - nobody looks it up
        """Take what a pass did."""
        self._meter.call("PutItem", writes=1)
