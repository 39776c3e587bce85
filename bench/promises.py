"""What is promised, and whether the measurements keep it: every promised number stands here."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from statistics import median

from bench.cases import AGAIN, FIRST, MASS, QUIET, THROTTLED
from bench.fit import exponent, off_the_line
from bench.monthly.figures import Monthly
from bench.ratios import floor_ratio, ratio
from bench.results import (
    ApiCost,
    BadInput,
    CaseFigures,
    ColdStarts,
    Comparison,
    Floor,
    Growth,
    Load,
    Throttle,
)
from bench.simulation.figures import Simulation

QUIET_CALLS, OTHER_CALLS, QUIET_SECONDS = 40.0, 2.0, 3.0
LARGEST_FLOOR_RATIO = 1.25
LARGE, LARGEST_MB = 100_000, 160.0
LARGEST_EXPONENT, OFF_THE_LINE = 1.05, 2.0
# Calls to the ledger that a pass over an unchanged fleet may make.
QUIET_LEDGER_CALLS = 10
# A start, in milliseconds of whatever speed the machine had, and by what boto3 alone took then.
COLD_START_MS, LARGEST_START_RATIO = 650.0, 1.5
# Of the 95th percentiles: with 100 times the findings, a list by instance takes as long.
LIST, LARGEST_API_RATIO = "page of 50", 1.3
PAGE_MS = 50.0
CSV_ROWS, MONTHLY_MB = 150_000.0, 10.0
# Memory for each more node of a fleet.
NODE_BYTES = 2_560
# A page of either SSM listing (API reference, MaxResults).
PAGE = 50
# A DynamoDB page ends at 1 MB (developer guide, Query and Scan); a row here has about 450 bytes.
PAGE_BYTES, ROW_BYTES = 1_048_576, 450


@dataclass(frozen=True, slots=True)
class Verdict:
    """A promise, the number that was reached, and whether that keeps it."""

    promise: str
    limit: str
    reached: str
    kept: bool


def at_least(promise: str, reached: float, limit: float) -> Verdict:
    """So many times fewer than the baseline, or more."""
    return Verdict(promise, f"{limit:g}x or more", f"{reached:.1f}x", reached >= limit)


def at_most(promise: str, reached: float, limit: float, unit: str = "") -> Verdict:
    """A number that is not passed."""
    whole = unit or reached >= 100 or float(reached).is_integer()
    shown = f"{reached:,.0f}" if whole else f"{reached:.2f}"
    most = f"{limit:,g}{unit} or less" if limit else "none"
    return Verdict(promise, most, f"{shown}{unit}", reached <= limit)


def of_comparison(made: Comparison) -> Iterator[Verdict]:
    """Calls and seconds against the baseline, calls against what is needed, memory."""
    size = f"{made.findings:,} findings"
    for case in made.cases:
        found = ratio(case)
        limit = QUIET_CALLS if case.name == QUIET else OTHER_CALLS
        note = ", computed" if found.computed else ""
        yield at_least(f"{size}, {case.name}: fewer calls{note}", found.calls, limit)
        if case.name == QUIET:
            if found.seconds is not None:
                seconds = f"{size}, {case.name}: fewer seconds"
                yield at_least(seconds, found.seconds, QUIET_SECONDS)
            yield from _quiet(size, case)
        most = most_calls(case.name, made.nodes, made.findings)
        if most is not None:
            calls = median(run.all_calls for run in case.ours)
            yield at_most(f"{size}, {case.name}: calls", calls, most)
        if made.findings >= LARGE:
            peak = max(run.peak_mb for run in case.ours)
            yield at_most(f"{size}, {case.name}: memory", peak, LARGEST_MB, " MB")


def most_calls(case: str, nodes: int, findings: int) -> int | None:
    """The promised number of calls where the whole fleet ran again, None for other cases."""
    pages, changes = {
        FIRST: (ceil(findings / nodes / PAGE), findings),
        AGAIN: (ceil(findings / nodes / PAGE), 0),
        MASS: (0, findings),
    }.get(case, (None, 0))
    if pages is None:
        return None
    needed = (
        ceil(nodes / PAGE)
        + nodes * pages
        + ceil(findings * ROW_BYTES / PAGE_BYTES)
        + ceil(nodes / 25)
        + 2 * ceil(changes / 25)
    )
    return int(1.1 * needed) + 20


def _quiet(size: str, case: CaseFigures) -> Iterator[Verdict]:
    def most(operation: str) -> int:
        return max(run.calls.get(operation, 0) for run in case.ours)

    needless = most("ssm.ListComplianceItems") + most("dynamodb.BatchWriteItem")
    yield at_most(f"{size}, {case.name}: items read and rows written", needless, 0)
    # the node table is read by Scan; every other call to DynamoDB is one to the ledger
    ledger = max(
        sum(
            count
            for name, count in run.calls.items()
            if name.startswith("dynamodb.") and name != "dynamodb.Scan"
        )
        for run in case.ours
    )
    yield at_most(f"{size}, {case.name}: calls to the ledger", ledger, QUIET_LEDGER_CALLS)


def of_floor(made: Floor) -> Iterator[Verdict]:
    """Seconds against the floor."""
    for case in made.cases:
        promise = f"{made.findings:,} findings with latency, {case.name}: seconds by floor"
        yield at_most(promise, floor_ratio(made, case), LARGEST_FLOOR_RATIO)


def of_throttle(made: Throttle) -> Iterator[Verdict]:
    """No reading fails by the limit."""
    for case in made.cases:
        failed = sum(sum(run.doubts.values()) + run.left + bool(run.failure) for run in case.runs)
        promise = f"{made.rate:g} calls a second, {case.concurrency} at once: nodes not read"
        yield at_most(promise, failed, 0)


def of_growth(made: Growth) -> Iterator[Verdict]:
    """Exponents by case, and the line of "nothing changed"."""
    sizes = [each.findings for each in made.sizes]
    for calls, seconds in zip(growing(made, "all_calls"), growing(made, "seconds"), strict=True):
        name, figures = calls
        yield at_most(f"growth of calls, {name}", exponent(sizes, figures), LARGEST_EXPONENT)
        if name != THROTTLED:
            slope = exponent(sizes, seconds[1])
            yield at_most(f"growth of seconds, {name}", slope, LARGEST_EXPONENT)
        if name == QUIET:
            pages = [ceil(each.nodes / PAGE) for each in made.sizes]
            promise = f"{name}: calls off a line of one a summary page"
            yield at_most(promise, off_the_line(pages, figures), OFF_THE_LINE)


def growing(made: Growth, figure: str) -> Iterator[tuple[str, list[float]]]:
    """Of each case its name, and the median of a figure at each size."""
    for cases in zip(*(each.cases for each in made.sizes), strict=True):
        medians = [float(median(getattr(run, figure) for run in case.ours)) for case in cases]
        yield cases[0].name, medians


def of_bad_input(made: BadInput) -> Iterator[Verdict]:
    """Each expectation."""
    for case in made.cases:
        for check, kept in case.checks.items():
            yield Verdict(f"{case.name}: {check}", "holds", "holds" if kept else "fails", kept)


def of_cold_starts(made: ColdStarts) -> Iterator[Verdict]:
    """Milliseconds until a function can begin."""
    sdk = median(made.sdk_ms)
    for each in made.functions:
        ready = median(each.ready_ms)
        yield at_most(f"cold start, {each.name}", ready, COLD_START_MS, " ms")
        promise = f"cold start, {each.name}: by boto3 alone with the clients of a pass"
        yield at_most(promise, ready / sdk, LARGEST_START_RATIO)
        loaded = int(each.slack_loaded)
        yield at_most(f"cold start, {each.name}: Slack's SDK loaded", loaded, 0)


def of_api(made: ApiCost) -> Iterator[Verdict]:
    """A list takes as long over the large table as over the small one."""
    lists = sorted((each.findings, each.p95_ms) for each in made.kinds if each.kind == LIST)
    promise = f"API, {LIST}: p95 over {lists[-1][0]:,} findings by {lists[0][0]:,}"
    yield at_most(promise, lists[-1][1] / lists[0][1], LARGEST_API_RATIO)
    page = max(each.median_ms for each in made.kinds)
    yield at_most("API, any page: median", page, PAGE_MS, " ms")
    yield at_most("API: modules of slack_sdk that it loads", made.slack_modules, 0)


def of_load(made: Load) -> Iterator[Verdict]:
    """Every request is answered."""
    for kind in made.kinds:
        promise = f"API under load, {kind.name}: errors in {made.requests:,} requests"
        yield at_most(promise, kind.errors, 0)


def of_monthly(made: Monthly) -> Iterator[Verdict]:
    """The CSV's rate, memory that stays flat, and reports that arrive whole."""
    reached = median(made.rows_a_second)
    promise, limit = "CSV: rows a CPU second", f"{CSV_ROWS:,.0f} or more"
    yield Verdict(promise, limit, f"{reached:,.0f}", reached >= CSV_ROWS)
    *_, smaller, largest = sorted(made.months, key=lambda month: month.findings)
    promise = f"monthly report, {largest.findings:,} by {smaller.findings:,} findings: more memory"
    yield at_most(promise, largest.peak_mb - smaller.peak_mb, MONTHLY_MB, " MB")
    broken = sum(not month.whole for month in made.months)
    yield at_most("monthly reports that did not arrive whole, worst first", broken, 0)


def of_simulation(made: Simulation) -> Iterator[Verdict]:
    """Memory for each further node of the fleet; what else must hold, the simulation checks."""
    for what in dict.fromkeys(peak.what for peak in made.peaks):
        peaks = sorted((peak.nodes, peak.peak_mb) for peak in made.peaks if peak.what == what)
        (few, least), (many, most) = peaks[0], peaks[-1]
        promise = f"{what}, {few:,} to {many:,} nodes: memory for each more"
        yield at_most(promise, (most - least) * 1024**2 / (many - few), NODE_BYTES, " bytes")
