"""Compares our scan with the baseline: calls, units, seconds and memory in the same run.

`python -m bench.versus size versus-1000 --findings 1000` compares at one size and saves
bench/results/versus-1000.json. `python -m bench.versus growth` measures our scan alone from 1,000
to 100,000 findings.
"""

import argparse
import sys
import time
from dataclasses import dataclass
from statistics import median

from rich.console import Console
from rich.table import Table

from bench.cases import FINDINGS_A_NODE, ROUND, compute_baseline_calls
from bench.figures import compute_ratio
from bench.processes import Notify
from bench.results import (
    CaseResult,
    Comparison,
    Growth,
    MeasuredScan,
    count_cores,
    format_today,
    save,
)
from bench.services import VARIANTS, Services, Variant, measure_on_services

# Rounds by number of findings. One more size runs first to warm up the engine: a cold engine slows
# small fleets most, and growth then looks smaller.
GROWTH_WARM_UP = 1_000
GROWTH_ROUNDS = {1_000: 3, 3_000: 3, 10_000: 2, 30_000: 1, 100_000: 1}


@dataclass(frozen=True, slots=True)
class Effort:
    """The number of rounds, and of those with the baseline. None starts after `within` seconds."""

    rounds: int
    baseline: int = 0
    within: float = float("inf")


def compare(services: Services, findings: int, effort: Effort, notify: Notify) -> Comparison:
    """Runs all cases in each round. In each case the variants take turns."""
    nodes = findings // FINDINGS_A_NODE
    scans: dict[tuple[str, Variant], list[MeasuredScan]] = {}
    began = time.monotonic()
    for number in range(effort.rounds):
        if number and time.monotonic() - began > effort.within:
            break
        services.recreate_tables()
        for case in ROUND:
            case.prepare(services.ssm, nodes)
            for variant in VARIANTS[: 2 if number < effort.baseline else 1]:
                services.ssm.set_limits(rate=case.rate)
                notify(f"{findings:,} findings, round {number + 1}, {case.name}: {variant}")
                scans.setdefault((case.name, variant), []).append(services.run_scan(variant))
    return Comparison(
        when=format_today(),
        cores=count_cores(),
        findings=findings,
        nodes=nodes,
        cases=tuple(
            CaseResult(
                name=case.name,
                ours=tuple(scans[case.name, "ours"]),
                baseline=tuple(scans.get((case.name, "baseline"), ())),
                baseline_calls=dict(compute_baseline_calls(case.name, nodes, FINDINGS_A_NODE)),
            )
            for case in ROUND
        ),
    )


def measure_growth(services: Services, notify: Notify) -> tuple[Comparison, ...]:
    """Our scan at each size, from empty tables."""
    compare(services, GROWTH_WARM_UP, Effort(1), notify)
    return tuple(
        compare(services, findings, Effort(rounds), notify)
        for findings, rounds in GROWTH_ROUNDS.items()
    )


def render_terminal_table(comparison: Comparison) -> Table:
    """Medians, spread and ratios."""
    table = Table(title=f"{comparison.findings:,} findings, {comparison.nodes:,} nodes", box=None)
    for column in ("case", "", "calls", "read units", "write units", "seconds", "spread", "MB"):
        table.add_column(column, justify="left" if column in {"case", ""} else "right")
    for case in comparison.cases:
        for variant, scans in (("ours", case.ours), ("baseline", case.baseline)):
            if not scans:
                continue
            seconds = [scan.seconds for scan in scans]
            table.add_row(
                case.name if variant == "ours" else "",
                variant,
                f"{median(scan.call_count for scan in scans):,.0f}",
                f"{median(scan.read_units for scan in scans):,.0f}",
                f"{median(scan.write_units for scan in scans):,.0f}",
                f"{median(seconds):.2f}",
                f"{min(seconds):.2f} to {max(seconds):.2f}",
                f"{max(scan.peak_mb for scan in scans):.0f}",
            )
        ratio = compute_ratio(case)
        seconds_ratio = "" if ratio.seconds is None else f"{ratio.seconds:.1f}"
        table.add_row("", "baseline / ours", f"{ratio.calls:.1f}", "", "", seconds_ratio)
    return table


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    size = commands.add_parser("size", help="compare at one size")
    size.add_argument("name", help="the result is bench/results/NAME.json")
    size.add_argument("--findings", type=int, required=True)
    size.add_argument("--rounds", type=int, default=5)
    size.add_argument("--baseline", type=int, help="rounds with the baseline; default: all")
    size.add_argument(
        "--within", type=float, default=float("inf"), help="start no round after these seconds"
    )
    commands.add_parser("growth", help="measure our scan at growing sizes")
    return parser.parse_args()


def main() -> int:
    """Measure, save and print."""
    arguments = parse_arguments()
    console = Console(highlight=False, width=120)
    if arguments.command == "growth":
        sizes = measure_on_services(measure_growth)
        save("growth", Growth(when=format_today(), cores=count_cores(), sizes=sizes))
        save(f"versus-{sizes[-1].findings}", sizes[-1])
    else:
        baseline = arguments.rounds if arguments.baseline is None else arguments.baseline
        effort = Effort(arguments.rounds, baseline, arguments.within)
        sizes = (
            measure_on_services(
                lambda services, notify: compare(services, arguments.findings, effort, notify)
            ),
        )
        save(arguments.name, sizes[0])
    for size in sizes:
        console.print(render_terminal_table(size))
    return 0


if __name__ == "__main__":
    sys.exit(main())
