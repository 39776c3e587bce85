"""Results of the monthly report and of the simulated fleet, in bench/results."""

import msgspec

from bench.results import Result


class ProcessCost(msgspec.Struct, frozen=True, kw_only=True):
    """The time and peak memory that a process reports about itself."""

    seconds: float
    cpu_seconds: float
    peak_mb: float


class Month(msgspec.Struct, frozen=True, kw_only=True):
    """One monthly report.

    parts: of the S3 upload, 1 without multipart · rows: in the S3 object · thread_rows: in the
    Slack thread · complete: every finding is in the object once, worst first, and the thread holds
    the first rows of the object.
    """

    findings: int
    nodes: int
    seconds: float
    cpu_seconds: float
    peak_mb: float
    object_bytes: int
    parts: int
    rows: int
    thread_rows: int
    complete: bool


class Monthly(Result, frozen=True, kw_only=True):
    """Monthly reports by size, and CSV rows written per CPU second in each run over `rows`."""

    rows: int
    rows_a_second: tuple[float, ...]
    months: tuple[Month, ...]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A change of the whole fleet at `rate` calls to SSM a second.

    hours, lambda_seconds: simulated · cpu_seconds: of this process, the simulation included ·
    dollars: computed from `ops.costs`.
    """

    rate: float
    scans: int
    hours: float
    lambda_seconds: float
    summary_calls: int
    item_calls: int
    dynamodb_calls: int
    read_units: int
    write_units: int
    messages: int
    cpu_seconds: float
    dollars: float


class Peak(msgspec.Struct, frozen=True, kw_only=True):
    """The peak memory of one scan over `nodes` nodes, and the number of nodes it read."""

    case: str
    nodes: int
    read: int
    peak_mb: float


class Simulation(Result, frozen=True, kw_only=True):
    """Changes of a whole fleet by rate, and peak memory by size."""

    nodes: int
    findings_a_node: int
    changes: tuple[Change, ...]
    peaks: tuple[Peak, ...]
