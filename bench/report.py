"""Writes docs/benchmarks.md from the results in bench/results: `python -m bench.report`.

Prints whether each promise is kept, and exits with 1 if one is not. To add a kind of result, add a
`Section`.
"""

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from bench import promises
from bench.figures import find_losses
from bench.fleet_results import Monthly, Simulation
from bench.promises import Verdict, format_verdict
from bench.results import (
    FOLDER,
    ApiCost,
    BadInput,
    ColdStarts,
    Comparison,
    Floor,
    Growth,
    Load,
    Result,
    Throttle,
    read,
)
from bench.sections.comparison import render_comparison, render_growth
from bench.sections.fleet import render_monthly, render_simulation
from bench.sections.functions import render_api_cost, render_cold_starts, render_load
from bench.sections.limits import render_bad_input, render_floor, render_throttle
from bench.sections.page import HEAD, render_table, wrap_prose

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"


@dataclass(frozen=True, slots=True)
class Section:
    """A file of bench/results and its section. `render` and `judge` take a result of `kind`."""

    name: str
    title: str
    kind: type[Result]
    render: Callable[[Any], Sequence[str]]
    judge: Callable[[Any], Iterable[Verdict]]


def _compare(name: str, title: str) -> Section:
    return Section(name, title, Comparison, render_comparison, promises.judge_comparison)


SECTIONS = (
    _compare("versus-1000", "Baseline, 1,000 findings"),
    _compare("versus-10000", "Baseline, 10,000 findings"),
    _compare("versus-10000-rounds", "Baseline, 10,000 findings, five rounds of both"),
    _compare("versus-100000", "Baseline, 100,000 findings"),
    Section("floor", "Floor", Floor, render_floor, promises.judge_floor),
    Section("throttle", "Throttling", Throttle, render_throttle, promises.judge_throttle),
    Section("growth", "Growth", Growth, render_growth, promises.judge_growth),
    Section("bad-input", "Bad input", BadInput, render_bad_input, promises.judge_bad_input),
    Section(
        "cold-start", "Cold starts", ColdStarts, render_cold_starts, promises.judge_cold_starts
    ),
    Section(
        "api-cost", "API by size of the fleet", ApiCost, render_api_cost, promises.judge_api_cost
    ),
    Section("monthly", "Monthly report", Monthly, render_monthly, promises.judge_monthly),
    Section(
        "simulation",
        "Change of a whole fleet",
        Simulation,
        render_simulation,
        promises.judge_simulation,
    ),
    Section("load", "API under load", Load, render_load, promises.judge_load),
)


def render_page(results: Iterable[tuple[Section, Result]]) -> str:
    """The whole page."""
    pairs = list(results)
    rows = (
        (each.promise, each.limit, each.reached, "kept" if each.kept else "**not kept**")
        for each in judge_all(pairs)
    )
    lines = [HEAD, "## Promises", ""]
    lines += render_table(("promise", "limit", "reached", "verdict"), rows)
    lines += ["", "## Figures in which the baseline is better", ""]
    lines += [*render_losses(pairs), ""]
    for section, result in pairs:
        lines += [f"## {section.title}", ""]
        lines += [part for line in section.render(result) for part in wrap_prose(line)]
    return "\n".join(lines).rstrip() + "\n"


def judge_all(results: Iterable[tuple[Section, Result]]) -> list[Verdict]:
    """All verdicts, broken promises first."""
    verdicts = [verdict for section, result in results for verdict in section.judge(result)]
    return sorted(verdicts, key=lambda verdict: verdict.kept)


def render_losses(results: Iterable[tuple[Section, Result]]) -> list[str]:
    """Every figure of a case in which the baseline is better."""
    rows = [
        (f"{result.findings:,}", case.name, loss.figure, loss.ours, loss.baseline)
        for _, result in results
        if isinstance(result, Comparison)
        for case in result.cases
        for loss in find_losses(case)
    ]
    if not rows:
        return ["None in these measurements."]
    return render_table(("findings", "case", "figure", "ours", "baseline"), rows, words=3)


def read_results(folder: Path = FOLDER) -> list[tuple[Section, Result]]:
    """Every saved result with its section. ValueError if a file belongs to no section."""
    unknown = {path.stem for path in folder.glob("*.json")} - {each.name for each in SECTIONS}
    if unknown:
        raise ValueError(f"bench.report has no section for {', '.join(sorted(unknown))}")
    found = ((section, read(section.name, section.kind, folder)) for section in SECTIONS)
    return [(section, result) for section, result in found if result is not None]


def main() -> int:
    """Write the page and print the verdicts."""
    results = read_results()
    PAGE.write_text(render_page(results))
    console = Console(highlight=False, soft_wrap=True)
    verdicts = judge_all(results)
    for each in verdicts:
        console.print(format_verdict(each))
    broken = sum(not each.kept for each in verdicts)
    console.print(f"docs/benchmarks.md: {len(verdicts)} promises, {broken} not kept")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
