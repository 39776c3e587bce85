"""Whether the pass stands a limit of ten calls a second: `python -m bench.throttle`.

1 % of the findings of a fleet change, SSM refuses what is too much, at two concurrencies. What
must not happen is a reading that fails by it; what is reported is the time, against calls by rate.
"""

import sys
from collections.abc import Callable
from statistics import median

from rich.console import Console

from bench.cases import FINDINGS_A_NODE, SHARE, THROTTLE
from bench.figures import Run
from bench.ratios import throttle_ratio
from bench.results import Throttle, ThrottledAt, cores, save, today
from bench.running import Bench, on_engines
from bench.ssm.server import LIMITED

FINDINGS, ROUNDS = 10_000, 3
CONCURRENCIES = (8, 32)


def measure(running: Bench, told: Callable[[str], None]) -> Throttle:
    """A few scans at each concurrency."""
    told("the fleet is stored")
    running.ssm.start_fleet((FINDINGS // FINDINGS_A_NODE, FINDINGS_A_NODE))
    running.run()
    return Throttle(
        when=today(),
        cores=cores(),
        findings=FINDINGS,
        rate=THROTTLE,
        cases=tuple(_at(running, concurrency, told) for concurrency in CONCURRENCIES),
    )


def _at(running: Bench, concurrency: int, told: Callable[[str], None]) -> ThrottledAt:
    made = []
    for number in range(ROUNDS):
        told(f"{THROTTLE:.0f} calls a second, {concurrency} at once, {number + 1} of {ROUNDS}")
        made.append(_scan(running, concurrency))
    runs, taken, refused = zip(*made, strict=True)
    return ThrottledAt(concurrency=concurrency, runs=runs, taken=taken, refused=refused)


def _scan(running: Bench, concurrency: int) -> tuple[Run, int, int]:
    """A scan; the calls of it that were taken, and those refused."""
    running.ssm.change(SHARE)
    running.ssm.set_limits(rate=THROTTLE)
    run = running.run(more={"SSM_CONCURRENCY": str(concurrency)}, fails=True)
    counted = running.ssm.read_counts()
    limited = sum(counted.calls.get(operation, 0) for operation in LIMITED)
    return run, limited - counted.throttled, counted.throttled


def main() -> int:
    """Measure and keep."""
    console = Console(highlight=False, soft_wrap=True)
    made = on_engines(measure)
    save("throttle", made)
    for case in made.cases:
        doubts = sum(sum(run.doubts.values()) for run in case.runs)
        console.print(
            f"{case.concurrency} at once: {median(run.seconds for run in case.runs):.1f} s, "
            f"{throttle_ratio(made, case):.2f} of calls by rate, refused {case.refused}, "
            f"nodes in doubt {doubts}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
