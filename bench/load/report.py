"""Shows the figures of a run, and names what went wrong."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bench.results import Load

# Errors of a kind that are printed; more of them rarely say more.
SHOWN = 3


def show(console: Console, made: Load) -> None:
    """Print a row for each kind."""
    console.print(
        f"{made.requests:,} requests of each kind over HTTP, {made.users} users at once, "
        f"{made.findings:,} findings"
    )
    table = Table(box=None)
    table.add_column("request")
    for column in ("p50 ms", "p95 ms", "a second", "errors"):
        table.add_column(column, justify="right")
    for each in made.kinds:
        times = (f"{each.p50_ms:.1f}", f"{each.p95_ms:.1f}", f"{each.per_second:.1f}")
        table.add_row(each.name, *times, str(each.errors))
    console.print(table)


def show_faults(console: Console, name: str, faults: Sequence[str]) -> None:
    """Name what went wrong with a kind; prints nothing where nothing did."""
    for fault in faults[:SHOWN]:
        console.print(Text(f"{name}: {fault}", "red"), soft_wrap=True)
    if len(faults) > SHOWN:
        console.print(Text(f"{name}: {len(faults) - SHOWN} more errors", "red"))
