"""What the measurements leave in bench/results: one JSON file each, read by bench.report."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from bench.figures import Run

FOLDER = Path(__file__).parent / "results"


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """When something was measured, and on how many cores."""

    when: str = ""
    cores: int = 0


class CaseFigures(msgspec.Struct, frozen=True, kw_only=True):
    """The scans of one case; without any of the baseline, `plain_calls` is what it would call."""

    name: str
    ours: tuple[Run, ...]
    plain: tuple[Run, ...] = ()
    plain_calls: dict[str, int] = {}


class Comparison(Result, frozen=True, kw_only=True):
    """The pass, and the baseline where it ran, over a fleet of `nodes` with so many findings."""

    findings: int
    nodes: int
    cases: tuple[CaseFigures, ...]


class Growth(Result, frozen=True, kw_only=True):
    """The pass alone over fleets of growing size."""

    sizes: tuple[Comparison, ...]


class FloorCase(msgspec.Struct, frozen=True, kw_only=True):
    """Pages that a case must read; scans without latency and, by turns, with it."""

    name: str
    summary_pages: int
    item_pages: int
    still: tuple[Run, ...]
    runs: tuple[Run, ...]


class Floor(Result, frozen=True, kw_only=True):
    """The pass with a latency of each call, in seconds."""

    findings: int
    ssm_seconds: float
    dynamodb_seconds: float
    concurrency: int
    cases: tuple[FloorCase, ...]


class ThrottledAt(msgspec.Struct, frozen=True, kw_only=True):
    """Scans at one concurrency; of each, the SSM calls that were taken and those refused."""

    concurrency: int
    runs: tuple[Run, ...]
    taken: tuple[int, ...]
    refused: tuple[int, ...]


class Throttle(Result, frozen=True, kw_only=True):
    """The pass while SSM takes only so many calls a second."""

    findings: int
    rate: float
    cases: tuple[ThrottledAt, ...]


class BadCase(msgspec.Struct, frozen=True, kw_only=True):
    """Scans of an odd fleet, and what was expected of them with whether it came true."""

    name: str
    runs: tuple[Run, ...]
    checks: dict[str, bool]


class BadInput(Result, frozen=True, kw_only=True):
    """Fleets and services that behave badly."""

    cases: tuple[BadCase, ...]


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """Cold starts of one function, in milliseconds; uncompiled: in turn, without bytecode."""

    name: str
    import_ms: tuple[float, ...]
    ready_ms: tuple[float, ...]
    uncompiled_ms: tuple[float, ...]
    slack_loaded: bool


class ColdStarts(Result, frozen=True, kw_only=True):
    """Cold starts of the functions; sdk: boto3 alone with the clients of a pass."""

    functions: tuple[Start, ...]
    sdk_ms: tuple[float, ...]


class ApiRequests(msgspec.Struct, frozen=True, kw_only=True):
    """Requests of one kind to an API over so many findings, in milliseconds."""

    findings: int
    kind: str
    median_ms: float
    p95_ms: float


class ApiCost(Result, frozen=True, kw_only=True):
    """What a request costs at two sizes of the table."""

    requests: int
    slack_modules: int
    kinds: tuple[ApiRequests, ...]


class LoadKind(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of request under load."""

    name: str
    p50_ms: float
    p95_ms: float
    per_second: float
    errors: int


class Load(Result, frozen=True, kw_only=True):
    """The API under many users at once."""

    findings: int
    requests: int
    users: int
    kinds: tuple[LoadKind, ...]


R = TypeVar("R", bound=Result)


def today() -> str:
    """The date of a measurement."""
    return f"{datetime.now(UTC):%Y-%m-%d}"


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0))


def save(name: str, result: Result, folder: Path = FOLDER) -> None:
    """Keep a result as `<name>.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    written = msgspec.json.format(msgspec.json.encode(result), indent=1)
    (folder / f"{name}.json").write_bytes(written + b"\n")


def read(name: str, kind: type[R], folder: Path = FOLDER) -> R | None:
    """A kept result; None where it was never measured."""
    path = folder / f"{name}.json"
    return msgspec.json.decode(path.read_bytes(), type=kind) if path.exists() else None
