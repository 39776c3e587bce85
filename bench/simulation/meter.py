"""What a call to DynamoDB takes and costs, by the sizes that AWS documents."""

from collections import Counter

from bench.promises import ROW_BYTES
from bench.simulation.clock import SimulatedClock
from chalicelib.aws.dynamodb_batches import READINGS, WRITES
from chalicelib.usecases.lookup import ROWS_A_PAGE

# Seconds: a call that brings next to nothing, and a page of 1 MB.
CALL, FULL_PAGE = 0.005, 0.100
A_ROW = (FULL_PAGE - CALL) / ROWS_A_PAGE
# A read unit is a consistent read of so many bytes; one of an index costs half of it.
UNIT_BYTES = 4_096


class Meter:
    """Moves the clock by what each call takes, and counts calls by operation, and units."""

    def __init__(self, clock: SimulatedClock) -> None:
        self.calls: Counter[str] = Counter()
        self.read_units = 0.0
        self.write_units = 0.0
        self._clock = clock

    def call(self, operation: str, *, reads: float = 0, writes: float = 0) -> None:
        """One call that brings next to nothing."""
        self._count(operation, 1, 0)
        self.read_units += reads
        self.write_units += writes

    def page(self, operation: str, rows: int) -> None:
        """One page, read consistently."""
        self._count(operation, 1, rows)
        self.read_units += _units(rows)

    def index(self, rows: int) -> None:
        """A query of an index, every page."""
        self._count("Query", max(1, -(-rows // ROWS_A_PAGE)), rows)
        self.read_units += _units(rows) / 2

    def keys(self, asked: int, found: int) -> None:
        """Rows read consistently by their keys; each is rounded up to a unit, also if absent."""
        self._count("BatchGetItem", -(-asked // READINGS), found)
        self.read_units += asked

    def write(self, rows: int, units: int) -> None:
        """Rows put or deleted that take so many units each."""
        self._count("BatchWriteItem", -(-rows // WRITES), 0)
        self.write_units += rows * units

    def _count(self, operation: str, calls: int, rows: int) -> None:
        if calls:
            self.calls[operation] += calls
        self._clock.forward(calls * CALL + rows * A_ROW)


def _units(rows: int) -> int:
    return max(1, -(-rows * ROW_BYTES // UNIT_BYTES))
