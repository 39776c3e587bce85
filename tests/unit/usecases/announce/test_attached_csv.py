from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.message import MAX_ATTACHED_ROWS
from chalicelib.usecases.announce.deliver import take_first_rows
from tests.fleet import Service, make_item

CSV = b"head\r\n1\r\n2\r\n3\r\n"


@given(st.lists(st.integers(0, len(CSV)), max_size=6), st.integers(0, 5))
def test_the_first_rows_are_the_same_however_the_file_is_cut(cuts: list[int], most: int) -> None:
    places = [0, *sorted(cuts), len(CSV)]
    pieces = [CSV[begin:end] for begin, end in pairwise(places)]
    taken, whole = take_first_rows(pieces, most)
    assert taken == b"".join(CSV.splitlines(keepends=True)[: most + 1])
    assert whole is (most >= 3)


def test_nothing_is_read_beyond_the_piece_that_fills_it() -> None:
    pieces = iter([b"head\n1\n2\n", b"3\n", b"never asked for"])
    assert take_first_rows(pieces, 1) == (b"head\n1\n", False)
    assert list(pieces) == [b"3\n", b"never asked for"]


@pytest.mark.parametrize(
    ("after", "whole"), [((), True), ((b"",), True), ((b"2\n",), False), ((b"", b"2\n"), False)]
)
def test_a_piece_may_end_where_the_thread_s_part_does(
    after: tuple[bytes, ...], whole: bool
) -> None:
    assert take_first_rows([b"head\n1\n", *after], 1) == (b"head\n1\n", whole)


def test_a_thread_gets_the_worst_and_the_bucket_has_all() -> None:
    service = Service()
    number = MAX_ATTACHED_ROWS + 500
    titles = [f"title {each:05}" for each in range(number)]
    many = [make_item(each, severity="LOW") for each in titles]
    service.compliance.put("i-1", "Custom:InSpec", "run-1", service.clock.now, many)
    service.report("i-2", "worst", severity="CRITICAL")
    service.run()
    (stored,) = service.files.objects.values()
    assert stored.decode().splitlines() == ["worst", *titles]
    (attached,) = service.channel.attachments
    # the rows of this service's CSV have no header
    assert attached.content.decode().splitlines() == ["worst", *titles[:MAX_ATTACHED_ROWS]]
    assert attached.title == "Non-compliant findings: the worst 20,000"
