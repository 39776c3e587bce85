"""The monthly report at several sizes."""

from statistics import median

from bench.monthly.figures import Monthly
from bench.sections.markdown import measured, table


def monthly(made: Monthly) -> list[str]:
    """Rows a second, and what each month took."""
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
        "whole, worst first",
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
            f"{month.attached:,}",
            "yes" if month.whole else "**no**",
        )
        for month in made.months
    )
    rates = made.rows_a_second
    return [
        *measured(made, f"{len(rates)} runs of the CSV, one of each month"),
        (
            f"The CSV of {made.rows:,} rows is written at {median(rates):,.0f} rows a second "
            f"of the CPU ({min(rates):,.0f} to {max(rates):,.0f}). A month is a pass that owes "
            "one, in a process of its own: the findings come from nowhere in the order of a hash, "
            "are sorted, counted, and go to S3 part by part and to the thread."
        ),
        "",
        *table(head, rows, words=0),
        "",
    ]
