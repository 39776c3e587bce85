"""Writes findings as a CSV file that people can open in a spreadsheet without harm."""

import codecs
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice

from chalicelib.domain.finding import Finding
from chalicelib.domain.history import ChangedFinding
from chalicelib.domain.snooze import ListedFinding, Snooze
from chalicelib.domain.text import visible

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
    "checked_at",
    "unchecked_since",
    "snoozed_by",
    "snooze_comment",
)
# In the files of messages, whose last column says what happened.
CHANGE_COLUMNS = (*COLUMNS, "change")
SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t"}
COMMA = SEPARATORS["comma"]
# In `snoozed_until` if a snooze has no end.
PERMANENT = "permanent"

# The beginnings that make a spreadsheet evaluate a cell
# (owasp.org/www-community/attacks/CSV_Injection), with full-width and small variants. Tabs and line
# breaks of that list are spaces by now. A spreadsheet that separates cells by semicolons begins a
# cell after each, quoted or not.
_FORMULA = re.compile(r'(?P<start>^|;)(?=[\s"]*[=+\-@＝＋－＠﹦﹢﹣﹫])')  # noqa: RUF001 - they are meant

_QUOTED_PART = re.compile(r';(?=\s*(?:"|$))')
# What a spreadsheet turns into a number, date, time or truth value: `1.10` would become 1.1.
_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_CONVERTED = re.compile(
    rf"\s*(?:[\d.,:/\s%()$€£¥-]*\d[\d.,:/\s%()$€£¥-]*(?:e\d+\s*)?"
    rf"|(?:\d{{1,4}}[\s./-]*)?(?:{_MONTHS})[a-z]*[\s./,-]*(?:\d{{1,4}}[\s./,-]*){{1,2}}"
    rf"|\d{{1,4}}[\s./-]*(?:{_MONTHS})[a-z]*"
    rf"|true|false)\s*(?:am|pm)?\s*",
    re.IGNORECASE | re.ASCII,
)
_LONGEST_CONVERTED = 40

# Rows written at once: some 100 KB.
CHUNK_ROWS = 500
# Cells to cache: a fleet repeats its titles, nodes and times from row to row.
REPEATED = 16_384


def render_csv(rows: Iterable[ListedFinding], separator: str = COMMA) -> Iterator[bytes]:
    """Yields the rows in the order given, in pieces that end with a row.

    UTF-8 with BOM, all cells quoted, CRLF, times ISO 8601 UTC. No cell holds a line break.
    """
    return _render(COLUMNS, (_build_cells(row) for row in rows), separator)


def render_alert_csv(
    rows: Iterable[tuple[ListedFinding, str]], separator: str = COMMA
) -> Iterator[bytes]:
    """Yields what is announced, in the same form, with a last column that says why."""
    return _render(
        CHANGE_COLUMNS, ((*_build_cells(row), _quote(change)) for row, change in rows), separator
    )


def render_changes_csv(rows: Iterable[ChangedFinding], separator: str = COMMA) -> Iterator[bytes]:
    """Yields what happened to findings, in the same form, with a last column that says what.

    `state`, the columns of a snooze and `unchecked_since` are empty: they hold only now.
    `checked_at` is empty where the finding was not checked.
    """
    return _render(
        CHANGE_COLUMNS,
        (
            (
                *_build_own_cells(row.finding),
                *NOTHING_OPEN,
                _format_known(row.checked_at),
                EMPTY,
                *NO_AUTHOR,
                f'"{row.kind}"',
            )
            for row in rows
        ),
        separator,
    )


def _render(
    columns: Sequence[str], rows: Iterable[tuple[str, ...]], separator: str
) -> Iterator[bytes]:
    # joined as in RFC 4180; the csv module takes four times as long (decision 24)
    yield codecs.BOM_UTF8 + f"{separator.join(map(_quote, columns))}\r\n".encode()
    lines = (f"{separator.join(cells)}\r\n" for cells in rows)
    while chunk := "".join(islice(lines, CHUNK_ROWS)):
        yield chunk.encode()


def take_first_rows(chunks: Iterable[bytes], most: int) -> tuple[bytes, bool]:
    """Returns a CSV's header with at most `most` rows, and whether that is the whole file."""
    taken: list[bytes] = []
    left = most + 1
    for chunk in filter(None, chunks):
        if not left:
            return b"".join(taken), False
        lines = chunk.split(b"\n", left)
        left -= len(lines) - 1
        rest = b"" if left else lines[-1]
        taken.append(chunk[: len(chunk) - len(rest)])
        if rest:
            return b"".join(taken), False
    return b"".join(taken), True


def guard_cell(cell: str) -> str:
    """Returns visible text with an apostrophe before what a spreadsheet would not take as text.

    That is anything that could be a formula, and a cell that is a number, a date or a time.
    """
    text = visible(cell)
    if len(text) <= _LONGEST_CONVERTED and _CONVERTED.fullmatch(text):
        return f"'{text}"
    return _FORMULA.sub(r"\g<start>'", text)


def _build_cells(row: ListedFinding) -> tuple[str, ...]:
    snooze = row.snooze
    return (
        *_build_own_cells(row.finding),
        f'"{row.state}"',
        *((_format_until(snooze), _quote(snooze.reason)) if snooze else NO_SNOOZE),
        _format_known(row.checked_at),
        _format_known(row.unchecked_since),
        *((_guard_last(snooze.created_by), _guard_last(snooze.comment)) if snooze else NO_AUTHOR),
    )


def _build_own_cells(finding: Finding) -> tuple[str, ...]:
    """Builds the cells. Text from nodes is guarded; the rest are words and times of our own."""
    return (
        _quote_id(finding.finding_id),
        _guard(finding.instance_id),
        _guard(finding.title),
        f'"{finding.severity}"',
        _guard(finding.control_id),
        _format_time(finding.first_seen),
    )


def _quote(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"'


EMPTY = _quote("")
NO_SNOOZE = NO_AUTHOR = EMPTY, EMPTY
NOTHING_OPEN = EMPTY, *NO_SNOOZE


@lru_cache(maxsize=REPEATED)
def _guard(cell: str) -> str:
    return _quote(guard_cell(cell))


@lru_cache(maxsize=REPEATED)
def _guard_last(cell: str) -> str:
    """Guards a cell at the end of a line.

    A spreadsheet that separates by semicolons would take a quote after one for the
    beginning of a cell, which then goes on in the next line.
    """
    return _quote(_QUOTED_PART.sub(";'", guard_cell(cell)))


def _quote_id(finding_id: str) -> str:
    """Quotes an id. One of a million is a number, such as 1e5, to a spreadsheet."""
    is_number = finding_id.replace("e", "", 1).isdigit()
    return f'"\'{finding_id}"' if is_number else f'"{finding_id}"'


def _format_until(snooze: Snooze) -> str:
    return _format_time(snooze.end) if snooze.end else _quote(PERMANENT)


def _format_known(at: datetime | None) -> str:
    return _format_time(at) if at else EMPTY


@lru_cache(maxsize=REPEATED)
def _format_time(at: datetime) -> str:
    return _quote(at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"))
