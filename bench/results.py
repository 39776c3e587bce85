"""Results of measurements: one JSON file each in bench/results, rendered by bench.report."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import msgspec

FOLDER = Path(__file__).parent / "results"


class MeasuredScan(msgspec.Struct, frozen=True, kw_only=True):
    """One scan.

    calls: by operation, retries included · engine_seconds: the summed duration of its calls to
    DynamoDB · peak_mb: in MiB · deferred: nodes that it had no time to read · unverified: nodes by
    reason · topic: of the message that it announced · failure: the error that stopped it.
    """

    seconds: float
    cpu_seconds: float
    engine_seconds: float
    peak_mb: float
    calls: dict[str, int]
    read_units: float
    write_units: float
    new: int = 0
    fixed: int = 0
    open: int = 0
    deferred: int = 0
    unverified: dict[str, int] = {}
    topic: str = ""
    failure: str = ""

    @property
    def call_count(self) -> int:
        """The number of calls to AWS."""
        return sum(self.calls.values())


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """The date of a measurement (YYYY-MM-DD), and the number of cores it had."""

    when: str = ""
    cores: int = 0


class CaseResult(msgspec.Struct, frozen=True, kw_only=True):
    """The scans of one case. Without scans of the baseline, its computed calls stand in."""

    name: str
    ours: tuple[MeasuredScan, ...]
    baseline: tuple[MeasuredScan, ...] = ()
    baseline_calls: dict[str, int] = {}


class Comparison(Result, frozen=True, kw_only=True):
    """Our scan and the baseline over one fleet."""

    findings: int
    nodes: int
    cases: tuple[CaseResult, ...]


class Growth(Result, frozen=True, kw_only=True):
    """Our scan over fleets of growing size."""

    sizes: tuple[Comparison, ...]


class FloorCase(msgspec.Struct, frozen=True, kw_only=True):
    """The pages that a case must read, and its scans without and with latency."""

    name: str
    summary_pages: int
    item_pages: int
    without_latency: tuple[MeasuredScan, ...]
    with_latency: tuple[MeasuredScan, ...]


class Floor(Result, frozen=True, kw_only=True):
    """Our scan while every call has a latency, in seconds."""

    findings: int
    ssm_seconds: float
    dynamodb_seconds: float
    concurrency: int
    cases: tuple[FloorCase, ...]


class ThrottleCase(msgspec.Struct, frozen=True, kw_only=True):
    """Scans at one concurrency, with the SSM calls accepted and refused in each."""

    concurrency: int
    scans: tuple[MeasuredScan, ...]
    accepted: tuple[int, ...]
    refused: tuple[int, ...]


class Throttle(Result, frozen=True, kw_only=True):
    """Our scan while SSM accepts `rate` calls a second."""

    findings: int
    rate: float
    cases: tuple[ThrottleCase, ...]


class BadCase(msgspec.Struct, frozen=True, kw_only=True):
    """Scans of an odd fleet, and whether each expectation held."""

    name: str
    scans: tuple[MeasuredScan, ...]
    checks: dict[str, bool]


class BadInput(Result, frozen=True, kw_only=True):
    """Odd fleets, and an SSM that misbehaves."""

    cases: tuple[BadCase, ...]


class FunctionStart(msgspec.Struct, frozen=True, kw_only=True):
    """Cold starts of one function, in milliseconds."""

    name: str
    import_ms: tuple[float, ...]
    ready_ms: tuple[float, ...]
    without_bytecode_ms: tuple[float, ...]
    slack_loaded: bool


class ColdStarts(Result, frozen=True, kw_only=True):
    """Cold starts of every function. boto3_ms: boto3 alone, with the clients of a scan."""

    functions: tuple[FunctionStart, ...]
    boto3_ms: tuple[float, ...]


class ApiLatency(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of request to a fleet with so many findings and titles.

    cpu_ms: CPU time of the process, the median · cold: the first request of a process, from
    its first import.
    """

    findings: int
    titles: int
    kind: str
    median_ms: float
    p95_ms: float
    cpu_ms: float
    read_units: float
    cold_p95_ms: float
    cold_cpu_ms: float
    cold_read_units: float


class ApiCost(Result, frozen=True, kw_only=True):
    """Requests to fleets of several sizes: `requests` of each kind, then `cold_starts`."""

    requests: int
    cold_starts: int
    slack_modules: int
    kinds: tuple[ApiLatency, ...]


class LoadKind(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of request under load."""

    name: str
    p50_ms: float
    p95_ms: float
    per_second: float
    errors: int


class Load(Result, frozen=True, kw_only=True):
    """The API with several users at once, `requests` of each kind."""

    findings: int
    requests: int
    users: int
    kinds: tuple[LoadKind, ...]


R = TypeVar("R", bound=Result)


def format_today() -> str:
    """The present date in UTC, YYYY-MM-DD."""
    return f"{datetime.now(UTC):%Y-%m-%d}"


def count_cores() -> int:
    """The number of processors that this process may use."""
    return len(os.sched_getaffinity(0))


def save(name: str, result: Result, folder: Path = FOLDER) -> None:
    """Write a result to `<name>.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    content = msgspec.json.format(msgspec.json.encode(result), indent=1)
    (folder / f"{name}.json").write_bytes(content + b"\n")


def read(name: str, kind: type[R], folder: Path = FOLDER) -> R | None:
    """A saved result, or None if it was never measured."""
    path = folder / f"{name}.json"
    return msgspec.json.decode(path.read_bytes(), type=kind) if path.exists() else None
