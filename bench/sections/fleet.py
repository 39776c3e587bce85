"""Sections: the monthly report by size, and a simulated change of the whole fleet."""

from collections.abc import Callable, Iterator, Sequence
from statistics import median

from bench.fleet_results import Change, Monthly, Peak, Simulation
from bench.sections.page import describe_measurement, render_table

RATE = "calls to SSM a second"


def render_monthly(result: Monthly) -> list[str]:
    """The rate of the CSV, and the cost of each report."""
    head = (
        "findings",
        "nodes",
        "seconds",
        "CPU s",
        "peak MB",
        "object MB",
        "parts",
        "rows",
        "rows in the thread",
        "complete, worst first",
    )
    rows = (
        (
            f"{month.findings:,}",
            f"{month.nodes:,}",
            f"{month.seconds:.1f}",
            f"{month.cpu_seconds:.1f}",
            f"{month.peak_mb:.0f}",
            f"{month.object_bytes / 1e6:.1f}",
            f"{month.parts}",
            f"{month.rows:,}",
            f"{month.thread_rows:,}",
            "yes" if month.complete else "**no**",
        )
        for month in result.months
    )
    rates = result.rows_a_second
    return [
        *describe_measurement(result, f"{len(rates)} runs of the CSV, one of each month"),
        (
            f"The CSV of {result.rows:,} rows is written at {median(rates):,.0f} rows per CPU "
            f"second ({min(rates):,.0f} to {max(rates):,.0f}). A month is one scan with a monthly "
            "job, in a process of its own. Findings are generated in the order of a hash. The scan "
            "sorts and counts them, uploads them to S3 in parts, and attaches the first rows to "
            "the Slack thread."
        ),
        "",
        *render_table(head, rows, words=0),
        "",
    ]


def render_simulation(result: Simulation) -> list[str]:
    """The cost of a change of the whole fleet, and peak memory by size."""
    sizes = tuple(dict.fromkeys(peak.nodes for peak in result.peaks))
    return [
        *describe_measurement(result, "one run at each rate"),
        (
            f"All {result.nodes:,} nodes have run again, and all {result.findings_a_node} findings "
            "of each are different. The real scan, renderers and CSV work on tables in memory. "
            "Each call moves a clock: SSM at its rate, DynamoDB by 5 ms, or by 100 ms for a full "
            "page. `reconcile` runs every 15 minutes for up to 15 minutes."
        ),
        "",
        (
            "The hours are an upper bound for waiting, because the simulation adds up reads and "
            "writes that really overlap. They do not include computing. The comparison at 100,000 "
            "findings shows computing, which at 40 calls a second takes as long as SSM. *CPU "
            "seconds here* covers the whole run without boto3, including the checks. Dollars come "
            "from `ops/costs.py`."
        ),
        "",
        (
            "The simulation checks while it runs that each new finding is in exactly one CSV, that "
            "each partial message states the number of deferred nodes, that there is no all-clear "
            "before the end, that the stored table equals SSM, and that nothing is read twice. One "
            "thread reads a chunk ahead, so the last digits differ from run to run."
        ),
        "",
        *render_table(
            (RATE, *(f"{each.rate:g}" for each in result.changes)),
            list_change_rows(result.changes),
        ),
        "",
        (
            "Peak memory of the process of one scan, in MB. Everything is built as in production, "
            "and rows are generated. In *everything is new*, all nodes are known and have run "
            "again, and there is time to read 6,000 of them."
        ),
        "",
        *render_table(("nodes", *(f"{size:,}" for size in sizes)), _list_peak_rows(result.peaks)),
        "",
    ]


def list_change_rows(changes: Sequence[Change]) -> Iterator[tuple[str, ...]]:
    """The name of each figure, and its value at each rate."""

    def format_row(name: str, value: Callable[[Change], float], digits: int = 0) -> tuple[str, ...]:
        return name, *(f"{value(change):,.{digits}f}" for change in changes)

    yield format_row("scans", lambda each: each.scans)
    yield format_row("hours", lambda each: each.hours, 1)
    yield format_row("ListResourceComplianceSummaries", lambda each: each.summary_calls)
    yield format_row("ListComplianceItems", lambda each: each.item_calls)
    yield format_row("calls to DynamoDB", lambda each: each.dynamodb_calls)
    yield format_row("read units", lambda each: each.read_units)
    yield format_row("write units", lambda each: each.write_units)
    yield format_row("messages", lambda each: each.messages)
    yield format_row("seconds of Lambda", lambda each: each.lambda_seconds)
    yield format_row("CPU seconds here", lambda each: each.cpu_seconds)
    yield format_row("dollars", lambda each: each.dollars, 2)


def _list_peak_rows(peaks: Sequence[Peak]) -> Iterator[tuple[str, ...]]:
    for case in dict.fromkeys(peak.case for peak in peaks):
        yield case, *(f"{peak.peak_mb:.0f}" for peak in peaks if peak.case == case)
