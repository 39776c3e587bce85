"""Each kind of result as a section of docs/benchmarks.md; pure."""

from collections.abc import Iterable, Sequence
from math import ceil
from statistics import median

from bench.cases import QUIET, THROTTLED
from bench.figures import Run
from bench.fit import exponent, off_the_line
from bench.promises import PAGE, growing
from bench.ratios import floor_ratio, floor_seconds, ratio, throttle_ratio
from bench.results import (
    ApiCost,
    BadInput,
    CaseFigures,
    ColdStarts,
    Comparison,
    Floor,
    Growth,
    Load,
    Result,
    Throttle,
)


def table(head: Sequence[str], rows: Iterable[Sequence[str]], words: int = 1) -> list[str]:
    """A Markdown table; the first `words` columns hold words, the others numbers."""
    ruler = ["---"] * words + ["---:"] * (len(head) - words)
    return [f"| {' | '.join(row)} |" for row in (head, ruler, *rows)]


def measured(made: Result, runs: int | str) -> list[str]:
    """When and how often, as each section begins."""
    when = f"Measured on {made.when}" if made.when else "Measured on a day that was not noted"
    where = f", {made.cores} cores" if made.cores else ""
    times = runs if isinstance(runs, str) else f"{runs} run{'s' * (runs != 1)}"
    return [f"{when}{where}; {times}.", ""]


def comparison(made: Comparison) -> list[str]:
    """The pass against the baseline."""
    runs = f"{_runs(made.cases[0].ours)} of ours, {_runs(made.cases[0].plain)} of the baseline"
    columns = ("case", "", "calls", "read units", "write units", "seconds", "spread", "peak MB")
    rows = [row for case in made.cases for row in _compared(case)]
    return [
        *measured(made, runs),
        (
            f"{made.nodes:,} nodes with {made.findings // made.nodes} findings each. "
            "Medians; the row *times fewer* is the baseline by ours."
        ),
        "",
        *table(columns, rows, words=2),
        "",
        "Calls by operation:",
        "",
        *table(("operation", *(case.name for case in made.cases)), _operations(made)),
        "",
    ]


def _runs(runs: Sequence[Run]) -> str:
    return {0: "none", 1: "one run"}.get(len(runs), f"{len(runs)} runs")


def _compared(case: CaseFigures) -> list[tuple[str, ...]]:
    found = ratio(case)
    rows = [_figures(case.name, "ours", case.ours)]
    if case.plain:
        rows.append(_figures("", "baseline", case.plain))
    else:
        calls = sum(case.plain_calls.values())
        rows.append(("", "baseline, computed", f"{calls:,}", "", "", "", "", ""))
    times = (found.calls, found.read_units, found.write_units, found.seconds, None, found.peak_mb)
    rows.append(("", "*times fewer*", *("" if each is None else f"{each:.1f}" for each in times)))
    return rows


def _figures(case: str, variant: str, runs: Sequence[Run]) -> tuple[str, ...]:
    seconds = [run.seconds for run in runs]
    return (
        case,
        variant,
        f"{median(run.all_calls for run in runs):,.0f}",
        f"{median(run.read_units for run in runs):,.0f}",
        f"{median(run.write_units for run in runs):,.0f}",
        f"{median(seconds):.2f}",
        f"{min(seconds):.2f} to {max(seconds):.2f}",
        f"{median(run.peak_mb for run in runs):.0f}",
    )


def _operations(made: Comparison) -> list[tuple[str, ...]]:
    rows = []
    for who in ("ours", "baseline"):
        by_case = [_calls(case, who) for case in made.cases]
        for name in sorted({name for calls in by_case for name in calls}):
            counts = (f"{calls[name]:,.0f}" if calls.get(name) else "" for calls in by_case)
            rows.append((f"{who}: {name}", *counts))
    return rows


def _calls(case: CaseFigures, who: str) -> dict[str, float]:
    runs = case.ours if who == "ours" else case.plain
    if not runs:
        return {name: float(count) for name, count in case.plain_calls.items()}
    names = {name for run in runs for name in run.calls}
    return {name: float(median(run.calls.get(name, 0) for run in runs)) for name in names}


def floor(made: Floor) -> list[str]:
    """How near the least time."""
    head = ("case", "summary pages", "item pages", "engine s", "floor s", "ours s", "ours by floor")
    rows = (
        (
            case.name,
            f"{case.summary_pages}",
            f"{case.item_pages}",
            f"{case.still.engine_seconds:.2f}",
            f"{floor_seconds(made, case):.2f}",
            f"{median(run.seconds for run in case.runs):.2f}",
            f"{floor_ratio(made, case):.2f}",
        )
        for case in made.cases
    )
    return [
        *measured(made, len(made.cases[0].runs)),
        (
            f"{made.findings:,} findings, {made.ssm_seconds * 1000:.0f} ms a call to SSM and "
            f"{made.dynamodb_seconds * 1000:.0f} ms a call to DynamoDB, "
            f"`SSM_CONCURRENCY` {made.concurrency}. The floor is summary pages x latency, one "
            "after the other, item pages x latency / concurrency, and the summed time of DynamoDB "
            "Local's calls in a scan without latency (*engine*)."
        ),
        "",
        *table(head, rows),
        "",
    ]


def throttle(made: Throttle) -> list[str]:
    """What a limit of SSM does."""
    head = (
        "at once",
        "seconds",
        "spread",
        "calls taken",
        "refused",
        "seconds by calls / rate",
        "nodes in doubt",
        "nodes left",
        "passes that failed",
    )
    rows = []
    for case in made.cases:
        seconds = [run.seconds for run in case.runs]
        rows.append(
            (
                f"{case.concurrency}",
                f"{median(seconds):.1f}",
                f"{min(seconds):.1f} to {max(seconds):.1f}",
                f"{median(case.taken):.0f}",
                f"{median(case.refused):.0f}",
                f"{throttle_ratio(made, case):.2f}",
                f"{sum(sum(run.doubts.values()) for run in case.runs)}",
                f"{sum(run.left for run in case.runs)}",
                f"{sum(bool(run.failure) for run in case.runs)}",
            )
        )
    return [
        *measured(made, len(made.cases[0].runs)),
        (
            f"{made.findings:,} findings, 1 % opened and 1 % resolved, {made.rate:g} calls a "
            "second, a burst of one second. What is refused is refused as SSM does it, with "
            "`ThrottlingException`."
        ),
        "",
        *table(head, rows, words=0),
        "",
    ]


def growth(made: Growth) -> list[str]:
    """Exponents and the figures they come from."""
    sizes = [each.findings for each in made.sizes]
    head = ("case", "", *(f"{size:,}" for size in sizes), "exponent")
    rows = []
    pairs = zip(growing(made, "all_calls"), growing(made, "seconds"), strict=True)
    for (name, calls), (_, seconds) in pairs:
        rows.append(
            (name, "calls", *(f"{each:,.0f}" for each in calls), f"{exponent(sizes, calls):.2f}")
        )
        slope = "the rate's" if name == THROTTLED else f"{exponent(sizes, seconds):.2f}"
        rows.append(("", "seconds", *(f"{each:.2f}" for each in seconds), slope))
    quiet = dict(growing(made, "all_calls"))[QUIET]
    off = off_the_line([ceil(each.nodes / PAGE) for each in made.sizes], quiet)
    runs = ", ".join(f"{len(each.cases[0].ours)}" for each in made.sizes)
    return [
        *measured(made, f"{runs} runs by size, ours alone"),
        (
            "An exponent is the slope of a straight line through the logarithms: 1 is linear, 0 is "
            "flat. Where SSM throttles, the time is that of the rate and not judged."
        ),
        "",
        *table(head, rows, words=2),
        "",
        f"When nothing changed, calls are within {off:.1f} of a constant and one a summary page.",
        "",
    ]


def bad_input(made: BadInput) -> list[str]:
    """What odd fleets and a bad service lead to."""
    lines = measured(made, 1)
    head = ("pass", "seconds", "calls", "opened", "resolved", "open", "left", "in doubt", "MB")
    for case in made.cases:
        rows = [
            (
                f"{number}{': ' + run.failure if run.failure else ''}",
                f"{run.seconds:.1f}",
                f"{run.all_calls:,}",
                f"{run.opened:,}",
                f"{run.resolved:,}",
                f"{run.open:,}",
                f"{run.left:,}",
                f"{sum(run.doubts.values()):,}",
                f"{run.peak_mb:.0f}",
            )
            for number, run in enumerate(case.runs, 1)
        ]
        checks = (
            f"- {'yes' if kept else '**no**'}: {check}" for check, kept in case.checks.items()
        )
        lines += [f"**{case.name}**", "", *table(head, rows), "", *checks, ""]
    return lines


def cold_starts(made: ColdStarts) -> list[str]:
    """Milliseconds until a function can begin."""
    head = ("function", "import ms", "with clients ms", "slowest ms", "Slack's SDK")
    rows = (
        (
            each.name,
            f"{median(each.import_ms):.0f}",
            f"{median(each.ready_ms):.0f}",
            f"{max(each.ready_ms):.0f}",
            "loaded" if each.slack_loaded else "not loaded",
        )
        for each in made.functions
    )
    return [
        *measured(made, len(made.functions[0].ready_ms)),
        (
            "A fresh interpreter imports app.py and builds the clients of a function. Lambda's own "
            "start is not part of it."
        ),
        "",
        *table(head, rows),
        "",
    ]


def api_cost(made: ApiCost) -> list[str]:
    """What a request costs, by size of the table."""
    head = ("request", "findings stored", "median ms", "p95 ms")
    rows = (
        (each.kind, f"{each.findings:,}", f"{each.median_ms:.1f}", f"{each.p95_ms:.1f}")
        for each in made.kinds
    )
    return [
        *measured(made, f"{made.requests} requests of each kind, in turn"),
        "`GET /v1/findings?instance_id=…`, one after the other, on DynamoDB Local.",
        "",
        *table(head, rows),
        "",
    ]


def load(made: Load) -> list[str]:
    """The API under many users."""
    head = ("request", "median ms", "p95 ms", "a second", "errors")
    rows = (
        (
            each.name,
            f"{each.p50_ms:.1f}",
            f"{each.p95_ms:.1f}",
            f"{each.per_second:.1f}",
            f"{each.errors:,}",
        )
        for each in made.kinds
    )
    return [
        *measured(made, f"{made.requests:,} requests"),
        f"{made.users} users at once, {made.findings:,} findings stored.",
        "",
        *table(head, rows),
        "",
    ]
