"""The CSV: as many rows as findings, no formula, and every value still in it."""

import csv
import io
import re
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime

from hypothesis import HealthCheck, example, given, settings

from chalicelib.domain.finding import Finding, Severity
from chalicelib.domain.snooze import ListedFinding
from chalicelib.reports.csv_file import COLUMNS, guard_formula, render_csv
from chalicelib.reports.text import visible
from tests.effort import examples
from tests.fuzz.inputs import AT, HALVES, RAW_TEXT, ROWS

FORMULA = tuple("=+-@＝＋－＠﹦﹢﹣﹫")  # noqa: RUF001 - full-width and small ones are meant
# The apostrophe that was put before something, wherever it stands.
GUARD = re.compile(r"(^|;)'(?=[\s\"]*[=+\-@＝＋－＠﹦﹢﹣﹫])")  # noqa: RUF001 - the same
HOSTILE_COLUMNS = {"instance_id": 1, "title": 2, "control_id": 4}


def check_csv(rows: Sequence[ListedFinding]) -> None:
    """What the csv module and a spreadsheet read is what was written, harmless."""
    content = b"".join(render_csv(rows))
    assert content.startswith(b"\xef\xbb\xbf")
    text = content.decode("utf-8-sig")
    check_lines(text, len(rows) + 1)
    cells = read(text, ",")
    assert cells[0] == list(COLUMNS)
    assert len(cells) == len(rows) + 1
    for row, shown in zip(rows, cells[1:], strict=True):
        check_row(row, shown)
    # where a spreadsheet separates by semicolons
    assert len(read(text, ";")) == len(rows) + 1
    for delimiter in ",;":
        for cell in (cell for row in read(text, delimiter) for cell in row):
            assert not bare(cell).startswith(FORMULA), (delimiter, cell)


def check_lines(text: str, number: int) -> None:
    """One line a row, and no control character but the line breaks between them."""
    lines = text.split("\r\n")
    assert lines.pop() == ""
    assert len(lines) == number
    for line in lines:
        assert not [each for each in line if unicodedata.category(each) in {"Cc", "Cf", "Cs"}]
        assert len(line.splitlines()) == 1


def check_row(row: ListedFinding, shown: Sequence[str]) -> None:
    """Every value can be had back: as visible text, but for the guard."""
    finding = row.finding
    assert len(shown) == len(COLUMNS)
    assert (shown[0], shown[3]) == (finding.finding_id, finding.severity)
    seen = datetime.fromisoformat(shown[5])
    assert seen == finding.first_seen.astimezone(UTC).replace(microsecond=0)
    assert shown[6] == row.state
    assert bool(shown[7]) == bool(shown[8]) == bool(row.snooze)
    for name, column in HOSTILE_COLUMNS.items():
        value = visible(getattr(finding, name))
        assert unguarded(shown[column]) == unguarded(value)
        if not any(bare(part).startswith(FORMULA) for part in value.split(";")):
            assert shown[column] == value


def read(text: str, delimiter: str) -> list[list[str]]:
    strict = delimiter == ","
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=strict))


def bare(cell: str) -> str:
    """The cell without whatever some program drops at its beginning."""
    dropped = {"Cc", "Cf", "Zs", "Zl", "Zp"}
    end = 0
    while end < len(cell) and (cell[end] == '"' or unicodedata.category(cell[end]) in dropped):
        end += 1
    return cell[end:]


def unguarded(cell: str) -> str:
    return GUARD.sub(r"\1", cell)


def check_cell(text: str) -> None:
    """A cell of any text, halves of surrogate pairs as well."""
    cell = guard_formula(text)
    cell.encode()
    assert unguarded(cell) == unguarded(visible(text))
    for part in (cell, *cell.split(";")):
        assert not bare(part).startswith(FORMULA)


def listed(title: str) -> list[ListedFinding]:
    return [ListedFinding(Finding("i-1", title, Severity.HIGH, "c", AT, "s"), None)]


@given(ROWS)
@example(listed("\t=1"))
@example(listed('x;"";"=1'))
@settings(
    max_examples=examples(300, soak=10_000),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_a_csv_is_harmless_and_whole(rows: list[ListedFinding]) -> None:
    check_csv(rows)


@given(RAW_TEXT)
@example(HALVES[0] + "=1")
@settings(
    max_examples=examples(300, soak=10_000),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_a_cell_is_harmless_whatever_it_is_made_of(text: str) -> None:
    check_cell(text)
