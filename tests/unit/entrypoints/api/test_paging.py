"""Cursors: opaque positions in one list."""

import pytest

from chalicelib.domain.errors import BadRequest
from chalicelib.entrypoints.api.paging import make_cursor, read_cursor
from chalicelib.entrypoints.api.requests import FindingQuery, PageQuery

QUERY = FindingQuery(title="A")
POSITION = "a" * 32


def test_a_cursor_leads_back_to_its_position_for_any_page_size() -> None:
    cursor = make_cursor("findings", QUERY, POSITION)

    assert read_cursor("findings", FindingQuery(title="A", limit=7), cursor) == POSITION


def test_the_end_of_a_list_has_no_cursor() -> None:
    assert make_cursor("findings", QUERY, None) is None
    assert read_cursor("findings", QUERY, None) is None


@pytest.mark.parametrize("after", ["", "x" * 201])
def test_a_position_that_no_table_has_is_refused(after: str) -> None:
    with pytest.raises(BadRequest):
        read_cursor("findings", QUERY, make_cursor("findings", QUERY, after))


def test_a_cursor_of_another_filter_or_list_is_refused() -> None:
    cursor = make_cursor("findings", QUERY, POSITION)

    with pytest.raises(BadRequest):
        read_cursor("findings", FindingQuery(title="B"), cursor)
    with pytest.raises(BadRequest):
        read_cursor("nodes", PageQuery(), cursor)


@pytest.mark.parametrize("cursor", ["", "é", "====", "W10", "bnVsbA", "eyJhIjoxfQ"])
def test_a_malformed_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(BadRequest):
        read_cursor("findings", QUERY, cursor)
