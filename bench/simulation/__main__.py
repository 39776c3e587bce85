"""A change of a whole fleet at several rates of SSM, and memory: `python -m bench.simulation`.

Nothing is waited for: calls move a clock. 1 where something that must hold did not.
"""

import argparse
import sys
from collections.abc import Callable, Sequence

from rich.console import Console
from rich.table import Table

from bench.promises import of_simulation
from bench.results import cores, save, today
from bench.sections.simulation import RATE, figures
from bench.simulation.figures import Change, Simulation
from bench.simulation.fleet import EACH
from bench.simulation.memory import peaks
from bench.simulation.play import play
from devstack.environment import isolate

NODES, RATES = 100_000, (10.0, 40.0)


def changes(
    nodes: int, rates: Sequence[float], told: Callable[[str], object]
) -> tuple[tuple[Change, ...], tuple[str, ...]]:
    """The figures at each rate, and everything that was wrong."""
    played = [play(nodes, rate, told) for rate in rates]
    return (
        tuple(each.change for each in played),
        tuple(reason for each in played for reason in each.broken),
    )


def table(made: Simulation) -> Table:
    """The changes, for a terminal."""
    shown = Table(title=f"{made.nodes:,} nodes x {made.findings_a_node} findings", box=None)
    shown.add_column(RATE)
    for change in made.changes:
        shown.add_column(f"{change.rate:g}", justify="right")
    for row in figures(made.changes):
        shown.add_row(*row)
    return shown


def main() -> int:
    """Play, measure, keep and judge."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--nodes", type=int, default=NODES)
    arguments.add_argument("--rates", type=float, nargs="+", default=RATES)
    wanted = arguments.parse_args()
    isolate()
    console = Console(highlight=False, width=120)
    played, broken = changes(wanted.nodes, wanted.rates, console.print)
    if wanted.nodes != NODES:
        made = Simulation(nodes=wanted.nodes, findings_a_node=EACH, changes=played, peaks=())
        verdicts = []
    else:
        made = Simulation(
            when=today(),
            cores=cores(),
            nodes=wanted.nodes,
            findings_a_node=EACH,
            changes=played,
            peaks=tuple(peaks(console.print)),
        )
        save("simulation", made)
        verdicts = list(of_simulation(made))
    console.print(table(made))
    for each in verdicts:
        word = "kept    " if each.kept else "[red]not kept[/]"
        console.print(f"{word} {each.promise}: {each.reached} ({each.limit})")
    for reason in broken:
        console.print(f"[red]broken[/] {reason}")
    return 0 if not broken and all(each.kept for each in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
