"""Writes findings as a CSV file that people can open in a spreadsheet without harm."""

import codecs
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice

from chalicelib.domain.monthly import Listed
from chalicelib.domain.snooze import Snooze
from chalicelib.reports.visible_text import visible

COLUMNS = (
    "finding_id",
    "instance_id",
    "title",
    "severity",
    "control_id",
    "first_seen",
    "state",
    "snoozed_until",
    "snooze_reason",
)
# Stands in `snoozed_until` where a snooze has no end.
PERMANENT = "permanent"

# What makes a spreadsheet evaluate a cell (owasp.org/www-community/attacks/CSV_Injection),
# full-width and small variants included; the tab and line breaks of that list are spaces by then. A
# spreadsheet that separates by semicolons begins a cell after each, quoted or not.
_FORMULA = re.compile(r'(?P<start>^|;)(?=[\s"]*[=+\-@＝＋－＠﹦﹢﹣﹫])')  # noqa: RUF001 - they are meant


# Rows that are written at once: some 100 KB.
CHUNK_ROWS = 500


def csv_file(rows: Iterable[Listed]) -> Iterator[bytes]:
    """The rows in the order given, in pieces that end with a row, so that any number will do.

    UTF-8 with BOM, all cells quoted, CRLF, times ISO 8601 UTC; no cell holds a line break.
    """
    yield codecs.BOM_UTF8 + _line(COLUMNS).encode()
    lines = (_line(_cells(row)) for row in rows)
    while chunk := "".join(islice(lines, CHUNK_ROWS)):
        yield chunk.encode()


def _line(cells: Iterable[str]) -> str:
    """A line as RFC 4180 has it. The csv module takes four times as long: decision 24."""
    return '"' + '","'.join([cell.replace('"', '""') for cell in cells]) + '"\r\n'


# A fleet repeats its titles, nodes and times from row to row.
@lru_cache(maxsize=2_048)
def guarded(cell: str) -> str:
    """The cell as visible text, with an apostrophe before anything that could be a formula."""
    return _FORMULA.sub(r"\g<start>'", visible(cell))


def _cells(row: Listed) -> tuple[str, ...]:
    """What a node says is guarded; the rest are words, times and numbers of our own."""
    finding = row.finding
    return (
        finding.finding_id,
        guarded(finding.instance_id),
        guarded(finding.title),
        finding.severity,
        guarded(finding.control_id),
        _time(finding.first_seen),
        row.state,
        _until(row.snooze) if row.snooze else "",
        row.snooze.reason if row.snooze else "",
    )


def _until(snooze: Snooze) -> str:
    return _time(snooze.end) if snooze.end else PERMANENT


@lru_cache(maxsize=2_048)
def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
