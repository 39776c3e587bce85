"""The CSV file: its format, and cells that a spreadsheet does not evaluate."""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.finding import Finding
from chalicelib.domain.history import ChangedFinding, EventKind
from chalicelib.domain.snooze import ListedFinding, Reason, Snooze
from chalicelib.domain.text import match_key, visible
from chalicelib.reports.csv_file import (
    CHANGE_COLUMNS,
    CHUNK_ROWS,
    COLUMNS,
    SEPARATORS,
    _quote_id,
    guard_cell,
    render_alert_csv,
    render_changes_csv,
    render_csv,
)
from tests.unit.reports.samples import AT, make_finding, make_snooze

FORMULA = "=+-@＝＋－＠﹦﹢﹣﹫"  # noqa: RUF001 - the full-width and small variants are meant


def read_cells(content: bytes, delimiter: str = ",") -> list[list[str]]:
    text = io.StringIO(content.decode("utf-8-sig"), newline="")
    return list(csv.reader(text, delimiter=delimiter, strict=delimiter == ","))


def render_whole(rows: Iterable[ListedFinding]) -> bytes:
    return b"".join(render_csv(rows))


def render_row(finding: Finding, snooze: Snooze | None = None) -> list[str]:
    """Returns the cells of a file with one row."""
    return read_cells(render_whole([ListedFinding(finding, snooze)]))[1]


def render_title(title: str) -> str:
    """Returns the cell of a title."""
    return render_row(make_finding(title))[2]


def test_without_rows_there_is_only_the_header() -> None:
    header = ",".join(f'"{name}"' for name in COLUMNS)

    assert render_whole([]) == f"\ufeff{header}\r\n".encode()


def test_rows_are_rendered_in_chunks_of_whole_rows_when_they_are_needed() -> None:
    taken = 0

    def take_rows() -> Iterator[ListedFinding]:
        nonlocal taken
        for number in range(CHUNK_ROWS * 2 + 1):
            taken += 1
            yield ListedFinding(make_finding(f"title {number}"), None)

    chunks = render_csv(take_rows())
    header, first = next(chunks), next(chunks)

    assert (header.count(b"\n"), first.count(b"\n")) == (1, CHUNK_ROWS)
    assert taken == CHUNK_ROWS

    rest = list(chunks)

    assert all(chunk.endswith(b"\r\n") for chunk in (header, first, *rest))
    titles = [row[2] for row in read_cells(header + first + b"".join(rest))[1:]]
    assert titles == [f"title {number}" for number in range(CHUNK_ROWS * 2 + 1)]


def test_a_snoozed_row_shows_end_and_reason_of_its_snooze() -> None:
    snooze = make_snooze(ends_at=AT + timedelta(days=1), reason=Reason.MAINTENANCE)

    cells = render_row(make_finding("t"), snooze)

    who = ["first@example.org", "Waits for the new base image, SEC-481"]
    assert cells[6:] == ["snoozed", "2026-11-24T08:15:42Z", "maintenance", "", "", *who]


def test_a_snooze_without_an_end_is_shown_as_permanent() -> None:
    cells = render_row(make_finding("t"), make_snooze(ends_at=None))

    assert cells[6:9] == ["snoozed", "permanent", "fix_scheduled"]


def test_a_finding_that_is_not_checked_any_more_shows_since_when() -> None:
    row = ListedFinding(make_finding("t"), None, unchecked_since=AT)

    _, cells = read_cells(b"".join(render_csv([row])))

    assert cells[6:] == ["unchecked", "", "", "", "2026-11-23T08:15:42Z", "", ""]


def test_times_are_in_utc_and_whole_seconds() -> None:
    berlin = datetime(2026, 1, 2, 1, 4, 5, 678901, tzinfo=timezone(timedelta(hours=1)))

    cells = render_row(make_finding("t", first_seen=berlin))

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
def test_a_cell_is_visible_text_and_not_a_formula(title: str, cell: str) -> None:
    assert guard_cell(title) == cell
    assert render_title(title) == cell


def test_half_a_surrogate_pair_is_replaced() -> None:
    assert guard_cell("\ud800=1") == "\ufffd=1"


@given(st.lists(st.text(), max_size=5))
def test_reading_the_file_returns_every_title_apart_from_the_guard(titles: list[str]) -> None:
    rows = read_cells(render_whole(ListedFinding(make_finding(title), None) for title in titles))

    assert [row[2].replace("'", "") for row in rows[1:]] == [
        visible(title).replace("'", "") for title in titles
    ]
    assert all(len(row) == len(COLUMNS) for row in rows)


@given(st.text(st.characters(categories=["L", "N", "P", "Zs"]), min_size=1))
def test_a_harmless_title_is_not_changed(title: str) -> None:
    harmless = "x" + title.replace(";", "").replace("\u00a0", " ")

    assert render_title(harmless) == visible(harmless)


@given(
    st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from(FORMULA + "; \t\r\n\x00\"'")))
)
def test_no_cell_begins_like_a_formula_with_commas_or_semicolons_as_separators(title: str) -> None:
    content = render_whole([ListedFinding(make_finding(title), None)])

    for delimiter in ",;":
        for row in read_cells(content, delimiter):
            assert not any(cell.strip(' "\u00a0\u3000')[:1] in tuple(FORMULA) for cell in row)
            assert not any(control in cell for cell in row for control in "\t\r\n\x00")


def test_changed_findings_have_no_state_and_say_what_happened() -> None:
    changes = [
        ChangedFinding(make_finding("A"), EventKind.FIXED, AT),
        ChangedFinding(make_finding("=B"), EventKind.GONE),
    ]

    header, first, second = read_cells(b"".join(render_changes_csv(changes)))

    assert tuple(header) == (*COLUMNS, "change") == CHANGE_COLUMNS
    assert first == [
        *render_row(make_finding("A"))[:6],
        *("", "", ""),
        *("2026-11-23T08:15:42Z", "", "", ""),
        "fixed",
    ]
    assert (second[2], second[-5:]) == ("'=B", ["", "", "", "", "gone"])


def test_an_announced_row_ends_with_why_it_is_announced() -> None:
    row = ListedFinding(make_finding("A"), None)

    header, cells = read_cells(b"".join(render_alert_csv([(row, "snooze ended")])))

    assert tuple(header) == CHANGE_COLUMNS
    assert cells == [*render_row(make_finding("A")), "snooze ended"]


@pytest.mark.parametrize("separator", SEPARATORS.values())
def test_cells_may_be_separated_otherwise(separator: str) -> None:
    row = ListedFinding(make_finding("A; b, c\td"), None)

    header, cells = read_cells(b"".join(render_csv([row], separator)), separator)

    assert tuple(header) == COLUMNS
    assert cells[2] == "A; b, c d"


@pytest.mark.parametrize(
    "text",
    [
        *["1", "1.10", "007", "1,000", "1e5", "12:30", "50%", "$5", "(5)", "1 000", "5 pm"],
        *["2026-11-28", "1/2", "28.11.2026", "1-2-3", "Mar 1", "1-MAR", "12 Jan 2026", "sept-3"],
        *["TRUE", "false"],
    ],
)
def test_a_number_a_date_or_a_truth_value_stays_text(text: str) -> None:
    assert render_title(text) == f"'{text}"
    assert match_key(render_title(text)) == match_key(text)


@pytest.mark.parametrize(
    "text", ["SSH 2", "3 users", "March must be quiet", "ec2-ssh-01", "1.2.3a", "may", "e5", "v1"]
)
def test_other_text_is_not_changed(text: str) -> None:
    assert render_title(text) == text


def test_an_id_that_is_a_number_to_a_spreadsheet_stays_text() -> None:
    assert _quote_id("1" * 32) == f'"\'{"1" * 32}"'
    assert _quote_id(f"1e{'1' * 30}") == f'"\'1e{"1" * 30}"'
    assert _quote_id("abcdef" + "1" * 26) == f'"abcdef{"1" * 26}"'


def test_a_row_shows_when_its_node_was_last_verified() -> None:
    rows = [ListedFinding(make_finding("t"), None, AT), ListedFinding(make_finding("t"), None)]

    header, known, unknown = read_cells(render_whole(rows))

    assert header[-4:-2] == ["checked_at", "unchecked_since"]
    assert (known[-4], unknown[-4]) == ("2026-11-23T08:15:42Z", "")
