"""The pass against the baseline: calls, units, seconds, memory, in the same run.

`python -m bench.versus NAME --findings 10000 --rounds 5 [--plain 1] [--within 420]` prints a table
and keeps the figures as bench/results/NAME.json. The baseline runs in the first `--plain` rounds;
no further round begins once `--within` seconds have passed.
"""

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from rich.console import Console
from rich.table import Table

from bench.cases import FINDINGS_A_NODE, ROUND
from bench.figures import Run
from bench.plain_calls import plain_calls
from bench.ratios import ratio
from bench.results import CaseFigures, Comparison, cores, save, today
from bench.running import VARIANTS, Bench, Variant, on_engines

Runs = dict[tuple[str, Variant], list[Run]]


@dataclass(frozen=True, slots=True)
class Effort:
    """So many rounds, the first ones with the baseline, none begun after so many seconds."""

    rounds: int
    plain: int = 0
    within: float = float("inf")


def compare(
    running: Bench, findings: int, effort: Effort, told: Callable[[str], None]
) -> Comparison:
    """The figures of all rounds; the variants take turns."""
    nodes = findings // FINDINGS_A_NODE
    runs: Runs = {}
    began = time.monotonic()
    for number in range(effort.rounds):
        if number and time.monotonic() - began > effort.within:
            break
        running.empty()
        for case in ROUND:
            case.prepare(running.ssm, nodes)
            for variant in VARIANTS[: 2 if number < effort.plain else 1]:
                running.ssm.set_limits(rate=case.rate)
                told(f"{findings:,} findings, round {number + 1}, {case.name}: {variant}")
                runs.setdefault((case.name, variant), []).append(running.run(variant))
    return Comparison(
        when=today(),
        cores=cores(),
        findings=findings,
        nodes=nodes,
        cases=tuple(
            CaseFigures(
                name=case.name,
                ours=tuple(runs[case.name, "ours"]),
                plain=tuple(runs.get((case.name, "plain"), ())),
                plain_calls=dict(plain_calls(case.name, nodes, FINDINGS_A_NODE)),
            )
            for case in ROUND
        ),
    )


def table(comparison: Comparison) -> Table:
    """Medians, spread and ratios, for a terminal."""
    shown = Table(title=f"{comparison.findings:,} findings, {comparison.nodes:,} nodes", box=None)
    for column in ("case", "", "calls", "read units", "write units", "seconds", "spread", "MB"):
        shown.add_column(column, justify="left" if column in {"case", ""} else "right")
    for case in comparison.cases:
        for variant, runs in (("ours", case.ours), ("baseline", case.plain)):
            if not runs:
                continue
            seconds = [run.seconds for run in runs]
            shown.add_row(
                case.name if variant == "ours" else "",
                variant,
                f"{median(run.all_calls for run in runs):,.0f}",
                f"{median(run.read_units for run in runs):,.0f}",
                f"{median(run.write_units for run in runs):,.0f}",
                f"{median(seconds):.2f}",
                f"{min(seconds):.2f} to {max(seconds):.2f}",
                f"{max(run.peak_mb for run in runs):.0f}",
            )
        found = ratio(case)
        seconds_ratio = "" if found.seconds is None else f"{found.seconds:.1f}"
        shown.add_row("", "times fewer", f"{found.calls:.1f}", "", "", seconds_ratio)
    return shown


def main() -> int:
    """Compare."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("name")
    arguments.add_argument("--findings", type=int, required=True)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--plain", type=int, default=None)
    arguments.add_argument("--within", type=float, default=float("inf"))
    wanted = arguments.parse_args()
    console = Console(highlight=False, width=120)
    plain = wanted.rounds if wanted.plain is None else wanted.plain
    effort = Effort(wanted.rounds, plain, wanted.within)
    made = on_engines(lambda running, told: compare(running, wanted.findings, effort, told))
    save(wanted.name, made)
    console.print(table(made))
    return 0


if __name__ == "__main__":
    sys.exit(main())
