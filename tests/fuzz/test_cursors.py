"""Cursors: good for the list they were made for, and for no other."""

import base64

import pytest
from hypothesis import HealthCheck, example, given, settings

from chalicelib.domain.errors import BadRequest
from chalicelib.entrypoints.api.paging import make_cursor, read_cursor
from chalicelib.entrypoints.api.requests import FindingQuery, PageQuery
from tests.effort import examples
from tests.fuzz.inputs import Asked, Presented, presented

# Of lists that nobody is asked for here: whatever opens these was not meant for them.
OTHERS = (
    Asked("findings", FindingQuery(title="another list")),
    Asked("events", PageQuery()),
)
# What DynamoDB takes as a key, and we as a position.
LONGEST_POSITION = 200


def check_cursor(presented: Presented) -> None:
    """It opens the list that it is of, where it is well formed, or is refused."""
    for other in OTHERS:
        assert opened(other, presented.cursor) is None
    position = opened(presented.to, presented.cursor)
    if presented.made:
        origin, after = presented.made
        fits = same(origin, presented.to) and 0 < len(after) <= LONGEST_POSITION
        assert position == (after if fits else None)
    if position is not None:
        assert 0 < len(position) <= LONGEST_POSITION
        assert position.encode().decode() == position
        assert opened(presented.to, made(presented.to, position)) == position


def opened(asked: Asked, cursor: str) -> str | None:
    try:
        return read_cursor(asked.route, asked.query, cursor)
    except BadRequest as error:
        refused = error
    assert [fault.pointer for fault in refused.faults] == ["cursor"]
    assert str(refused) == "The cursor is refused."
    return None


def made(asked: Asked, after: str) -> str:
    cursor = make_cursor(asked.route, asked.query, after)
    assert cursor is not None
    return cursor


def same(one: Asked, other: Asked) -> bool:
    """Whether two are the same list, whatever the page."""
    return one.route == other.route and filters(one) == filters(other)


def filters(asked: Asked) -> dict[str, str]:
    query = asked.query
    usual = {"format": "json"} if isinstance(query, FindingQuery) else {}
    names = [name for name in query.__struct_fields__ if name not in {"limit", "cursor"}]
    given_ones = {name: getattr(query, name) for name in names}
    return usual | {name: value for name, value in given_ones.items() if isinstance(value, str)}


PAGE = Asked("nodes", PageQuery())


@given(presented())
@example(Presented("\ud800", PAGE))
@example(Presented(base64.b64encode(b"[" * 1000).decode(), PAGE))
@example(Presented(base64.b64encode(b'["","\\ud800"]').decode(), PAGE))
@settings(
    max_examples=examples(300, soak=10_000),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_a_cursor_opens_its_own_list_or_is_refused(presented: Presented) -> None:
    check_cursor(presented)


def test_an_honest_cursor_opens_its_list() -> None:
    check_cursor(Presented(made(PAGE, "i-1"), PAGE, (PAGE, "i-1")))
    with pytest.raises(BadRequest):
        read_cursor(*("scans", PageQuery()), made(PAGE, "i-1"))
