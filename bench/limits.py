"""Measures our scan while SSM is slow or throttles: `python -m bench.limits floor|throttle`.

floor: every call has a latency. The floor is the time that no program can save: the summary pages
one after the other, the item pages at SSM_CONCURRENCY at once, and DynamoDB Local's own time, taken
from the same case without latency.

throttle: SSM accepts ten calls a second while 1 % of the findings change. No read may fail. The
time is compared with the time that the accepted calls need at that rate.
"""

import sys
from collections.abc import Callable, Mapping
from math import ceil
from statistics import median

from rich.console import Console

from bench.cases import FEW, FINDINGS_A_NODE, PAGE, QUIET, SHARE, THROTTLE
from bench.figures import compute_floor, compute_throttle_ratio
from bench.measure_scan import DYNAMODB_LATENCY
from bench.processes import Notify
from bench.results import (
    Floor,
    FloorCase,
    MeasuredScan,
    Throttle,
    ThrottleCase,
    count_cores,
    format_today,
    save,
)
from bench.services import Services, measure_on_services
from bench.ssm.process import Counts, SsmProcess
from bench.ssm.server import LIMITED

FINDINGS = 10_000
NODES = FINDINGS // FINDINGS_A_NODE
# Each changed finding is on a node of its own, and a node is one page of items.
CHANGED = round(FINDINGS * SHARE)
FLOOR_ROUNDS = 5
SSM_SECONDS, DYNAMODB_SECONDS, FLOOR_CONCURRENCY = 0.150, 0.005, 8
THROTTLE_ROUNDS, THROTTLE_CONCURRENCIES = 3, (8, 32)


def measure_floor(services: Services, notify: Notify) -> Floor:
    """Both cases, each without and with latency."""
    _store_fleet(services, notify)
    return Floor(
        when=format_today(),
        cores=count_cores(),
        findings=FINDINGS,
        ssm_seconds=SSM_SECONDS,
        dynamodb_seconds=DYNAMODB_SECONDS,
        concurrency=FLOOR_CONCURRENCY,
        cases=(
            _measure_floor_case(services, QUIET, SsmProcess.read_counts, 0, notify),
            _measure_floor_case(services, FEW, lambda ssm: ssm.change(SHARE), CHANGED, notify),
        ),
    )


def _store_fleet(services: Services, notify: Notify) -> None:
    notify("storing the fleet")
    services.ssm.start_fleet((NODES, FINDINGS_A_NODE))
    services.run_scan()


def _measure_floor_case(
    services: Services,
    name: str,
    prepare: Callable[[SsmProcess], Counts],
    item_pages: int,
    notify: Notify,
) -> FloorCase:
    def run_scan(ssm_seconds: float, dynamodb_seconds: float) -> MeasuredScan:
        prepare(services.ssm)
        services.ssm.set_limits(latency=ssm_seconds)
        settings = {
            DYNAMODB_LATENCY: str(dynamodb_seconds),
            "SSM_CONCURRENCY": str(FLOOR_CONCURRENCY),
        }
        return services.run_scan(settings=settings)

    without_latency, with_latency = [], []
    for number in range(FLOOR_ROUNDS):
        notify(f"{name}, without and with latency, {number + 1} of {FLOOR_ROUNDS}")
        without_latency.append(run_scan(0, 0))
        with_latency.append(run_scan(SSM_SECONDS, DYNAMODB_SECONDS))
    return FloorCase(
        name=name,
        summary_pages=ceil(NODES / PAGE),
        item_pages=item_pages,
        without_latency=tuple(without_latency),
        with_latency=tuple(with_latency),
    )


def measure_throttle(services: Services, notify: Notify) -> Throttle:
    """A few scans at each concurrency."""
    _store_fleet(services, notify)
    return Throttle(
        when=format_today(),
        cores=count_cores(),
        findings=FINDINGS,
        rate=THROTTLE,
        cases=tuple(
            _measure_throttle_case(services, each, notify) for each in THROTTLE_CONCURRENCIES
        ),
    )


def _measure_throttle_case(services: Services, concurrency: int, notify: Notify) -> ThrottleCase:
    measured = []
    for number in range(THROTTLE_ROUNDS):
        round_number = f"{number + 1} of {THROTTLE_ROUNDS}"
        notify(f"{THROTTLE:.0f} calls a second, concurrency {concurrency}, {round_number}")
        measured.append(_run_throttled_scan(services, concurrency))
    scans, accepted, refused = zip(*measured, strict=True)
    return ThrottleCase(concurrency=concurrency, scans=scans, accepted=accepted, refused=refused)


def _run_throttled_scan(services: Services, concurrency: int) -> tuple[MeasuredScan, int, int]:
    """A scan, its accepted calls, and its refused calls."""
    services.ssm.change(SHARE)
    services.ssm.set_limits(rate=THROTTLE)
    scan = services.run_scan(settings={"SSM_CONCURRENCY": str(concurrency)}, may_fail=True)
    counts = services.ssm.read_counts()
    limited = sum(counts.calls.get(operation, 0) for operation in LIMITED)
    return scan, limited - counts.throttled, counts.throttled


def save_floor(console: Console) -> None:
    """Measure, save and print the floor."""
    floor = measure_on_services(measure_floor)
    save("floor", floor)
    for case in floor.cases:
        least = compute_floor(floor, case)
        seconds = median(scan.seconds for scan in case.with_latency)
        console.print(f"{case.name}: {seconds:.2f} s, floor {least:.2f} s, {seconds / least:.2f}")


def save_throttle(console: Console) -> None:
    """Measure, save and print the throttled scans."""
    throttle = measure_on_services(measure_throttle)
    save("throttle", throttle)
    for case in throttle.cases:
        unverified = sum(sum(scan.unverified.values()) for scan in case.scans)
        console.print(
            f"concurrency {case.concurrency}: {median(scan.seconds for scan in case.scans):.1f} s, "
            f"{compute_throttle_ratio(throttle, case):.2f} x (calls / rate), "
            f"{case.refused} calls refused, {unverified} nodes unverified"
        )


COMMANDS: Mapping[str, Callable[[Console], None]] = {
    "floor": save_floor,
    "throttle": save_throttle,
}


def main() -> int:
    """Run one of the two. 2 if the command line names neither."""
    command = COMMANDS.get(" ".join(sys.argv[1:]))
    if command is None:
        print(__doc__, file=sys.stderr)
        return 2
    command(Console(highlight=False, soft_wrap=True))
    return 0


if __name__ == "__main__":
    sys.exit(main())
