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
)
# In the file of changes, whose last column says what happened.
CHANGE_COLUMNS = (*COLUMNS, "change")
# In `snoozed_until` if a snooze has no end.
PERMANENT = "permanent"

# The beginnings that make a spreadsheet evaluate a cell
# (owasp.org/www-community/attacks/CSV_Injection), with full-width and small variants. Tabs and line
# breaks of that list are spaces by now. A spreadsheet that separates cells by semicolons begins a
# cell after each, quoted or not.
_FORMULA = re.compile(r'(?P<start>^|;)(?=[\s"]*[=+\-@＝＋－＠﹦﹢﹣﹫])')  # noqa: RUF001 - they are meant

# Rows written at once: some 100 KB.
CHUNK_ROWS = 500
# Cells to cache: a fleet repeats its titles, nodes and times from row to row.
REPEATED = 16_384


def render_csv(rows: Iterable[ListedFinding]) -> Iterator[bytes]:
    """Yields the rows in the order given, in pieces that end with a row.

    UTF-8 with BOM, all cells quoted, CRLF, times ISO 8601 UTC. No cell holds a line break.
    """
    return _render(COLUMNS, (_build_cells(row) for row in rows))


def render_changes_csv(rows: Iterable[ChangedFinding]) -> Iterator[bytes]:
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
                f'"{row.kind}"',
            )
            for row in rows
        ),
    )


def _render(columns: Sequence[str], rows: Iterable[tuple[str, ...]]) -> Iterator[bytes]:
    yield codecs.BOM_UTF8 + _join_line(map(_quote, columns)).encode()
    lines = map(_join_line, rows)
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


def guard_formula(cell: str) -> str:
    """Returns visible text with an apostrophe before anything that could be a formula."""
    return _FORMULA.sub(r"\g<start>'", visible(cell))


def _join_line(cells: Iterable[str]) -> str:
    """Joins a line as in RFC 4180. The csv module takes four times as long: decision 24."""
    return ",".join(cells) + "\r\n"


def _build_cells(row: ListedFinding) -> tuple[str, ...]:
    snooze = row.snooze
    return (
        *_build_own_cells(row.finding),
        f'"{row.state}"',
        *((_format_until(snooze), _quote(snooze.reason)) if snooze else NO_SNOOZE),
        _format_known(row.checked_at),
        _format_known(row.unchecked_since),
    )


def _build_own_cells(finding: Finding) -> tuple[str, ...]:
    """Builds the cells. Text from nodes is guarded; the rest are words and times of our own."""
    return (
        f'"{finding.finding_id}"',
        _guard(finding.instance_id),
        _guard(finding.title),
        f'"{finding.severity}"',
        _guard(finding.control_id),
        _format_time(finding.first_seen),
    )


def _quote(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"'


EMPTY = _quote("")
NO_SNOOZE = EMPTY, EMPTY
NOTHING_OPEN = EMPTY, *NO_SNOOZE


@lru_cache(maxsize=REPEATED)
def _guard(cell: str) -> str:
    return _quote(guard_formula(cell))


def _format_until(snooze: Snooze) -> str:
    return _format_time(snooze.end) if snooze.end else _quote(PERMANENT)


def _format_known(at: datetime | None) -> str:
    return _format_time(at) if at else EMPTY


@lru_cache(maxsize=REPEATED)
def _format_time(at: datetime) -> str:
    return _quote(at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"))
