"""docs/benchmarks.md from what is kept in bench/results: `python -m bench.report`.

Prints each promise as kept or not kept; 1 where one is not kept. A new kind of result is a
section here: its name, its title, its type, how it is shown and what it promises.
"""

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from bench import promises
from bench.monthly.figures import Monthly
from bench.promises import Verdict
from bench.ratios import losses
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
from bench.sections.bad_input import bad_input
from bench.sections.comparison import comparison
from bench.sections.functions import api_cost, cold_starts, load
from bench.sections.growth import growth
from bench.sections.limits import floor, throttle
from bench.sections.markdown import table, wrapped
from bench.sections.monthly import monthly
from bench.sections.simulation import simulation
from bench.simulation.figures import Simulation

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"


@dataclass(frozen=True, slots=True)
class Section:
    """A file of bench/results, and what becomes of it. `show` and `judge` take its `kind`."""

    name: str
    title: str
    kind: type[Result]
    show: Callable[[Any], Sequence[str]]
    judge: Callable[[Any], Iterable[Verdict]] = lambda _: ()


def _versus(name: str, title: str) -> Section:
    return Section(name, title, Comparison, comparison, promises.of_comparison)


SECTIONS = (
    _versus("versus-1000", "Against the baseline, 1,000 findings"),
    _versus("versus-10000", "Against the baseline, 10,000 findings"),
    _versus("versus-10000-rounds", "Against the baseline, 10,000 findings, five rounds of both"),
    _versus("versus-100000", "Against the baseline, 100,000 findings"),
    Section("floor", "Against the floor", Floor, floor, promises.of_floor),
    Section("throttle", "Throttled", Throttle, throttle, promises.of_throttle),
    Section("growth", "Growth", Growth, growth, promises.of_growth),
    Section("bad-input", "Bad input", BadInput, bad_input, promises.of_bad_input),
    Section("cold-start", "Cold starts", ColdStarts, cold_starts, promises.of_cold_starts),
    Section("api-cost", "The API", ApiCost, api_cost, promises.of_api),
    Section("monthly", "The monthly report", Monthly, monthly, promises.of_monthly),
    Section("simulation", "A fleet of any size", Simulation, simulation, promises.of_simulation),
    Section("load", "The API under load", Load, load, promises.of_load),
)

HEAD = """\
# Benchmarks

Made by `python -m bench.report` from the files in `bench/results`; do not edit it by hand.

- `make bench` measures again in 8 to 15 minutes: 1,000 and 10,000 findings (there with the
  baseline's calls computed; five rounds, none begun after 200 seconds), the floor, cold starts,
  the API under load. `make bench-full` measures the rest in 50 to 100 minutes:
  five rounds of the baseline over 10,000 findings, 100,000 findings, growth, throttling, bad input,
  the API by size, monthly reports, a simulated change of 100,000 nodes. Both use DynamoDB Local,
  and each renews its own sections only.
- The machine class was 2 cores, shared with other work: how fast one of them computes changed by a
  factor of four within the hour. Seconds differ from machine to machine and from run to run; what
  counts are calls, units and the ratios within one run.
- Every scan is a process of its own and tells its own peak memory and its own calls. SSM, DynamoDB
  Local, Slack and S3 are other processes. SSM and Slack are stand-ins and add no latency unless it
  is said; calls to Slack are not counted.
- The baseline (`bench/plain.py`) is the first idea, plain and correct: list the items of every
  node, GetItem for each finding, PutItem for a new one, one Scan of the table, DeleteItem for a
  resolved one; one client, one call after the other. Where its calls are *computed* it did not run.
"""


def render(results: Iterable[tuple[Section, Result]]) -> str:
    """The whole page."""
    kept = list(results)
    verdicts = judged(kept)
    lines = [HEAD, "## What is promised", ""]
    rows = (
        (each.promise, each.limit, each.reached, "kept" if each.kept else "**not kept**")
        for each in verdicts
    )
    lines += table(("promise", "limit", "reached", "verdict"), rows)
    lines += ["", "## Where the baseline is better", ""]
    lines += [*lost(kept), ""]
    for section, result in kept:
        lines += [f"## {section.title}", ""]
        lines += [part for line in section.show(result) for part in wrapped(line)]
    return "\n".join(lines).rstrip() + "\n"


def judged(results: Iterable[tuple[Section, Result]]) -> list[Verdict]:
    """All promises, those that are not kept first."""
    verdicts = [verdict for section, result in results for verdict in section.judge(result)]
    return sorted(verdicts, key=lambda verdict: verdict.kept)


def lost(results: Iterable[tuple[Section, Result]]) -> list[str]:
    """Every figure of a case in which the baseline needs less."""
    rows = [
        (f"{result.findings:,}", case.name, loss.figure, loss.ours, loss.plain)
        for _, result in results
        if isinstance(result, Comparison)
        for case in result.cases
        for loss in losses(case)
    ]
    if not rows:
        return ["Nowhere, in what was measured."]
    return table(("findings", "case", "figure", "ours", "baseline"), rows, words=3)


def kept_results(folder: Path = FOLDER) -> list[tuple[Section, Result]]:
    """What was measured so far; ValueError where a file belongs to no section."""
    unknown = {path.stem for path in folder.glob("*.json")} - {each.name for each in SECTIONS}
    if unknown:
        raise ValueError(f"no section of bench.report shows {', '.join(sorted(unknown))}")
    found = ((section, read(section.name, section.kind, folder)) for section in SECTIONS)
    return [(section, result) for section, result in found if result is not None]


def main() -> int:
    """Write the page and print the verdicts."""
    results = kept_results()
    PAGE.write_text(render(results))
    console = Console(highlight=False, soft_wrap=True)
    verdicts = judged(results)
    for each in verdicts:
        word = "kept    " if each.kept else "[red]not kept[/]"
        console.print(f"{word} {each.promise}: {each.reached} ({each.limit})")
    broken = sum(not each.kept for each in verdicts)
    console.print(f"docs/benchmarks.md: {len(verdicts)} promises, {broken} not kept")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
