"""The pass where SSM is slow, and where it refuses."""

from statistics import median

from bench.ratios import engine_seconds, floor_ratio, floor_seconds, throttle_ratio
from bench.results import Floor, Throttle
from bench.sections.markdown import measured, table


def floor(made: Floor) -> list[str]:
    """How near the least time."""
    head = ("case", "summary pages", "item pages", "engine s", "floor s", "ours s", "ours by floor")
    rows = (
        (
            case.name,
            f"{case.summary_pages}",
            f"{case.item_pages}",
            f"{engine_seconds(case):.2f}",
            f"{floor_seconds(made, case):.2f}",
            f"{median(run.seconds for run in case.runs):.2f}",
            f"{floor_ratio(made, case):.2f}",
        )
        for case in made.cases
    )
    return [
        *measured(made, len(made.cases[0].runs)),
        (
            f"{made.findings:,} findings, {made.ssm_seconds * 1000:.0f} ms a call to SSM and "
            f"{made.dynamodb_seconds * 1000:.0f} ms a call to DynamoDB, "
            f"`SSM_CONCURRENCY` {made.concurrency}. The floor is summary pages x latency, one "
            "after the other, item pages x latency / concurrency, and the summed time of DynamoDB "
            "Local's calls in scans without latency (*engine*)."
        ),
        "",
        *table(head, rows),
        "",
    ]


def throttle(made: Throttle) -> list[str]:
    """What a limit of SSM does."""
    head = (
        "at once",
        "seconds",
        "spread",
        "calls taken",
        "refused",
        "seconds by calls / rate",
        "nodes in doubt",
        "nodes left",
        "passes that failed",
    )
    rows = []
    for case in made.cases:
        seconds = [run.seconds for run in case.runs]
        rows.append(
            (
                f"{case.concurrency}",
                f"{median(seconds):.1f}",
                f"{min(seconds):.1f} to {max(seconds):.1f}",
                f"{median(case.taken):.0f}",
                f"{median(case.refused):.0f}",
                f"{throttle_ratio(made, case):.2f}",
                f"{sum(sum(run.doubts.values()) for run in case.runs)}",
                f"{sum(run.left for run in case.runs)}",
                f"{sum(bool(run.failure) for run in case.runs)}",
            )
        )
    return [
        *measured(made, len(made.cases[0].runs)),
        (
            f"{made.findings:,} findings, 1 % opened and 1 % resolved, {made.rate:g} calls a "
            "second, a burst of one second. What is refused is refused as SSM does it, with "
            "`ThrottlingException`."
        ),
        "",
        *table(head, rows, words=0),
        "",
    ]
