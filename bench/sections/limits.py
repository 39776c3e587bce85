"""Sections: our scan while SSM is slow, throttles, or misbehaves."""

from statistics import median

from bench.figures import (
    compute_engine_seconds,
    compute_floor,
    compute_floor_ratio,
    compute_throttle_ratio,
)
from bench.results import BadInput, Floor, Throttle
from bench.sections.page import describe_measurement, render_table


def render_floor(result: Floor) -> list[str]:
    """Seconds beside the least seconds that the calls need."""
    head = ("case", "summary pages", "item pages", "engine s", "floor s", "ours s", "ours / floor")
    rows = (
        (
            case.name,
            f"{case.summary_pages}",
            f"{case.item_pages}",
            f"{compute_engine_seconds(case):.2f}",
            f"{compute_floor(result, case):.2f}",
            f"{median(scan.seconds for scan in case.with_latency):.2f}",
            f"{compute_floor_ratio(result, case):.2f}",
        )
        for case in result.cases
    )
    return [
        *describe_measurement(result, len(result.cases[0].with_latency)),
        (
            f"{result.findings:,} findings, {result.ssm_seconds * 1000:.0f} ms for each call to "
            f"SSM, {result.dynamodb_seconds * 1000:.0f} ms for each call to DynamoDB, "
            f"`SSM_CONCURRENCY` {result.concurrency}. The floor is the sum of three parts: summary "
            "pages x latency, item pages x latency / concurrency, and the seconds that DynamoDB "
            "Local itself takes in scans without latency (*engine*)."
        ),
        "",
        *render_table(head, rows),
        "",
    ]


def render_throttle(result: Throttle) -> list[str]:
    """Seconds and refused calls at a rate limit of SSM."""
    head = (
        "concurrency",
        "seconds",
        "spread",
        "calls accepted",
        "calls refused",
        "seconds / (calls / rate)",
        "nodes unverified",
        "nodes deferred",
        "scans failed",
    )
    rows = []
    for case in result.cases:
        seconds = [scan.seconds for scan in case.scans]
        rows.append(
            (
                f"{case.concurrency}",
                f"{median(seconds):.1f}",
                f"{min(seconds):.1f} to {max(seconds):.1f}",
                f"{median(case.accepted):.0f}",
                f"{median(case.refused):.0f}",
                f"{compute_throttle_ratio(result, case):.2f}",
                f"{sum(sum(scan.unverified.values()) for scan in case.scans)}",
                f"{sum(scan.deferred for scan in case.scans)}",
                f"{sum(bool(scan.failure) for scan in case.scans)}",
            )
        )
    return [
        *describe_measurement(result, len(result.cases[0].scans)),
        (
            f"{result.findings:,} findings, 1 % new and 1 % fixed, {result.rate:g} calls a second, "
            "a burst of one second. Calls above the limit get a `ThrottlingException`, as from SSM."
        ),
        "",
        *render_table(head, rows, words=0),
        "",
    ]


def render_bad_input(result: BadInput) -> list[str]:
    """The scans of each odd fleet, and the expectations of them."""
    head = (
        "scan",
        "seconds",
        "calls",
        "new",
        "fixed",
        "open",
        "nodes deferred",
        "nodes unverified",
        "peak MB",
    )
    lines = describe_measurement(result, 1)
    for case in result.cases:
        rows = [
            (
                f"{number}{': ' + scan.failure if scan.failure else ''}",
                f"{scan.seconds:.1f}",
                f"{scan.call_count:,}",
                f"{scan.new:,}",
                f"{scan.fixed:,}",
                f"{scan.open:,}",
                f"{scan.deferred:,}",
                f"{sum(scan.unverified.values()):,}",
                f"{scan.peak_mb:.0f}",
            )
            for number, scan in enumerate(case.scans, 1)
        ]
        checks = (
            f"- {'yes' if kept else '**no**'}: {check}" for check, kept in case.checks.items()
        )
        lines += [f"**{case.name}**", "", *render_table(head, rows), "", *checks, ""]
    return lines
