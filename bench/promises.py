"""Every promised number, and whether the measurements keep it."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from statistics import median

from bench.cases import ALL_FIXED, FIRST, QUIET, RERUN, THROTTLED
from bench.figures import (
    compute_floor_ratio,
    compute_line_error,
    compute_ratio,
    fit_exponent,
)
from bench.fleet_results import Monthly, Simulation
from bench.results import (
    ApiCost,
    BadInput,
    CaseResult,
    ColdStarts,
    Comparison,
    Floor,
    Growth,
    Load,
    Throttle,
)
from bench.ssm.fleet import COMPLIANT

# The baseline's figures divided by ours. They guard against regressions and claim no speed.
QUIET_CALLS, OTHER_CALLS, QUIET_SECONDS = 40.0, 2.0, 3.0
LARGEST_FLOOR_RATIO = 1.25
LARGE, LARGEST_MB = 100_000, 160.0
LARGEST_EXPONENT, LARGEST_LINE_ERROR = 1.05, 2.0
# Calls to the ledger in a scan of an unchanged fleet.
QUIET_LEDGER_CALLS = 10
# A cold start, in milliseconds and as a multiple of boto3 alone in the same run.
COLD_START_MS, LARGEST_START_RATIO = 650.0, 1.5
# The p95 of a list by instance with 100 times the findings, as a multiple.
LIST, LARGEST_API_RATIO = "findings of a node", 1.3
# The p95 of any request, in a warm process and as the first one.
WARM_MS, COLD_MS = 400.0, 2_000.0
CSV_ROWS, MONTHLY_MB = 150_000.0, 10.0
# Memory for each additional node.
NODE_BYTES = 2_560
# The most rows of either SSM listing (API reference, MaxResults).
PAGE = 50
# A DynamoDB page ends at 1 MB (developer guide, Query and Scan). A row of ours has some 450 bytes.
PAGE_BYTES, ROW_BYTES = 1_048_576, 450


@dataclass(frozen=True, slots=True)
class Verdict:
    """A promise, its limit, the number reached, and whether that number keeps the promise."""

    promise: str
    limit: str
    reached: str
    kept: bool


def format_verdict(verdict: Verdict) -> str:
    """One line for a terminal, in rich's markup."""
    word = "kept    " if verdict.kept else "[red]not kept[/]"
    return f"{word} {verdict.promise}: {verdict.reached} ({verdict.limit})"


def require_at_least(promise: str, ratio: float, limit: float) -> Verdict:
    """A ratio that must reach its limit."""
    return Verdict(promise, f"{limit:g}x or more", f"{ratio:.1f}x", ratio >= limit)


def require_at_most(promise: str, reached: float, limit: float, unit: str = "") -> Verdict:
    """A number that must not exceed its limit."""
    whole = unit or reached >= 100 or float(reached).is_integer()
    shown = f"{reached:,.0f}" if whole else f"{reached:.2f}"
    most = f"{limit:,g}{unit} or less" if limit else "none"
    return Verdict(promise, most, f"{shown}{unit}", reached <= limit)


def judge_comparison(result: Comparison) -> Iterator[Verdict]:
    """Ratios to the baseline, numbers of calls, and memory."""
    size = f"{result.findings:,} findings"
    for case in result.cases:
        ratio = compute_ratio(case)
        limit = QUIET_CALLS if case.name == QUIET else OTHER_CALLS
        note = ", computed" if ratio.computed else ""
        promise = f"{size}, {case.name}: baseline calls / ours{note}"
        yield require_at_least(promise, ratio.calls, limit)
        if case.name == QUIET:
            if ratio.seconds is not None:
                promise = f"{size}, {case.name}: baseline seconds / ours"
                yield require_at_least(promise, ratio.seconds, QUIET_SECONDS)
            yield from _judge_quiet_case(size, case)
        most = compute_call_limit(case.name, result.nodes, result.findings)
        if most is not None:
            calls = median(scan.call_count for scan in case.ours)
            yield require_at_most(f"{size}, {case.name}: calls", calls, most)
        if result.findings >= LARGE:
            peak = max(scan.peak_mb for scan in case.ours)
            yield require_at_most(f"{size}, {case.name}: peak memory", peak, LARGEST_MB, " MB")


def compute_call_limit(case: str, nodes: int, findings: int) -> int | None:
    """The most calls promised for a case in which the whole fleet ran again, else None.

    Where everything is fixed, the passed items are read instead of the failed ones: the
    stand-in shows 40 of them at least, and all that were fixed.
    """
    item_pages, changes = {
        FIRST: (ceil(findings / nodes / PAGE), findings),
        RERUN: (ceil(findings / nodes / PAGE), 0),
        ALL_FIXED: (ceil(max(COMPLIANT, findings / nodes) / PAGE), findings),
    }.get(case, (None, 0))
    if item_pages is None:
        return None
    needed = (
        ceil(nodes / PAGE)
        + nodes * item_pages
        + ceil(findings * ROW_BYTES / PAGE_BYTES)
        + ceil(nodes / 25)
        + 2 * ceil(changes / 25)
    )
    return int(1.1 * needed) + 20


def _judge_quiet_case(size: str, case: CaseResult) -> Iterator[Verdict]:
    def find_most(operation: str) -> int:
        return max(scan.calls.get(operation, 0) for scan in case.ours)

    needless = find_most("ssm.ListComplianceItems") + find_most("dynamodb.BatchWriteItem")
    yield require_at_most(f"{size}, {case.name}: items read and rows written", needless, 0)
    # a scan reads the node table by Scan; every other call to DynamoDB is one to the ledger
    ledger = max(
        sum(
            count
            for name, count in scan.calls.items()
            if name.startswith("dynamodb.") and name != "dynamodb.Scan"
        )
        for scan in case.ours
    )
    yield require_at_most(f"{size}, {case.name}: calls to the ledger", ledger, QUIET_LEDGER_CALLS)


def judge_floor(result: Floor) -> Iterator[Verdict]:
    """Seconds as a multiple of the floor."""
    for case in result.cases:
        promise = f"{result.findings:,} findings with latency, {case.name}: seconds / floor"
        yield require_at_most(promise, compute_floor_ratio(result, case), LARGEST_FLOOR_RATIO)


def judge_throttle(result: Throttle) -> Iterator[Verdict]:
    """No read fails because of the limit."""
    for case in result.cases:
        failed = sum(
            sum(scan.unverified.values()) + scan.deferred + bool(scan.failure)
            for scan in case.scans
        )
        promise = f"{result.rate:g} calls a second, concurrency {case.concurrency}: nodes not read"
        yield require_at_most(promise, failed, 0)


def judge_growth(result: Growth) -> Iterator[Verdict]:
    """Exponents by case, and the line through the calls of "nothing changed"."""
    sizes = [each.findings for each in result.sizes]
    calls = dict(list_medians(result, "call_count"))
    seconds = dict(list_medians(result, "seconds"))
    for name, medians in calls.items():
        exponent = fit_exponent(sizes, medians)
        yield require_at_most(f"growth exponent of calls, {name}", exponent, LARGEST_EXPONENT)
        if name != THROTTLED:
            exponent = fit_exponent(sizes, seconds[name])
            promise = f"growth exponent of seconds, {name}"
            yield require_at_most(promise, exponent, LARGEST_EXPONENT)
        if name == QUIET:
            pages = [ceil(each.nodes / PAGE) for each in result.sizes]
            promise = f"{name}: distance of calls from a line of one per summary page"
            error = compute_line_error(pages, medians)
            yield require_at_most(promise, error, LARGEST_LINE_ERROR)


def list_medians(result: Growth, figure: str) -> Iterator[tuple[str, list[float]]]:
    """The name of each case, and the median of a figure at each size."""
    for cases in zip(*(each.cases for each in result.sizes), strict=True):
        medians = [float(median(getattr(scan, figure) for scan in case.ours)) for case in cases]
        yield cases[0].name, medians


def judge_bad_input(result: BadInput) -> Iterator[Verdict]:
    """Each expectation."""
    for case in result.cases:
        for check, kept in case.checks.items():
            yield Verdict(f"{case.name}: {check}", "holds", "holds" if kept else "fails", kept)


def judge_cold_starts(result: ColdStarts) -> Iterator[Verdict]:
    """Milliseconds until a function is ready."""
    boto3 = median(result.boto3_ms)
    for each in result.functions:
        ready = median(each.ready_ms)
        yield require_at_most(f"cold start, {each.name}", ready, COLD_START_MS, " ms")
        promise = f"cold start, {each.name}: time / boto3 alone"
        yield require_at_most(promise, ready / boto3, LARGEST_START_RATIO)
        loaded = int(each.slack_loaded)
        yield require_at_most(f"cold start, {each.name}: slack_sdk loaded", loaded, 0)


def judge_api_cost(result: ApiCost) -> Iterator[Verdict]:
    """A list of a node takes as long in a large fleet, and no request takes long."""
    lists = sorted((each.findings, each.p95_ms) for each in result.kinds if each.kind == LIST)
    promise = f"API, {LIST}: p95 at {lists[-1][0]:,} findings / p95 at {lists[0][0]:,}"
    yield require_at_most(promise, lists[-1][1] / lists[0][1], LARGEST_API_RATIO)
    for kind in dict.fromkeys(each.kind for each in result.kinds):
        own = [each for each in result.kinds if each.kind == kind]
        warm, cold = max(each.p95_ms for each in own), max(each.cold_p95_ms for each in own)
        yield require_at_most(f"API, {kind}: p95", warm, WARM_MS, " ms")
        yield require_at_most(f"API, {kind}: p95 of first requests", cold, COLD_MS, " ms")
    yield require_at_most("API: modules of slack_sdk loaded", result.slack_modules, 0)


def judge_load(result: Load) -> Iterator[Verdict]:
    """Every request succeeds."""
    for kind in result.kinds:
        promise = f"API under load, {kind.name}: errors in {result.requests:,} requests"
        yield require_at_most(promise, kind.errors, 0)


def judge_monthly(result: Monthly) -> Iterator[Verdict]:
    """The rate of the CSV, flat memory, and complete reports."""
    reached = median(result.rows_a_second)
    promise, limit = "CSV: rows per CPU second", f"{CSV_ROWS:,.0f} or more"
    yield Verdict(promise, limit, f"{reached:,.0f}", reached >= CSV_ROWS)
    *_, smaller, largest = sorted(result.months, key=lambda month: month.findings)
    sizes = f"{largest.findings:,} findings instead of {smaller.findings:,}"
    promise = f"monthly report, {sizes}: additional memory"
    yield require_at_most(promise, largest.peak_mb - smaller.peak_mb, MONTHLY_MB, " MB")
    incomplete = sum(not month.complete for month in result.months)
    yield require_at_most("monthly reports incomplete or out of order", incomplete, 0)


def judge_simulation(result: Simulation) -> Iterator[Verdict]:
    """Memory for each additional node. The simulation checks everything else while it runs."""
    for case in dict.fromkeys(peak.case for peak in result.peaks):
        peaks = sorted((peak.nodes, peak.peak_mb) for peak in result.peaks if peak.case == case)
        (few, least), (many, most) = peaks[0], peaks[-1]
        promise = f"{case}, {few:,} to {many:,} nodes: memory for each additional node"
        yield require_at_most(
            promise, (most - least) * 1024**2 / (many - few), NODE_BYTES, " bytes"
        )
