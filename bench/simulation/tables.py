"""The three tables in memory. A meter counts every call."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from bench.simulation.clock import FACT_BYTES, ROWS_PER_PAGE, Meter
from chalicelib.domain.finding import Finding
from chalicelib.domain.history import EventKey, EventKind, FactRow, HistoryEvent, Mark, Receipt
from chalicelib.domain.node import Node
from chalicelib.domain.scan import ScanRecord
from chalicelib.usecases.ports import FactLog, NodeStore, Selection, Settlement

# Write units of a finding with its two index rows, of a node, and of a line of history.
FINDING_UNITS, NODE_UNITS, HISTORY_UNITS = 3, 1, 1


class FindingTable:
    """A `FindingStore` that keeps findings by node."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._nodes: dict[str, dict[str, Finding]] = {}
        self._owners: dict[str, str] = {}

    def load(self, findings: Iterable[Finding]) -> None:
        """Put rows into the table before the simulation, unmetered."""
        for finding in findings:
            finding_id = finding.finding_id
            self._nodes.setdefault(finding.instance_id, {})[finding_id] = finding
            self._owners[finding_id] = finding.instance_id

    def list_rows(self) -> Iterator[Finding]:
        """Every finding, unmetered."""
        return (row for rows in self._nodes.values() for row in rows.values())

    def all(self) -> Iterator[Finding]:
        """Every finding, page by page."""
        rows = self.list_rows()
        while page := tuple(islice(rows, ROWS_PER_PAGE)):
            self._meter.add_page("Scan", len(page))
            yield from page

    def page(self, selection: Selection, after: str | None, limit: int) -> tuple[Finding, ...]:
        """Only the API reads pages, so the simulation has none."""
        raise NotImplementedError

    def get(self, finding_ids: Iterable[str]) -> dict[str, Finding]:
        """The stored findings among these ids."""
        ids = set(finding_ids)
        found = {each: self._nodes[self._owners[each]][each] for each in ids & self._owners.keys()}
        self._meter.add_key_reads(len(ids), len(found))
        return found

    def put(self, findings: Iterable[Finding]) -> None:
        """Insert or replace."""
        rows = tuple(findings)
        self.load(rows)
        self._meter.add_writes(len(rows), FINDING_UNITS)

    def delete(self, finding_ids: Iterable[str]) -> None:
        """Remove, if stored."""
        ids = tuple(finding_ids)
        for each in ids:
            owner = self._owners.pop(each, None)
            if owner is not None:
                del self._nodes[owner][each]
        self._meter.add_writes(len(ids), FINDING_UNITS)


class NodeTable:
    """A metered `NodeStore`."""

    def __init__(self, store: NodeStore, meter: Meter) -> None:
        self._store = store
        self._meter = meter

    def all(self) -> Sequence[Node]:
        """Every node."""
        nodes = self._store.all()
        for start in range(0, max(1, len(nodes)), ROWS_PER_PAGE):
            self._meter.add_page("Scan", min(ROWS_PER_PAGE, len(nodes) - start))
        return nodes

    def page(self, after: str | None, limit: int) -> Sequence[Node]:
        """Only the API reads pages, so the simulation has none."""
        raise NotImplementedError

    def put(self, nodes: Iterable[Node]) -> None:
        """Insert or replace."""
        rows = tuple(nodes)
        self._store.put(rows)
        self._meter.add_writes(len(rows), NODE_UNITS)


class FactTable:
    """A metered `FactLog`. The history of a settlement goes to the journal."""

    def __init__(self, facts: FactLog, journal: "CountingJournal", meter: Meter) -> None:
        self._facts = facts
        self._journal = journal
        self._meter = meter

    def mark(self, mark: Mark) -> None:
        """Write a mark of as many kilobytes as its ids take."""
        ids = sum(len(each.kinds) for each in mark.nodes)
        self._meter.add_call("PutItem", writes=ids * FACT_BYTES // 1_024 + 1)
        self._facts.mark(mark)

    def settle(self, settlement: Settlement) -> None:
        """Write a transaction."""
        self._meter.add_settlement(settlement)
        self._journal.write(settlement.rows.events)
        self._facts.settle(settlement)

    def rows(self, after: Receipt, until: Receipt) -> Iterator[FactRow]:
        """The facts of scans that died. None dies here."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Price:
    """The operation of a call, and its units."""

    operation: str
    reads: int = 0
    writes: int = 0


# By method of a ledger port. A message has some 10 KB, and a transaction costs twice.
PRICES = {
    "acquire": Price("PutItem", writes=1),
    "release": Price("DeleteItem", writes=1),
    "open": Price("Query", reads=3),
    "enqueue": Price("TransactWriteItems", writes=4),
    "stage": Price("TransactWriteItems", writes=30),
    "record": Price("PutItem", writes=10),
    "all": Price("Query", reads=1),
    "unsettled": Price("Query", reads=1),
    "put": Price("BatchWriteItem", writes=25),
}


class MeteredPort:
    """A port of the ledger, metered by `PRICES`."""

    def __init__(self, port: object, meter: Meter) -> None:
        self._port = port
        self._meter = meter

    def __getattr__(self, method: str) -> Callable[..., Any]:
        """The method of the port, metered."""
        perform, price = getattr(self._port, method), PRICES[method]

        def call(*args: Any) -> Any:
            self._meter.add_call(price.operation, reads=price.reads, writes=price.writes)
            return perform(*args)

        return call


class CountingJournal:
    """A metered `Journal` that keeps the number of lines of each kind."""

    def __init__(self, meter: Meter) -> None:
        self.lines: Counter[EventKind] = Counter()
        self._meter = meter

    def write(self, events: Iterable[HistoryEvent]) -> None:
        """Count lines of history."""
        kinds = Counter(event.kind for event in events)
        self.lines += kinds
        self._meter.add_writes(kinds.total(), HISTORY_UNITS)

    def find(self, keys: Iterable[EventKey]) -> tuple[HistoryEvent, ...]:
        """Nothing: only names of facts that an earlier scan left are looked up."""
        raise NotImplementedError

    def record(self, scan: ScanRecord) -> None:  # noqa: ARG002 - nothing reads it
        """Meter the record of a scan."""
        self._meter.add_call("PutItem", writes=1)
