"""How the pass grows."""

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
    rows = []
    pairs = zip(growing(made, "all_calls"), growing(made, "seconds"), strict=True)
    for (name, calls), (_, seconds) in pairs:
        rows.append(
            (name, "calls", *(f"{each:,.0f}" for each in calls), f"{exponent(sizes, calls):.2f}")
        )
        slope = "the rate's" if name == THROTTLED else f"{exponent(sizes, seconds):.2f}"
        rows.append(("", "seconds", *(f"{each:.2f}" for each in seconds), slope))
    quiet = dict(growing(made, "all_calls"))[QUIET]
    off = off_the_line([ceil(each.nodes / PAGE) for each in made.sizes], quiet)
    runs = ", ".join(f"{len(each.cases[0].ours)}" for each in made.sizes)
    return [
        *measured(made, f"{runs} runs by size, ours alone"),
        (
            "An exponent is the slope of a straight line through the logarithms: 1 is linear, 0 is "
            "flat. Where SSM throttles, the time is that of the rate and not judged."
        ),
        "",
        *table(head, rows, words=2),
        "",
        f"When nothing changed, calls are within {off:.1f} of a constant and one a summary page.",
        "",
    ]
