"""The functions: how they start, and the API."""

from statistics import median

from bench.results import ApiCost, ColdStarts, Load
from bench.sections.markdown import measured, table


def cold_starts(made: ColdStarts) -> list[str]:
    """Milliseconds until a function can begin."""
    head = (
        "function",
        "import ms",
        "with clients ms",
        "slowest ms",
        "without bytecode ms",
        "Slack's SDK",
    )
    rows = (
        (
            each.name,
            f"{median(each.import_ms):.0f}",
            f"{median(each.ready_ms):.0f}",
            f"{max(each.ready_ms):.0f}",
            f"{median(each.uncompiled_ms):.0f}",
            "loaded" if each.slack_loaded else "not loaded",
        )
        for each in made.functions
    )
    return [
        *measured(made, len(made.functions[0].ready_ms)),
        (
            "A fresh interpreter imports app.py and builds the clients of a function. Lambda's own "
            "start is not part of it. `make deploy` packs the bytecode of what is loaded; without "
            "it, as plain `chalice deploy` packs, a new environment compiles all of it. In the "
            "same run boto3 as it comes, with the clients of a pass and nothing of ours, took "
            f"{median(made.sdk_ms):.0f} ms."
        ),
        "",
        *table(head, rows),
        "",
    ]


def api_cost(made: ApiCost) -> list[str]:
    """What a request costs, by size of the table."""
    head = ("request", "findings stored", "median ms", "p95 ms")
    rows = (
        (each.kind, f"{each.findings:,}", f"{each.median_ms:.1f}", f"{each.p95_ms:.1f}")
        for each in made.kinds
    )
    return [
        *measured(made, f"{made.requests} requests of each kind, in turn"),
        "`GET /v1/findings?instance_id=…`, one after the other, on DynamoDB Local.",
        "",
        *table(head, rows),
        "",
    ]


def load(made: Load) -> list[str]:
    """The API under many users."""
    head = ("request", "median ms", "p95 ms", "a second", "errors")
    rows = (
        (
            each.name,
            f"{each.p50_ms:.1f}",
            f"{each.p95_ms:.1f}",
            f"{each.per_second:.1f}",
            f"{each.errors:,}",
        )
        for each in made.kinds
    )
    return [
        *measured(made, f"{made.requests:,} requests"),
        f"{made.users} users at once, {made.findings:,} findings stored.",
        "",
        *table(head, rows),
        "",
    ]
