"""How calls and seconds grow from 1,000 to 100,000 findings: `python -m bench.growth`.

Ours alone; at the largest size this is also the comparison, the baseline's calls computed.
"""

import sys
from collections.abc import Callable

from rich.console import Console

from bench.results import Comparison, Growth, cores, save, today
from bench.running import Bench, on_engines
from bench.versus import Effort, compare, table

# Rounds by findings. A size of its own warms the engine up first: a cold one makes small fleets
# look slow and growth look slight.
WARM_UP = 1_000
ROUNDS = {1_000: 3, 3_000: 3, 10_000: 2, 30_000: 1, 100_000: 1}


def measure(running: Bench, told: Callable[[str], None]) -> tuple[Comparison, ...]:
    """Each size, from empty tables on."""
    compare(running, WARM_UP, Effort(1), told)
    return tuple(compare(running, size, Effort(rounds), told) for size, rounds in ROUNDS.items())


def main() -> int:
    """Measure and keep."""
    console = Console(highlight=False, width=120)
    sizes = on_engines(measure)
    save("growth", Growth(when=today(), cores=cores(), sizes=sizes))
    save(f"versus-{sizes[-1].findings}", sizes[-1])
    for size in sizes:
        console.print(table(size))
    return 0


if __name__ == "__main__":
    sys.exit(main())
