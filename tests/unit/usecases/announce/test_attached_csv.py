"""The CSV in a thread holds the first rows. The bucket has all of them."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.reports.csv_file import take_first_rows
from chalicelib.reports.slack_blocks import MAX_ATTACHED_ROWS
from tests.fleet import TYPE, Service, make_item

CSV = b"head\r\n1\r\n2\r\n3\r\n"


@given(st.lists(st.integers(0, len(CSV)), max_size=6), st.integers(0, 5))
def test_the_first_rows_do_not_depend_on_how_the_file_is_cut(cuts: list[int], most: int) -> None:
    places = [0, *sorted(cuts), len(CSV)]
    chunks = [CSV[begin:end] for begin, end in pairwise(places)]

    taken, is_whole = take_first_rows(chunks, most)

    assert taken == b"".join(CSV.splitlines(keepends=True)[: most + 1])
    assert is_whole is (most >= 3)


def test_reading_stops_after_the_chunk_that_has_the_last_row() -> None:
    chunks = iter([b"head\n1\n2\n", b"3\n", b"4\n"])

    assert take_first_rows(chunks, 1) == (b"head\n1\n", False)
    assert list(chunks) == [b"3\n", b"4\n"]


@pytest.mark.parametrize(
    ("after", "is_whole"), [((), True), ((b"",), True), ((b"2\n",), False), ((b"", b"2\n"), False)]
)
def test_a_chunk_may_end_with_the_last_row(after: tuple[bytes, ...], is_whole: bool) -> None:
    assert take_first_rows([b"head\n1\n", *after], 1) == (b"head\n1\n", is_whole)


def test_a_thread_gets_the_worst_findings_and_the_bucket_has_all_of_them() -> None:
    service = Service()
    titles = [f"title {number:05}" for number in range(MAX_ATTACHED_ROWS + 500)]
    items = [make_item(title, severity="LOW") for title in titles]
    service.compliance.put("i-1", TYPE, "run-1", service.clock.now, items)
    service.report("i-2", "worst", severity="CRITICAL")

    service.run()

    (stored,) = service.files.objects.values()
    assert stored.decode().splitlines() == ["worst", *titles]
    (attached,) = service.channel.attachments
    # the CSV of this service has no header, so one row more fits
    assert attached.content.decode().splitlines() == ["worst", *titles[:MAX_ATTACHED_ROWS]]
    assert attached.title == "Non-compliant findings: the worst 20,000"
