"""Measures the API by the size of the fleet: `python -m bench.api.cost`.

Each fleet has its own tables on DynamoDB Local and its own process of the API. Requests alternate
between them, so that all see the machine in the same state. Cold requests are the first ones of
fresh processes.
"""

import os
import random
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from statistics import median
from urllib.parse import quote

import msgspec
from rich.console import Console

from bench.api.tables import (
    ROOT,
    FilledFleet,
    build_api_settings,
    fill_tables,
    make_instance_id,
    make_title,
)
from bench.api.worker import Response
from bench.figures import compute_p95
from bench.results import ApiCost, ApiLatency, count_cores, format_today, save
from devstack.dynamodb_local import describe_missing, run_dynamodb_local
from devstack.environment import isolate

# The small fleet has each title on every node, so that pages of a title are full everywhere.
FLEETS = (FilledFleet(1_000, 20), FilledFleet(100_000, 400), FilledFleet(100_000, 20_000))
REQUESTS, WARM_UP, COLD_STARTS = 200, 20, 10
LIMIT = 50
# Builds a request to a fleet.
Target = Callable[[FilledFleet], str]


def _ask_node(fleet: FilledFleet) -> str:
    node = random.randrange(fleet.nodes)  # noqa: S311 - not a secret
    return f"/v1/findings?instance_id={make_instance_id(node)}&limit={LIMIT}"


def _ask_title(fleet: FilledFleet) -> str:
    title = make_title(random.randrange(fleet.titles))  # noqa: S311 - not a secret
    return f"/v1/findings?title={quote(title)}&limit={LIMIT}"


TARGETS: Mapping[str, Target] = {
    "findings of a node": _ask_node,
    "findings of a title": _ask_title,
    "titles": lambda _: f"/v1/titles?limit={LIMIT}",
    "summary": lambda _: "/v1/summary",
    "trends, 90 days": lambda _: "/v1/trends?days=90",
}


@dataclass(frozen=True, slots=True)
class ApiProcess:
    """A process of the API."""

    process: "subprocess.Popen[str]"

    def get(self, target: str) -> Response:
        """Send one request. The process itself measures the time."""
        if self.process.stdin is None or self.process.stdout is None:
            raise RuntimeError("the process has no pipes")
        self.process.stdin.write(f"{target}\n")
        self.process.stdin.flush()
        response = msgspec.json.decode(self.process.stdout.readline(), type=Response)
        if response.status != 200:
            raise RuntimeError(f"{target}: status {response.status}")
        return response


@contextmanager
def start_api(settings: Mapping[str, str]) -> Iterator[ApiProcess]:
    """A process of the API while the block lasts."""
    with subprocess.Popen(
        [sys.executable, "-m", "bench.api.worker"],
        cwd=ROOT,
        env={**os.environ, **settings},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield ApiProcess(process)
        if process.stdin:
            process.stdin.close()


def measure(fleets: Mapping[FilledFleet, Mapping[str, str]]) -> ApiCost:
    """Measure every kind of request on every fleet, each with its settings."""
    warm: dict[tuple[str, FilledFleet], list[Response]] = defaultdict(list)
    cold: dict[tuple[str, FilledFleet], list[Response]] = defaultdict(list)
    with ExitStack() as block:
        apis = {
            fleet: block.enter_context(start_api(settings)) for fleet, settings in fleets.items()
        }
        for turn in range(WARM_UP + REQUESTS):
            for kind, build_target in TARGETS.items():
                for fleet, api in apis.items():
                    response = api.get(build_target(fleet))
                    if turn >= WARM_UP:
                        warm[kind, fleet].append(response)
    for _ in range(COLD_STARTS):
        for kind, build_target in TARGETS.items():
            for fleet, settings in fleets.items():
                with start_api(settings) as api:
                    cold[kind, fleet].append(api.get(build_target(fleet)))
    return ApiCost(
        when=format_today(),
        cores=count_cores(),
        requests=REQUESTS,
        cold_starts=COLD_STARTS,
        slack_modules=max(each.slack_modules for responses in cold.values() for each in responses),
        kinds=tuple(
            ApiLatency(
                findings=fleet.findings,
                titles=fleet.titles,
                kind=kind,
                median_ms=round(median(each.milliseconds for each in responses), 2),
                p95_ms=round(compute_p95([each.milliseconds for each in responses]), 2),
                cpu_ms=round(median(each.cpu_ms for each in responses), 2),
                read_units=median(each.read_units for each in responses),
                cold_p95_ms=round(
                    compute_p95([each.milliseconds for each in cold[kind, fleet]]), 2
                ),
                cold_cpu_ms=round(median(each.cpu_ms for each in cold[kind, fleet]), 2),
                cold_read_units=median(each.read_units for each in cold[kind, fleet]),
            )
            for (kind, fleet), responses in warm.items()
        ),
    )


def main() -> int:
    """Measure, save and print. 1 if DynamoDB Local is not available."""
    isolate()
    console = Console(highlight=False, soft_wrap=True)
    if missing := describe_missing():
        Console(stderr=True).print(f"The bench needs DynamoDB Local: {missing}")
        return 1
    with console.status("storing findings") as status, run_dynamodb_local() as url:
        fleets = {}
        for fleet in FLEETS:
            status.update(f"storing {fleet.findings:,} findings of {fleet.titles:,} titles")
            fleets[fleet] = build_api_settings(url, fill_tables(url, fleet))
        status.update("measuring")
        result = measure(fleets)
    save("api-cost", result)
    for each in result.kinds:
        size = f"{each.findings:,} findings of {each.titles:,} titles"
        times = f"median {each.median_ms:.1f} ms, p95 {each.p95_ms:.1f} ms"
        console.print(f"{each.kind}, {size}: {times}, cold p95 {each.cold_p95_ms:.0f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
