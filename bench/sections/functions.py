"""Sections: cold starts, and the API by table size and under load."""

from statistics import median

from bench.results import ApiCost, ColdStarts, Load
from bench.sections.page import describe_measurement, render_table


def render_cold_starts(result: ColdStarts) -> list[str]:
    """Milliseconds until a function is ready."""
    head = (
        "function",
        "import ms",
        "with clients ms",
        "slowest ms",
        "without bytecode ms",
        "slack_sdk",
    )
    rows = (
        (
            each.name,
            f"{median(each.import_ms):.0f}",
            f"{median(each.ready_ms):.0f}",
            f"{max(each.ready_ms):.0f}",
            f"{median(each.without_bytecode_ms):.0f}",
            "loaded" if each.slack_loaded else "not loaded",
        )
        for each in result.functions
    )
    return [
        *describe_measurement(result, len(result.functions[0].ready_ms)),
        (
            "A fresh interpreter imports app.py and builds the clients of a function. Lambda's own "
            "start is not included. `make deploy` packs bytecode. Plain `chalice deploy` does not, "
            "so each new environment compiles the code. In the same run, boto3 with the clients of "
            f"a scan and none of our code took {median(result.boto3_ms):.0f} ms."
        ),
        "",
        *render_table(head, rows),
        "",
    ]


def render_api_cost(result: ApiCost) -> list[str]:
    """The latency of requests by size of the table."""
    head = ("request", "findings stored", "median ms", "p95 ms")
    rows = (
        (each.kind, f"{each.findings:,}", f"{each.median_ms:.1f}", f"{each.p95_ms:.1f}")
        for each in result.kinds
    )
    return [
        *describe_measurement(result, f"{result.requests} requests of each kind, in turn"),
        "`GET /v1/findings?instance_id=…` on DynamoDB Local, one request at a time.",
        "",
        *render_table(head, rows),
        "",
    ]


def render_load(result: Load) -> list[str]:
    """The latency and rate of requests with several users."""
    head = ("request", "median ms", "p95 ms", "requests a second", "errors")
    rows = (
        (
            each.name,
            f"{each.p50_ms:.1f}",
            f"{each.p95_ms:.1f}",
            f"{each.per_second:.1f}",
            f"{each.errors:,}",
        )
        for each in result.kinds
    )
    return [
        *describe_measurement(result, f"{result.requests:,} requests of each kind"),
        f"{result.users} users at once, {result.findings:,} findings stored.",
        "",
        *render_table(head, rows),
        "",
    ]
