"""Sections: our scan and the baseline side by side, and how our scan grows."""

from collections.abc import Sequence
from math import ceil
from statistics import median

from bench.cases import QUIET, THROTTLED
from bench.figures import compute_line_error, compute_ratio, fit_exponent
from bench.promises import PAGE, list_medians
from bench.results import CaseResult, Comparison, Growth, MeasuredScan
from bench.sections.page import describe_measurement, render_table


def render_comparison(result: Comparison) -> list[str]:
    """Our scan and the baseline, case by case."""
    first = result.cases[0]
    runs = f"{_count_runs(first.ours)} of ours, {_count_runs(first.baseline)} of the baseline"
    columns = ("case", "", "calls", "read units", "write units", "seconds", "spread", "peak MB")
    rows = [row for case in result.cases for row in _list_case_rows(case)]
    return [
        *describe_measurement(result, runs),
        (
            f"{result.nodes:,} nodes with {result.findings // result.nodes} findings each. "
            "Figures are medians. The row *baseline / ours* divides the baseline's figure by ours."
        ),
        "",
        *render_table(columns, rows, words=2),
        "",
        "Calls by operation:",
        "",
        *render_table(
            ("operation", *(case.name for case in result.cases)), _list_operation_rows(result)
        ),
        "",
    ]


def _count_runs(scans: Sequence[MeasuredScan]) -> str:
    return {0: "none", 1: "one run"}.get(len(scans), f"{len(scans)} runs")


def _list_case_rows(case: CaseResult) -> list[tuple[str, ...]]:
    ratio = compute_ratio(case)
    rows = [_format_scans(case.name, "ours", case.ours)]
    if case.baseline:
        rows.append(_format_scans("", "baseline", case.baseline))
    else:
        calls = sum(case.baseline_calls.values())
        rows.append(("", "baseline, computed", f"{calls:,}", "", "", "", "", ""))
    ratios = (ratio.calls, ratio.read_units, ratio.write_units, ratio.seconds, None, ratio.peak_mb)
    cells = ("" if each is None else f"{each:.1f}" for each in ratios)
    rows.append(("", "*baseline / ours*", *cells))
    return rows


def _format_scans(case: str, variant: str, scans: Sequence[MeasuredScan]) -> tuple[str, ...]:
    seconds = [scan.seconds for scan in scans]
    return (
        case,
        variant,
        f"{median(scan.call_count for scan in scans):,.0f}",
        f"{median(scan.read_units for scan in scans):,.0f}",
        f"{median(scan.write_units for scan in scans):,.0f}",
        f"{median(seconds):.2f}",
        f"{min(seconds):.2f} to {max(seconds):.2f}",
        f"{median(scan.peak_mb for scan in scans):.0f}",
    )


def _list_operation_rows(result: Comparison) -> list[tuple[str, ...]]:
    rows = []
    for variant in ("ours", "baseline"):
        by_case = [_median_calls(case, variant) for case in result.cases]
        for name in sorted({name for calls in by_case for name in calls}):
            counts = (f"{calls[name]:,.0f}" if calls.get(name) else "" for calls in by_case)
            rows.append((f"{variant}: {name}", *counts))
    return rows


def _median_calls(case: CaseResult, variant: str) -> dict[str, float]:
    scans = case.ours if variant == "ours" else case.baseline
    if not scans:
        return {name: float(count) for name, count in case.baseline_calls.items()}
    names = {name for scan in scans for name in scan.calls}
    return {name: float(median(scan.calls.get(name, 0) for scan in scans)) for name in names}


def render_growth(result: Growth) -> list[str]:
    """Calls and seconds by size, with their exponents."""
    sizes = [each.findings for each in result.sizes]
    calls, seconds, cpu = (
        dict(list_medians(result, figure)) for figure in ("call_count", "seconds", "cpu_seconds")
    )
    rows = []
    for name in seconds:
        slope = "set by the rate" if name == THROTTLED else _format_exponent(sizes, seconds[name])
        rows += [
            _format_row((name, "calls"), calls[name], 0, _format_exponent(sizes, calls[name])),
            _format_row(("", "seconds"), seconds[name], 2, slope),
            _format_row(("", "CPU seconds"), cpu[name], 2, _format_exponent(sizes, cpu[name])),
        ]
    error = compute_line_error([ceil(each.nodes / PAGE) for each in result.sizes], calls[QUIET])
    runs = ", ".join(f"{len(each.cases[0].ours)}" for each in result.sizes)
    head = ("case", "", *(f"{size:,}" for size in sizes), "exponent")
    return [
        *describe_measurement(result, f"{runs} runs by size, ours alone"),
        (
            "An exponent is the slope of a straight line through the logarithms. 1 is linear "
            "growth, 0 is none. If SSM throttles, its rate sets the time, so those seconds are not "
            "judged. CPU seconds belong to the program alone and vary less."
        ),
        "",
        *render_table(head, rows, words=2),
        "",
        (
            f"If nothing changed, calls are within {error:.1f} of a constant plus one call per "
            "summary page."
        ),
        "",
    ]


def _format_row(
    names: tuple[str, str], figures: Sequence[float], digits: int, exponent: str
) -> tuple[str, ...]:
    return (*names, *(f"{each:,.{digits}f}" for each in figures), exponent)


def _format_exponent(sizes: Sequence[int], figures: Sequence[float]) -> str:
    return f"{fit_exponent(sizes, figures):.2f}"
