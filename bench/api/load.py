"""Measures the API with several users at once: `python -m bench.api.load`.

Chalice's local server serves the API in a process of its own, over DynamoDB Local with 100,000
findings. Locust sends one kind of request after the other.
"""

import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bench.api.requests import build_kinds, list_errors, summarize
from bench.api.tables import FilledFleet
from bench.results import Load, count_cores, format_today, save
from devstack import dynamodb_local
from devstack.environment import isolate

FLEET = FilledFleet(findings=100_000, titles=400)
REQUESTS, WARM_UP = 1_000, 50
USERS = 4
# The most errors printed for each kind.
SHOWN = 3


def measure(console: Console) -> Load:
    """Send each kind of request in turn, and print its errors."""
    from bench.api.drive import drive  # noqa: PLC0415 - moto reads AWS_PROFILE, so isolate first
    from bench.api.serve import start_served_api  # noqa: PLC0415

    kinds = []
    storing = console.status(f"storing {FLEET.findings:,} findings")
    with storing as status, start_served_api(FLEET) as api:
        for kind in build_kinds(FLEET, WARM_UP + REQUESTS):
            status.update(f"{kind.name}, {REQUESTS:,} requests")
            responses = drive(kind, api, USERS)
            errors = list_errors(responses, len(kind.requests))
            print_errors(console, kind.name, errors)
            kinds.append(summarize(kind.name, responses, WARM_UP, len(errors)))
    return Load(
        when=format_today(),
        cores=count_cores(),
        findings=FLEET.findings,
        requests=REQUESTS,
        users=USERS,
        kinds=tuple(kinds),
    )


def print_load(console: Console, load: Load) -> None:
    """Print a row for each kind."""
    console.print(
        f"{load.requests:,} requests of each kind over HTTP, {load.users} users at once, "
        f"{load.findings:,} findings"
    )
    table = Table(box=None)
    table.add_column("request")
    for column in ("p50 ms", "p95 ms", "requests a second", "errors"):
        table.add_column(column, justify="right")
    for each in load.kinds:
        times = (f"{each.p50_ms:.1f}", f"{each.p95_ms:.1f}", f"{each.per_second:.1f}")
        table.add_row(each.name, *times, str(each.errors))
    console.print(table)


def print_errors(console: Console, name: str, errors: Sequence[str]) -> None:
    """Print the first errors of a kind, and the number of the others."""
    for error in errors[:SHOWN]:
        console.print(Text(f"{name}: {error}", "red"), soft_wrap=True)
    if len(errors) > SHOWN:
        console.print(Text(f"{name}: {len(errors) - SHOWN} more errors", "red"))


def main() -> int:
    """Measure, save and print. 1 if a request failed."""
    isolate()
    console = Console(highlight=False)
    from bench.api import drive  # noqa: PLC0415 - moto reads AWS_PROFILE, so isolate first

    if missing := drive.describe_missing():
        console.print(f"Skipping the load on the API: {missing}", soft_wrap=True)
        return 0
    if missing := dynamodb_local.describe_missing():
        Console(stderr=True).print(f"The bench needs DynamoDB Local: {missing}")
        return 1
    load = measure(console)
    print_load(console, load)
    save("load", load)
    return 1 if any(each.errors for each in load.kinds) else 0


if __name__ == "__main__":
    sys.exit(main())
