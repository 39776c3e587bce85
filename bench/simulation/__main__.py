"""Simulates a change of a whole fleet, and measures memory by size: `python -m bench.simulation`.

Calls move a simulated clock, so nothing waits. Exits with 1 if a check or a promise fails. With
another number of nodes than the default, it saves nothing and measures no memory.
"""

import argparse
import sys
from collections.abc import Iterator

from rich.console import Console
from rich.table import Table

from bench.fleet_results import Peak, Simulation
from bench.processes import Notify, run_module
from bench.promises import format_verdict, judge_simulation
from bench.results import count_cores, format_today, save
from bench.sections.fleet import RATE, list_change_rows
from bench.simulation.fleet import FINDINGS_A_NODE
from bench.simulation.one_scan import CASES
from bench.simulation.play import play_change
from devstack.environment import isolate
from devstack.stack import run_stack

NODES, RATES = 100_000, (10.0, 40.0)
MEMORY_SIZES = (1_000, 10_000, 100_000)


def measure_peaks(notify: Notify) -> Iterator[Peak]:
    """Each case at each size, in a process of its own on new stand-ins."""
    for case, name in CASES.items():
        for nodes in MEMORY_SIZES:
            notify(f"memory of a scan over {nodes:,} nodes, {name}")
            with run_stack() as stack:
                arguments = (case, str(nodes))
                yield run_module("bench.simulation.one_scan", arguments, stack.env, Peak)


def render_terminal_table(simulation: Simulation) -> Table:
    """The figures of each rate."""
    title = f"{simulation.nodes:,} nodes x {simulation.findings_a_node} findings"
    table = Table(title=title, box=None)
    table.add_column(RATE)
    for change in simulation.changes:
        table.add_column(f"{change.rate:g}", justify="right")
    for row in list_change_rows(simulation.changes):
        table.add_row(*row)
    return table


def main() -> int:
    """Simulate, measure, save and judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=NODES)
    parser.add_argument("--rates", type=float, nargs="+", default=RATES)
    arguments = parser.parse_args()
    isolate()
    console = Console(highlight=False, width=120)
    played = [play_change(arguments.nodes, rate, console.print) for rate in arguments.rates]
    is_full = arguments.nodes == NODES
    simulation = Simulation(
        when=format_today(),
        cores=count_cores(),
        nodes=arguments.nodes,
        findings_a_node=FINDINGS_A_NODE,
        changes=tuple(each.change for each in played),
        peaks=tuple(measure_peaks(console.print)) if is_full else (),
    )
    if is_full:
        save("simulation", simulation)
    console.print(render_terminal_table(simulation))
    verdicts = list(judge_simulation(simulation))
    for verdict in verdicts:
        console.print(format_verdict(verdict))
    errors = [error for each in played for error in each.errors]
    for error in errors:
        console.print(f"[red]error[/] {error}")
    return 0 if not errors and all(each.kept for each in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
