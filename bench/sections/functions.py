"""Sections: cold starts, and the API by size of the fleet and under load."""

from statistics import median

from bench.results import ApiCost, ColdStarts, Load
from bench.sections.page import describe_measurement, render_table

# Of the API (.chalice/config.json). A whole core is 1,769 MB (Lambda's guide, Configuring memory).
API_MB = 1_024
API_SHARE = API_MB / 1_769


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
    """Requests by size of the fleet, in a warm process and as the first one."""
    head = (
        *("request", "findings", "titles", "median ms", "p95 ms", "CPU ms", "read units"),
        *("first: p95 ms", "CPU s", "CPU s at Lambda's share", "read units"),
    )
    rows = (
        (
            each.kind,
            f"{each.findings:,}",
            f"{each.titles:,}",
            f"{each.median_ms:.1f}",
            f"{each.p95_ms:.1f}",
            f"{each.cpu_ms:.1f}",
            f"{each.read_units:,.1f}",
            f"{each.cold_p95_ms:,.0f}",
            f"{each.cold_cpu_ms / 1_000:.2f}",
            f"{each.cold_cpu_ms / 1_000 / API_SHARE:.2f}",
            f"{each.cold_read_units:,.1f}",
        )
        for each in result.kinds
    )
    measured = f"{result.requests} requests of each kind, then {result.cold_starts} first ones"
    return [
        *describe_measurement(result, f"{measured}, in turn"),
        (
            "On DynamoDB Local, one request at a time, 20 findings a node, pages of 50. A first "
            "request is that of a new process, from its first import; Lambda's own start is not "
            "included. It reads the lists of all nodes where it needs them, and the process keeps "
            f"them until another scan has ended. Lambda's share of a core is {API_SHARE:.2f} with "
            f"the {API_MB:,} MB of the API."
        ),
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
