"""A change of the whole fleet, played on a simulated clock, and the program's own memory."""

from collections.abc import Callable, Iterator, Sequence

from bench.sections.markdown import measured, table
from bench.simulation.figures import Change, Peak, Simulation

RATE = "calls to SSM a second"


def simulation(made: Simulation) -> list[str]:
    """What a full change costs, and how memory grows."""
    sizes = tuple(dict.fromkeys(peak.nodes for peak in made.peaks))
    return [
        *measured(made, "one run at each rate"),
        (
            f"All {made.nodes:,} nodes have run again and all {made.findings_a_node} findings of "
            "each are others. The real scans, renderers and CSV work on tables in memory; each "
            "call moves a clock: SSM's by its rate, DynamoDB's by 5 ms and by 100 ms a full "
            "page. `reconcile` comes every 15 minutes and has 15 minutes. Of that waiting the "
            "hours are an upper bound, since reading and writing add up where the program does "
            "both at once. Computing is not in them: what it takes is under the comparison with "
            "100,000 findings, and at 40 calls a second it is as much as SSM's time (*CPU "
            "seconds here* is the whole run without boto3, checks included). Dollars are by "
            "`infra/costs.py`. Checked while it runs: every opened finding is in one CSV, once; "
            "every message of a part says how many nodes are left; no all-clear before the end; "
            "the stored table is what SSM shows; nothing is read twice. Reading is one chunk "
            "ahead in a thread, so the last digits differ from run to run."
        ),
        "",
        *table((RATE, *(f"{each.rate:g}" for each in made.changes)), figures(made.changes)),
        "",
        (
            "The most memory that the process of one pass has held, in MB, with everything built "
            "as in production and rows that come from nowhere. Where everything is new, all "
            "nodes are known and have run again, and there is time to read 6,000 of them."
        ),
        "",
        *table(("nodes", *(f"{size:,}" for size in sizes)), _peaks(made.peaks)),
        "",
    ]


def figures(changes: Sequence[Change]) -> Iterator[tuple[str, ...]]:
    """Each figure with its name, and its value at each rate."""

    def row(name: str, value: Callable[[Change], float], digits: int = 0) -> tuple[str, ...]:
        return name, *(f"{value(change):,.{digits}f}" for change in changes)

    yield row("scans", lambda each: each.scans)
    yield row("hours", lambda each: each.hours, 1)
    yield row("ListResourceComplianceSummaries", lambda each: each.summary_calls)
    yield row("ListComplianceItems", lambda each: each.item_calls)
    yield row("calls to DynamoDB", lambda each: each.dynamodb_calls)
    yield row("read units", lambda each: each.read_units)
    yield row("write units", lambda each: each.write_units)
    yield row("messages", lambda each: each.messages)
    yield row("seconds of Lambda", lambda each: each.lambda_seconds)
    yield row("CPU seconds here", lambda each: each.cpu_seconds)
    yield row("dollars", lambda each: each.dollars, 2)


def _peaks(peaks: Sequence[Peak]) -> Iterator[tuple[str, ...]]:
    for what in dict.fromkeys(peak.what for peak in peaks):
        yield what, *(f"{peak.peak_mb:.0f}" for peak in peaks if peak.what == what)
