"""What odd fleets and a bad service lead to."""

from bench.results import BadInput
from bench.sections.markdown import measured, table


def bad_input(made: BadInput) -> list[str]:
    """What odd fleets and a bad service lead to."""
    lines = measured(made, 1)
    head = ("pass", "seconds", "calls", "opened", "resolved", "open", "left", "in doubt", "MB")
    for case in made.cases:
        rows = [
            (
                f"{number}{': ' + run.failure if run.failure else ''}",
                f"{run.seconds:.1f}",
                f"{run.all_calls:,}",
                f"{run.opened:,}",
                f"{run.resolved:,}",
                f"{run.open:,}",
                f"{run.left:,}",
                f"{sum(run.doubts.values()):,}",
                f"{run.peak_mb:.0f}",
            )
            for number, run in enumerate(case.runs, 1)
        ]
        checks = (
            f"- {'yes' if kept else '**no**'}: {check}" for check, kept in case.checks.items()
        )
        lines += [f"**{case.name}**", "", *table(head, rows), "", *checks, ""]
    return lines
