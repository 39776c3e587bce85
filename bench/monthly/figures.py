"""What the monthly bench leaves in bench/results/monthly.json."""

import msgspec

from bench.results import Result


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """What the process that made a month tells of itself."""

    seconds: float
    cpu_seconds: float
    peak_mb: float


class Month(msgspec.Struct, frozen=True, kw_only=True):
    """A month: what it took, and what arrived.

    parts: of the upload, 1 where it went up whole · rows: of the stored object · attached: rows
    in the thread · whole: whether every finding is in the object once, the worst first, and the
    thread has the first of them.
    """

    findings: int
    nodes: int
    seconds: float
    cpu_seconds: float
    peak_mb: float
    object_bytes: int
    parts: int
    rows: int
    attached: int
    whole: bool


class Monthly(Result, frozen=True, kw_only=True):
    """Rows that the CSV renderer writes in a second of the CPU, run by run, and months."""

    rows: int
    rows_a_second: tuple[float, ...]
    months: tuple[Month, ...]
