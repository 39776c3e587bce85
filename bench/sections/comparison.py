"""The pass against the baseline."""

from collections.abc import Sequence
from statistics import median

from bench.figures import Run
from bench.ratios import ratio
from bench.results import CaseFigures, Comparison
from bench.sections.markdown import measured, table


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
