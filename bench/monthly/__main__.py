"""The monthly report at three sizes, and the rate of its CSV: `python -m bench.monthly`.

1 where a promise is not kept, or where a report did not arrive whole.
"""

import sys
from collections.abc import Callable, Iterator

from rich.console import Console

from bench.monthly.arrived import arrived
from bench.monthly.csv_rate import ROWS, rates
from bench.monthly.figures import Made, Month, Monthly
from bench.own_process import in_own_process
from bench.promises import of_monthly
from bench.results import cores, save, today
from bench.sections.monthly import monthly
from bench.simulation.fleet import EACH
from devstack.environment import isolate
from devstack.stack import run_stack

SIZES = (10_000, 100_000, 300_000)


def months(told: Callable[[str], object]) -> Iterator[Month]:
    """Each size in a process of its own, on stand-ins of its own."""
    for findings in SIZES:
        told(f"a month with {findings:,} findings")
        with run_stack() as running:
            module = "bench.monthly.one_month"
            made = in_own_process(module, (str(findings),), running.env, Made)
            there = arrived(running)
        yield Month(
            findings=findings,
            nodes=findings // EACH,
            seconds=made.seconds,
            cpu_seconds=made.cpu_seconds,
            peak_mb=made.peak_mb,
            object_bytes=len(there.stored),
            parts=there.parts,
            rows=there.rows,
            attached=there.attached_rows,
            whole=there.whole(findings),
        )


def main() -> int:
    """Measure, keep and judge."""
    isolate()
    console = Console(highlight=False, width=120)
    with console.status("rows a second") as status:
        made = Monthly(
            when=today(),
            cores=cores(),
            rows=ROWS,
            rows_a_second=tuple(rates()),
            months=tuple(months(status.update)),
        )
    save("monthly", made)
    console.print("\n".join(monthly(made)))
    verdicts = list(of_monthly(made))
    for each in verdicts:
        word = "kept    " if each.kept else "[red]not kept[/]"
        console.print(f"{word} {each.promise}: {each.reached} ({each.limit})")
    return 0 if all(each.kept for each in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
