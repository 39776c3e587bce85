"""What all sections are written with."""

from collections.abc import Iterable, Sequence
from textwrap import wrap

from bench.results import Result

WIDTH = 100


def table(head: Sequence[str], rows: Iterable[Sequence[str]], words: int = 1) -> list[str]:
    """A Markdown table; the first `words` columns hold words, the others numbers."""
    ruler = ["---"] * words + ["---:"] * (len(head) - words)
    return [f"| {' | '.join(row)} |" for row in (head, ruler, *rows)]


def wrapped(line: str) -> list[str]:
    """Prose in lines as long as those of the other documents; all else as it is."""
    if not line[:1].isalnum():
        return [line]
    return wrap(line, WIDTH, break_long_words=False, break_on_hyphens=False)


def measured(made: Result, runs: int | str) -> list[str]:
    """When and how often, as each section begins."""
    when = f"Measured on {made.when}" if made.when else "Measured on a day that was not noted"
    where = f", {made.cores} cores" if made.cores else ""
    times = runs if isinstance(runs, str) else f"{runs} run{'s' * (runs != 1)}"
    return [f"{when}{where}; {times}.", ""]
