"""How near the pass comes to the least time that its calls can take: `python -m bench.floor`.

The floor is what no program can save: the summary pages, one after the other, the pages of items
at SSM_CONCURRENCY at once, and DynamoDB Local's own time, taken from scans of the same case
without latency.
"""

import sys
from collections.abc import Callable
from math import ceil
from statistics import median

from rich.console import Console

from bench.cases import FEW, FINDINGS_A_NODE, QUIET, SHARE
from bench.figures import Run
from bench.measured import DYNAMODB_LATENCY
from bench.ratios import floor_seconds
from bench.results import Floor, FloorCase, cores, save, today
from bench.running import Bench, on_engines
from bench.ssm.process import Counts, SsmProcess

FINDINGS, ROUNDS = 10_000, 5
SSM_SECONDS, DYNAMODB_SECONDS, CONCURRENCY = 0.150, 0.005, 8
NODES = FINDINGS // FINDINGS_A_NODE
CHANGED = round(FINDINGS * SHARE)
# A page of either SSM listing (API reference, MaxResults); a node here is one page.
PAGE = 50


def measure(running: Bench, told: Callable[[str], None]) -> Floor:
    """Both cases, each without latency and with it."""
    told("the fleet is stored")
    running.ssm.start_fleet((NODES, FINDINGS_A_NODE))
    running.run()
    return Floor(
        when=today(),
        cores=cores(),
        findings=FINDINGS,
        ssm_seconds=SSM_SECONDS,
        dynamodb_seconds=DYNAMODB_SECONDS,
        concurrency=CONCURRENCY,
        cases=(
            _case(running, QUIET, SsmProcess.read_counts, 0, told),
            _case(running, FEW, lambda ssm: ssm.change(SHARE), CHANGED, told),
        ),
    )


def _case(
    running: Bench,
    name: str,
    prepare: Callable[[SsmProcess], Counts],
    item_pages: int,
    told: Callable[[str], None],
) -> FloorCase:
    def scan(ssm_seconds: float, dynamodb_seconds: float) -> Run:
        prepare(running.ssm)
        running.ssm.set_limits(latency=ssm_seconds)
        environment = {DYNAMODB_LATENCY: str(dynamodb_seconds), "SSM_CONCURRENCY": str(CONCURRENCY)}
        return running.run(more=environment)

    still, runs = [], []
    for number in range(ROUNDS):
        told(f"{name}, without and with latency, {number + 1} of {ROUNDS}")
        still.append(scan(0, 0))
        runs.append(scan(SSM_SECONDS, DYNAMODB_SECONDS))
    return FloorCase(
        name=name,
        summary_pages=ceil(NODES / PAGE),
        item_pages=item_pages,
        still=tuple(still),
        runs=tuple(runs),
    )


def main() -> int:
    """Measure and keep."""
    console = Console(highlight=False, soft_wrap=True)
    made = on_engines(measure)
    save("floor", made)
    for case in made.cases:
        floor = floor_seconds(made, case)
        seconds = median(run.seconds for run in case.runs)
        console.print(f"{case.name}: {seconds:.2f} s, floor {floor:.2f} s, {seconds / floor:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
