"""How the pass grows."""

from collections.abc import Sequence
from math import ceil

from bench.cases import QUIET, THROTTLED
from bench.fit import exponent, off_the_line
from bench.promises import PAGE, growing
from bench.results import Growth
from bench.sections.markdown import measured, table


def growth(made: Growth) -> list[str]:
    """Exponents and the figures they come from."""
    sizes = [each.findings for each in made.sizes]
    head = ("case", "", *(f"{size:,}" for size in sizes), "exponent")
    rows = [row for name in dict(growing(made, "seconds")) for row in _of_case(made, name, sizes)]
    quiet = dict(growing(made, "all_calls"))[QUIET]
    off = off_the_line([ceil(each.nodes / PAGE) for each in made.sizes], quiet)
    runs = ", ".join(f"{len(each.cases[0].ours)}" for each in made.sizes)
    return [
        *measured(made, f"{runs} runs by size, ours alone"),
        (
            "An exponent is the slope of a straight line through the logarithms: 1 is linear, 0 is "
            "flat. Where SSM throttles, the time is that of the rate and not judged. CPU seconds "
            "are the program's own, and less noisy."
        ),
        "",
        *table(head, rows, words=2),
        "",
        f"When nothing changed, calls are within {off:.1f} of a constant and one a summary page.",
        "",
    ]


def _of_case(made: Growth, name: str, sizes: Sequence[int]) -> list[tuple[str, ...]]:
    calls, seconds, cpu = (
        dict(growing(made, figure))[name] for figure in ("all_calls", "seconds", "cpu_seconds")
    )
    slope = "the rate's" if name == THROTTLED else f"{exponent(sizes, seconds):.2f}"
    return [
        (name, "calls", *(f"{each:,.0f}" for each in calls), f"{exponent(sizes, calls):.2f}"),
        ("", "seconds", *(f"{each:.2f}" for each in seconds), slope),
        ("", "CPU seconds", *(f"{each:.2f}" for each in cpu), f"{exponent(sizes, cpu):.2f}"),
    ]
