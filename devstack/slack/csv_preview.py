"""The first rows of a CSV file, as a file card shows them."""

import csv
from dataclasses import dataclass
from io import StringIO
from itertools import islice

from devstack.slack.model import File

SHOWN_ROWS = 8


@dataclass(frozen=True, slots=True)
class Preview:
    """Column names, the first rows, and the number of rows that are not shown."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    hidden: int


def preview_of(file: File) -> Preview | None:
    """Read the beginning of a CSV file; None where it is no CSV, empty or not readable."""
    if file.mimetype != "text/csv" or not file.content:
        return None
    text = file.content.decode("utf-8-sig", errors="replace")
    rows = csv.reader(StringIO(text, newline=""))
    try:
        header = next(rows, [])
        shown = tuple(tuple(row) for row in islice(rows, SHOWN_ROWS))
        return Preview(tuple(header), shown, sum(1 for _ in rows))
    except csv.Error:
        return None
