"""Load on the API: `make bench`, or `python -m bench.load`.

The API is served by Chalice's local server in a process of its own, over DynamoDB Local with
100,000 findings, and driven by locust. The figures are kept in bench/results/load.json.
"""

import sys

from rich.console import Console

from devstack import dynamodb_local
from devstack.environment import isolate

FINDINGS = 100_000
REQUESTS, WARM_UP = 1_000, 50
USERS = 4


def main() -> int:
    """Measure; 1 where a request was not answered by 2xx."""
    isolate()
    console = Console(highlight=False)
    from bench.load import drive  # noqa: PLC0415 - after isolate

    if drive.missing():
        console.print(f"The load on the API is left out: {drive.missing()}", soft_wrap=True)
        return 0
    if dynamodb_local.describe_missing():
        reason = dynamodb_local.describe_missing()
        Console(stderr=True).print(f"The bench needs DynamoDB Local: {reason}")
        return 1
    return measure(console)


def measure(console: Console) -> int:
    """Drive the kinds one after the other, show and keep the figures; 1 where one had errors."""
    from bench.api_fleet import PER_NODE  # noqa: PLC0415 - after isolate
    from bench.load.drive import drive  # noqa: PLC0415
    from bench.load.figures import faults_of, figures_of  # noqa: PLC0415
    from bench.load.kinds import kinds  # noqa: PLC0415
    from bench.load.report import show, show_faults  # noqa: PLC0415
    from bench.load.served import served  # noqa: PLC0415
    from bench.results import Load, cores, save, today  # noqa: PLC0415

    figures = []
    with console.status(f"{FINDINGS:,} findings are stored") as status, served(FINDINGS) as api:
        for kind in kinds(FINDINGS // PER_NODE, WARM_UP + REQUESTS):
            status.update(f"{kind.name}, {REQUESTS:,} requests")
            answers = drive(kind, api, USERS)
            faults = faults_of(answers, len(kind.requests))
            show_faults(console, kind.name, faults)
            figures.append(figures_of(kind.name, answers, WARM_UP, len(faults)))
    made = Load(
        when=today(),
        cores=cores(),
        findings=FINDINGS,
        requests=REQUESTS,
        users=USERS,
        kinds=tuple(figures),
    )
    show(console, made)
    save("load", made)
    return 1 if any(each.errors for each in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
