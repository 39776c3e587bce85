"""What a request to the API costs, and that it does not cost more where more is stored.

Run it with `make bench`. DynamoDB Local, one process of the API for each size,
their requests taken in turn so that both see the same machine.
"""

import random
import sys
from collections.abc import Sequence
from statistics import median, quantiles

from rich.console import Console

from bench.results import ApiCost, ApiRequests, cores, save, today
from devstack.dynamodb_local import describe_missing
from devstack.environment import isolate

SMALL, LARGE = 1_000, 100_000
REQUESTS, WARM_UP = 400, 50
LISTS = {"page of 50": 50, "page of 100": 100}


def p95(times: Sequence[float]) -> float:
    """The 95th percentile."""
    return quantiles(times, n=20)[-1]


def main() -> int:
    """Measure and keep; 1 where DynamoDB Local is missing."""
    isolate()
    console = Console(highlight=False, soft_wrap=True)
    if describe_missing():
        Console(stderr=True).print(f"The bench needs DynamoDB Local: {describe_missing()}")
        return 1
    from bench.api_fleet import Api, apis, node_id  # noqa: PLC0415 - after isolate

    def target(api: Api, limit: int) -> str:
        node = node_id(random.randrange(api.nodes))  # noqa: S311 - which node is no secret
        return f"/v1/findings?instance_id={node}&limit={limit}"

    with console.status(f"{LARGE:,} findings are stored"), apis((SMALL, LARGE)) as made:
        times: dict[tuple[str, int], list[float]] = {}
        for turn in range(WARM_UP + REQUESTS):
            for api in made:
                for kind, limit in LISTS.items():
                    answer = api.get(target(api, limit))
                    assert answer.items == limit
                    if turn >= WARM_UP:
                        times.setdefault((kind, api.findings), []).append(answer.milliseconds)
        slack = max(api.get(target(api, 50)).slack_modules for api in made)
    kinds = tuple(
        ApiRequests(
            findings=findings,
            kind=kind,
            median_ms=round(median(taken), 2),
            p95_ms=round(p95(taken), 2),
        )
        for (kind, findings), taken in times.items()
    )
    save(
        "api-cost",
        ApiCost(when=today(), cores=cores(), requests=REQUESTS, slack_modules=slack, kinds=kinds),
    )
    for each in kinds:
        shown = f"{each.kind}, {each.findings:,} findings stored: median {each.median_ms:.1f} ms"
        console.print(f"{shown}, p95 {each.p95_ms:.1f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
