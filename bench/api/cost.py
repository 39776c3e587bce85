"""Measures the latency of API requests at two sizes of the table: `python -m bench.api.cost`.

Each size has its own tables on DynamoDB Local and its own process of the API. Requests alternate
between the two, so that both see the machine in the same state.
"""

import os
import random
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from statistics import median

import msgspec
from rich.console import Console

from bench.api.tables import (
    FINDINGS_A_NODE,
    ROOT,
    build_api_settings,
    create_filled_tables,
    make_instance_id,
)
from bench.api.worker import Response
from bench.figures import compute_p95
from bench.results import ApiCost, ApiLatency, count_cores, format_today, save
from devstack.dynamodb_local import describe_missing, run_dynamodb_local
from devstack.environment import isolate

SIZES = (1_000, 100_000)
REQUESTS, WARM_UP = 400, 50
# Kinds of request and their `limit`.
PAGES = {"page of 50": 50, "page of 100": 100}


@dataclass(frozen=True, slots=True)
class ApiProcess:
    """A process of the API over a table of `findings` rows."""

    findings: int
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
def start_apis(sizes: Sequence[int]) -> Iterator[tuple[ApiProcess, ...]]:
    """One API for each size, over tables of its own, while the block lasts."""
    with run_dynamodb_local() as url, ExitStack() as block:
        apis = []
        for size in sizes:
            settings = build_api_settings(url, create_filled_tables(url, size))
            apis.append(ApiProcess(size, block.enter_context(_start_worker(settings))))
        yield tuple(apis)


@contextmanager
def _start_worker(settings: Mapping[str, str]) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        [sys.executable, "-m", "bench.api.worker"],
        cwd=ROOT,
        env={**os.environ, **settings},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        if process.stdin:
            process.stdin.close()


def measure(apis: Sequence[ApiProcess]) -> ApiCost:
    """Lists of random nodes, after a warm-up."""

    def build_target(api: ApiProcess, limit: int) -> str:
        node = random.randrange(api.findings // FINDINGS_A_NODE)  # noqa: S311 - not a secret
        return f"/v1/findings?instance_id={make_instance_id(node)}&limit={limit}"

    times: dict[tuple[str, int], list[float]] = {}
    slack_modules = 0
    for turn in range(WARM_UP + REQUESTS):
        for api in apis:
            for kind, limit in PAGES.items():
                response = api.get(build_target(api, limit))
                assert response.items == limit
                slack_modules = max(slack_modules, response.slack_modules)
                if turn >= WARM_UP:
                    times.setdefault((kind, api.findings), []).append(response.milliseconds)
    return ApiCost(
        when=format_today(),
        cores=count_cores(),
        requests=REQUESTS,
        slack_modules=slack_modules,
        kinds=tuple(
            ApiLatency(
                findings=findings,
                kind=kind,
                median_ms=round(median(each), 2),
                p95_ms=round(compute_p95(each), 2),
            )
            for (kind, findings), each in times.items()
        ),
    )


def main() -> int:
    """Measure, save and print. 1 if DynamoDB Local is not available."""
    isolate()
    console = Console(highlight=False, soft_wrap=True)
    if missing := describe_missing():
        Console(stderr=True).print(f"The bench needs DynamoDB Local: {missing}")
        return 1
    with console.status(f"storing {SIZES[-1]:,} findings"), start_apis(SIZES) as apis:
        result = measure(apis)
    save("api-cost", result)
    for each in result.kinds:
        request = f"{each.kind}, {each.findings:,} findings stored"
        console.print(f"{request}: median {each.median_ms:.1f} ms, p95 {each.p95_ms:.1f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
