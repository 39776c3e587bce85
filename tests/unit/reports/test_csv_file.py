import csv
import io
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.snooze import ListedFinding, Reason
from chalicelib.reports.csv_file import CHUNK_ROWS, COLUMNS, guard_formula, render_csv
from chalicelib.reports.text import visible
from tests.unit.reports.renew import GOLDEN
from tests.unit.reports.samples import AT, finding, golden_files, snooze

FORMULA = "=+-@＝＋－＠﹦﹢﹣﹫"  # noqa: RUF001 - the full-width and small variants are meant


def read(content: bytes, delimiter: str = ",") -> list[list[str]]:
    text = io.StringIO(content.decode("utf-8-sig"), newline="")
    return list(csv.reader(text, delimiter=delimiter, strict=delimiter == ","))


def whole_csv(rows: Iterable[ListedFinding]) -> bytes:
    return b"".join(render_csv(rows))


def title_of(title: str) -> str:
    return read(whole_csv([ListedFinding(finding(title), None)]))[1][2]


def test_the_golden_file_still_holds() -> None:
    assert (GOLDEN / "findings.csv").read_bytes() == golden_files()["findings.csv"]


def test_no_rows_leave_the_columns() -> None:
    assert whole_csv([]) == ("\ufeff" + ",".join(f'"{name}"' for name in COLUMNS) + "\r\n").encode()


def test_rows_come_in_pieces_that_end_with_a_row_and_no_sooner_than_they_are_wanted() -> None:
    asked = 0

    def rows() -> Iterator[ListedFinding]:
        nonlocal asked
        for number in range(CHUNK_ROWS * 2 + 1):
            asked += 1
            yield ListedFinding(finding(f"title {number}"), None)

    pieces = render_csv(rows())
    header, first = next(pieces), next(pieces)
    assert (header.count(b"\n"), first.count(b"\n")) == (1, CHUNK_ROWS)
    assert asked == CHUNK_ROWS
    rest = list(pieces)
    assert all(piece.endswith(b"\r\n") for piece in (header, first, *rest))
    titles = [row[2] for row in read(header + first + b"".join(rest))[1:]]
    assert titles == [f"title {number}" for number in range(CHUNK_ROWS * 2 + 1)]


def test_a_snooze_shows_its_end_and_its_reason() -> None:
    ends = snooze(ends_at=AT + timedelta(days=1), reason=Reason.MAINTENANCE)
    cells = read(whole_csv([ListedFinding(finding("t"), ends)]))[1]
    assert cells[6:] == ["snoozed", "2026-11-24T08:15:42Z", "maintenance"]


def test_a_snooze_without_an_end_is_permanent() -> None:
    cells = read(whole_csv([ListedFinding(finding("t"), snooze(ends_at=None))]))[1]
    assert cells[6:] == ["snoozed", "permanent", "fix_scheduled"]


def test_times_are_utc_to_the_second() -> None:
    berlin = datetime(2026, 1, 2, 1, 4, 5, 678901, tzinfo=timezone(timedelta(hours=1)))
    cells = read(whole_csv([ListedFinding(finding("t", first_seen=berlin), None)]))[1]
    assert cells[5] == "2026-01-02T00:04:05Z"


@pytest.mark.parametrize(
    ("title", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(1)", "'@SUM(1)"),
        ("\t=1", "' =1"),
        ("\r\n=1", "'  =1"),
        ("  \u00a0=1", "'   =1"),
        ("\u200b=1", "'=1"),
        ("＝1", "'＝1"),  # noqa: RUF001 - the full-width variant is meant
        ("﹦1", "'﹦1"),
        ('"=1', "'\"=1"),
        ("a;=1", "a;'=1"),
        ('a; "=1', "a;' \"=1"),
        ("a=1; b-c", "a=1; b-c"),
        ("one\ntwo\x00\x1b", "one two\ufffd\ufffd"),
        ("\u202etxt.exe", "txt.exe"),
        ("", ""),
    ],
)
def test_a_cell_is_visible_text_and_no_formula(title: str, cell: str) -> None:
    assert guard_formula(title) == cell
    assert title_of(title) == cell


def test_half_a_pair_that_utf_8_cannot_hold_is_replaced() -> None:
    assert guard_formula("\ud800=1") == "\ufffd=1"


@given(st.lists(st.text(), max_size=5))
def test_reading_gives_back_every_title_but_for_the_guard(titles: list[str]) -> None:
    rows = read(whole_csv(ListedFinding(finding(title), None) for title in titles))
    assert [row[2].replace("'", "") for row in rows[1:]] == [
        visible(title).replace("'", "") for title in titles
    ]
    assert all(len(row) == len(COLUMNS) for row in rows)


@given(st.text(st.characters(categories=["L", "N", "P", "Zs"]), min_size=1))
def test_a_harmless_title_comes_back_as_it_is(title: str) -> None:
    harmless = "x" + title.replace(";", "").replace("\u00a0", " ")
    assert title_of(harmless) == visible(harmless)


@given(
    st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from(FORMULA + "; \t\r\n\x00\"'")))
)
def test_no_cell_begins_like_a_formula_whatever_separates_them(title: str) -> None:
    content = whole_csv([ListedFinding(finding(title), None)])
    for delimiter in ",;":
        for row in read(content, delimiter):
            assert not any(cell.strip(' "\u00a0\u3000')[:1] in tuple(FORMULA) for cell in row)
            assert not any(control in cell for cell in row for control in "\t\r\n\x00")
