"""What a request to the API costs, and that it does not cost more where more is stored.

Run it with `make bench`. DynamoDB Local, one process of the API for each size,
their requests taken in turn so that both see the same machine.
"""

import random
import sys
from collections.abc import Sequence
from statistics import median, quantiles

from rich.console import Console
from rich.table import Table

from devstack.dynamodb_local import missing
from devstack.environment import isolate

SMALL, LARGE = 1_000, 100_000
REQUESTS, WARM_UP = 400, 50
# Of the 95th percentiles: with 100 times the findings, a list by instance takes as long.
LARGEST_RATIO = 1.3
PAGE, PAGE_MS = 100, 50.0


def p95(times: Sequence[float]) -> float:
    """The 95th percentile."""
    return quantiles(times, n=20)[-1]


def main() -> int:
    """Measure; 1 where a limit is not kept."""
    isolate()
    console = Console(highlight=False)
    if missing():
        Console(stderr=True).print(f"The bench needs DynamoDB Local: {missing()}")
        return 1
    from bench.api_fleet import Api, apis, node_id  # noqa: PLC0415 - after isolate

    def target(api: Api, limit: int) -> str:
        node = node_id(random.randrange(api.nodes))  # noqa: S311 - which node is no secret
        return f"/v1/findings?instance_id={node}&limit={limit}"

    with console.status(f"{LARGE:,} findings are stored"), apis((SMALL, LARGE)) as made:
        console.print(f"GET /v1/findings?instance_id=…, {REQUESTS} requests of each kind in turn")
        first = {api: api.get(target(api, 50)) for api in made}
        lists: dict[Api, list[float]] = {api: [] for api in made}
        pages: dict[Api, list[float]] = {api: [] for api in made}
        for turn in range(WARM_UP + REQUESTS):
            for api in made:
                for times, limit in ((lists[api], 50), (pages[api], PAGE)):
                    answer = api.get(target(api, limit))
                    assert answer.items == limit
                    if turn >= WARM_UP:
                        times.append(answer.milliseconds)
        slack = max(api.get(target(api, 50)).slack_modules for api in made)
    table = Table("findings", "request", "median ms", "p95 ms", box=None)
    for api in made:
        table.add_row(f"{api.findings:,}", "first, with imports", f"{first[api].milliseconds:.0f}")
        for times, limit in ((lists[api], 50), (pages[api], PAGE)):
            shown = (f"page of {limit}", f"{median(times):.1f}", f"{p95(times):.1f}")
            table.add_row(f"{api.findings:,}", *shown)
    console.print(table)
    small, large = made
    ratio = p95(lists[large]) / p95(lists[small])
    page = median(pages[large])
    console.print(f"p95, {LARGE:,} to {SMALL:,} findings: {ratio:.2f} of {LARGEST_RATIO} promised")
    console.print(f"median of a page of {PAGE}: {page:.1f} ms of {PAGE_MS:.0f} promised")
    console.print(f"modules of slack_sdk that the API has loaded: {slack} of 0 promised")
    kept = ratio <= LARGEST_RATIO and page < PAGE_MS and slack == 0
    if not kept:
        console.print("[red]not kept: see above")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
