"""Writes findings as a CSV file that people can open in a spreadsheet without harm."""

import codecs
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice

from chalicelib.domain.snooze import ListedFinding, Snooze
from chalicelib.reports.text import visible

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
# A fleet repeats its titles, nodes and times from row to row; so many of each are remembered.
REPEATED = 16_384


def render_csv(rows: Iterable[ListedFinding]) -> Iterator[bytes]:
    """The rows in the order given, in pieces that end with a row, so that any number will do.

    UTF-8 with BOM, all cells quoted, CRLF, times ISO 8601 UTC; no cell holds a line break.
    """
    yield codecs.BOM_UTF8 + _line(map(_quoted, COLUMNS)).encode()
    lines = (_line(_cells(row)) for row in rows)
    while chunk := "".join(islice(lines, CHUNK_ROWS)):
        yield chunk.encode()


def guard_formula(cell: str) -> str:
    """The cell as visible text, with an apostrophe before anything that could be a formula."""
    return _FORMULA.sub(r"\g<start>'", visible(cell))


def _line(cells: Iterable[str]) -> str:
    """A line as RFC 4180 has it. The csv module takes four times as long: decision 24."""
    return ",".join(cells) + "\r\n"


def _cells(row: ListedFinding) -> tuple[str, ...]:
    """What a node says is guarded; the rest are words, times and numbers of our own."""
    finding, snooze = row.finding, row.snooze
    return (
        f'"{finding.finding_id}"',
        _foreign(finding.instance_id),
        _foreign(finding.title),
        f'"{finding.severity}"',
        _foreign(finding.control_id),
        _time(finding.first_seen),
        f'"{row.state}"',
        *((_until(snooze), _quoted(snooze.reason)) if snooze else NO_SNOOZE),
    )


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"'


NO_SNOOZE = _quoted(""), _quoted("")


@lru_cache(maxsize=REPEATED)
def _foreign(cell: str) -> str:
    return _quoted(guard_formula(cell))


def _until(snooze: Snooze) -> str:
    return _time(snooze.end) if snooze.end else _quoted(PERMANENT)


@lru_cache(maxsize=REPEATED)
def _time(at: datetime) -> str:
    return _quoted(at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"))
