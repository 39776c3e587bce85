"""The CSV has a row for each finding, no formula, and every value."""

import csv
import io
import re
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime

from hypothesis import example, given

from chalicelib.domain.finding import Finding, Severity
from chalicelib.domain.snooze import ListedFinding
from chalicelib.domain.text import match_key, visible
from chalicelib.reports.csv_file import COLUMNS, guard_cell, render_csv
from tests.fuzz.strategies import FUZZ, HALVES, RAW_TEXT
from tests.fuzz.values import AT, ROWS

FORMULA = tuple("=+-@＝＋－＠﹦﹢﹣﹫")  # noqa: RUF001 - full-width and small forms
# An apostrophe before a formula, at the beginning of a cell or of a part.
GUARD = re.compile(r"(^|;)'(?=[\s\"]*[=+\-@＝＋－＠﹦﹢﹣﹫])")  # noqa: RUF001 - the same
HOSTILE_COLUMNS = {"instance_id": 1, "title": 2, "control_id": 4}


def check_csv(rows: Sequence[ListedFinding]) -> None:
    """The csv module and a spreadsheet read harmless cells with every value."""
    content = b"".join(render_csv(rows))
    assert content.startswith(b"\xef\xbb\xbf")
    text = content.decode("utf-8-sig")
    check_lines(text, len(rows) + 1)
    cells = parse_csv(text, ",")
    assert cells[0] == list(COLUMNS)
    assert len(cells) == len(rows) + 1
    for row, shown in zip(rows, cells[1:], strict=True):
        check_row(row, shown)
    # some spreadsheets separate by semicolons
    assert len(parse_csv(text, ";")) == len(rows) + 1
    for delimiter in ",;":
        for cell in (cell for row in parse_csv(text, delimiter) for cell in row):
            assert not drop_ignored(cell).startswith(FORMULA), (delimiter, cell)


def check_lines(text: str, number: int) -> None:
    """Each row is one line. The line breaks are the only control characters."""
    lines = text.split("\r\n")
    assert lines.pop() == ""
    assert len(lines) == number
    for line in lines:
        assert not [each for each in line if unicodedata.category(each) in {"Cc", "Cf", "Cs"}]
        assert len(line.splitlines()) == 1


def check_row(row: ListedFinding, shown: Sequence[str]) -> None:
    """Every value is there as visible text, with a guard if it needs one."""
    finding = row.finding
    assert len(shown) == len(COLUMNS)
    assert (shown[0], shown[3]) == (finding.finding_id, finding.severity)
    seen = datetime.fromisoformat(shown[5])
    assert seen == finding.first_seen.astimezone(UTC).replace(microsecond=0)
    assert shown[6] == row.state
    assert bool(shown[7]) == bool(shown[8]) == bool(row.snooze)
    for name, column in HOSTILE_COLUMNS.items():
        value = visible(getattr(finding, name))
        assert match_key(shown[column]) == match_key(value)
        if not shown[column].startswith("'") and not any(
            drop_ignored(part).startswith(FORMULA) for part in value.split(";")
        ):
            assert shown[column] == value


def parse_csv(text: str, delimiter: str) -> list[list[str]]:
    strict = delimiter == ","
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=strict))


def drop_ignored(cell: str) -> str:
    """Returns the cell without characters that some programs drop at its beginning."""
    dropped = {"Cc", "Cf", "Zs", "Zl", "Zp"}
    end = 0
    while end < len(cell) and (cell[end] == '"' or unicodedata.category(cell[end]) in dropped):
        end += 1
    return cell[end:]


def remove_guard(cell: str) -> str:
    return GUARD.sub(r"\1", cell)


def check_cell(text: str) -> None:
    """A cell of any text is harmless, halves of surrogate pairs included."""
    cell = guard_cell(text)
    cell.encode()
    assert remove_guard(cell).removeprefix("'") == remove_guard(visible(text)).removeprefix("'")
    for part in (cell, *cell.split(";")):
        assert not drop_ignored(part).startswith(FORMULA)


def build_row(title: str) -> list[ListedFinding]:
    return [ListedFinding(Finding("i-1", title, Severity.HIGH, "c", AT, "s"), None)]


@given(ROWS)
@example(build_row("\t=1"))
@example(build_row('x;"";"=1'))
@FUZZ
def test_a_csv_is_harmless_and_complete(rows: list[ListedFinding]) -> None:
    check_csv(rows)


@given(RAW_TEXT)
@example(HALVES[0] + "=1")
@FUZZ
def test_a_cell_of_any_text_is_harmless(text: str) -> None:
    check_cell(text)
