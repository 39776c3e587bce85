"""Simulated time, and the time and units that calls to DynamoDB take by its documentation."""

from collections import Counter
from datetime import datetime, timedelta
from threading import Lock

from bench.promises import ROW_BYTES
from chalicelib.adapters.dynamodb.tables import MAX_READS, MAX_WRITES
from chalicelib.usecases.ports import Settlement

# A DynamoDB page is limited to 1 MB (developer guide, Query and Scan).
ROWS_PER_PAGE = 1_048_576 // ROW_BYTES
# Seconds of a call with hardly any content, of a full page of 1 MB, and of each row on it.
CALL, FULL_PAGE = 0.005, 0.100
A_ROW = (FULL_PAGE - CALL) / ROWS_PER_PAGE
# A read unit covers this many bytes of a consistent read. An index costs half.
UNIT_BYTES = 4_096
# A finding id in a row of facts or in a mark.
FACT_BYTES = 22


class SimulatedClock:
    """A `Clock` that only calls move forward. Threads may share it.

    Times of calls add up, although the program writes one chunk while it reads the next.
    """

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._lock = Lock()

    def __call__(self) -> datetime:
        """The present of the simulation, aware UTC."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Move forward."""
        with self._lock:
            self._now += timedelta(seconds=seconds)

    def advance_to(self, at: datetime) -> None:
        """Move forward to a time. Does nothing if it is past."""
        with self._lock:
            self._now = max(self._now, at)


class Meter:
    """Advances the clock for each call, and counts calls by operation and units."""

    def __init__(self, clock: SimulatedClock) -> None:
        self.calls: Counter[str] = Counter()
        self.read_units = 0.0
        self.write_units = 0.0
        self._clock = clock

    def add_call(self, operation: str, *, reads: float = 0, writes: float = 0) -> None:
        """One call with hardly any content."""
        self._add(operation, 1, 0)
        self.read_units += reads
        self.write_units += writes

    def add_page(self, operation: str, rows: int) -> None:
        """One page of a consistent read."""
        self._add(operation, 1, rows)
        self.read_units += _count_units(rows)

    def add_settlement(self, settlement: Settlement) -> None:
        """A transaction, which costs twice, over node rows with their lists, facts and marks."""
        sizes = [len(after.open_list or b"") for _, after in settlement.nodes if after]
        sizes += [FACT_BYTES * each.count for each in settlement.facts]
        # the receipt and the mark
        sizes += [0, 0]
        self._add("TransactWriteItems", 1, 0)
        self.write_units += 2 * sum(size // 1_024 + 1 for size in sizes)

    def add_key_reads(self, keys: int, found: int) -> None:
        """Consistent reads by key. Each key costs a unit, also without a row."""
        self._add("BatchGetItem", -(-keys // MAX_READS), found)
        self.read_units += keys

    def add_writes(self, rows: int, units: int) -> None:
        """Puts or deletes of rows that cost `units` each."""
        self._add("BatchWriteItem", -(-rows // MAX_WRITES), 0)
        self.write_units += rows * units

    def _add(self, operation: str, calls: int, rows: int) -> None:
        if calls:
            self.calls[operation] += calls
        self._clock.advance(calls * CALL + rows * A_ROW)


def _count_units(rows: int) -> int:
    return max(1, -(-rows * ROW_BYTES // UNIT_BYTES))
