"""The CSV in a thread holds the first rows. The bucket has all of them."""

from collections.abc import Iterable, Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.errors import DeliveryError
from chalicelib.domain.snooze import ListedFinding
from chalicelib.reports.csv_file import take_first_rows
from chalicelib.reports.slack_blocks import MAX_ATTACHED_ROWS
from tests.fleet import HOUR, TYPE, Service, make_item

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


@pytest.mark.parametrize("is_stored", [True, False])
def test_the_file_of_an_alert_says_why_each_finding_is_in_it(
    service: Service, *, is_stored: bool
) -> None:
    def render(rows: Iterable[tuple[ListedFinding, str]]) -> Iterator[bytes]:
        yield "\n".join(f"{row.finding.title} {change}" for row, change in rows).encode()

    service.add_snooze(title="A", ends_at=service.clock.now + HOUR)
    service.report("i-1", "A", "B", severity="LOW")
    service.run()
    service.clock.forward(HOUR)
    service.compliance.put(
        "i-1",
        TYPE,
        "run-2",
        service.clock.now,
        [
            make_item(title, execution="run-2", severity="CRITICAL" if title == "B" else "LOW")
            for title in "ABC"
        ],
    )
    if not is_stored:
        service.files.fail(DeliveryError("down", retryable=True), times=4)
        service.channel.fail_attach(DeliveryError("down", retryable=True))
    service.run(render_announced=render)
    service.run(render_announced=render)

    content = next(
        each.content.decode() for each in service.channel.attachments if b"ended" in each.content
    )
    told = dict(line.split(" ", 1) for line in content.splitlines())
    news = ("worse", "new") if is_stored else ("new or worse", "new or worse")
    assert told == {"B": news[0], "C": news[1], "A": "snooze ended"}
