"""A cursor opens the list that it was created for, and no other."""

import base64
import json
import string
from dataclasses import dataclass

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.domain.errors import BadRequest
from chalicelib.domain.finding import Severity
from chalicelib.entrypoints.api.paging import make_cursor, read_cursor
from chalicelib.entrypoints.api.requests import FindingQuery, PageQuery, SnoozeQuery
from tests.fuzz.strategies import FUZZ, JSON, RAW_TEXT, TEXT
from tests.fuzz.values import COUNTS


@dataclass(frozen=True, slots=True)
class Request:
    """A list of the API and its query."""

    route: str
    query: PageQuery | FindingQuery | SnoozeQuery


@dataclass(frozen=True, slots=True)
class Presented:
    """A cursor and the request that presents it; `source` if the service created the cursor."""

    cursor: str
    to: Request
    source: tuple[Request, str] | None = None


NAMES = st.sampled_from(("A", "B", "open", "null", '","')) | TEXT
UNSET = st.just(msgspec.UNSET)
REQUESTS = st.one_of(
    st.builds(Request, st.sampled_from(("nodes", "scans")), st.builds(PageQuery, limit=COUNTS)),
    st.builds(
        Request,
        st.sampled_from(("findings", "snoozes")),
        st.builds(
            FindingQuery,
            limit=COUNTS,
            cursor=UNSET | NAMES,
            title=UNSET | NAMES,
            control_id=UNSET | NAMES,
            q=UNSET | NAMES,
            severity=UNSET | st.sampled_from(Severity),
        ),
    ),
    st.builds(Request, st.just("snoozes"), st.builds(SnoozeQuery, title=UNSET | NAMES)),
)
POSITIONS = st.text(st.sampled_from(string.hexdigits), min_size=1, max_size=40) | TEXT


@st.composite
def draw_presented(draw: st.DrawFn) -> Presented:
    """Draws a cursor of the service, one with a changed byte, or any text."""
    to, after = draw(REQUESTS), draw(POSITIONS)
    origin = draw(st.just(to) | REQUESTS)
    cursor = make_cursor(origin.route, origin.query, after) or ""
    match draw(st.sampled_from(("valid", "changed", "inner", "encoded", "text"))):
        case "valid":
            return Presented(cursor, to, (origin, after))
        case "changed":
            at = draw(st.integers(0, len(cursor) - 1))
            return Presented(cursor[:at] + draw(st.characters()) + cursor[at + 1 :], to)
        case "inner":
            content = bytearray(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
            content[draw(st.integers(0, len(content) - 1))] = draw(st.integers(0, 255))
            return Presented(base64.urlsafe_b64encode(content).decode().rstrip("="), to)
        case "encoded":
            value = json.dumps(draw(JSON)).encode() if draw(st.booleans()) else draw(st.binary())
            return Presented(base64.urlsafe_b64encode(value).decode(), to)
    return Presented(draw(RAW_TEXT), to)


# Lists that no test requests. No cursor may open them.
OTHERS = (
    Request("findings", FindingQuery(title="another list")),
    Request("events", PageQuery()),
)
# The longest key of DynamoDB that we accept as a position.
LONGEST_POSITION = 200


def check_cursor(presented: Presented) -> None:
    """A cursor opens its own list if it is well formed, or is refused."""
    for other in OTHERS:
        assert open_cursor(other, presented.cursor) is None
    position = open_cursor(presented.to, presented.cursor)
    if presented.source:
        origin, after = presented.source
        fits = is_same_list(origin, presented.to) and 0 < len(after) <= LONGEST_POSITION
        assert position == (after if fits else None)
    if position is not None:
        assert 0 < len(position) <= LONGEST_POSITION
        assert position.encode().decode() == position
        assert open_cursor(presented.to, create_cursor(presented.to, position)) == position


def open_cursor(request: Request, cursor: str) -> str | None:
    try:
        return read_cursor(request.route, request.query, cursor)
    except BadRequest as error:
        refused = error
    assert [fault.pointer for fault in refused.faults] == ["cursor"]
    assert str(refused) == "The cursor is refused."
    return None


def create_cursor(request: Request, after: str) -> str:
    cursor = make_cursor(request.route, request.query, after)
    assert cursor is not None
    return cursor


def is_same_list(one: Request, other: Request) -> bool:
    """Whether two requests are for the same list, of any page."""
    return one.route == other.route and list_filters(one) == list_filters(other)


def list_filters(request: Request) -> dict[str, str]:
    query = request.query
    defaults = {"format": "json"} if isinstance(query, FindingQuery) else {}
    names = [name for name in query.__struct_fields__ if name not in {"limit", "cursor"}]
    values = {name: getattr(query, name) for name in names}
    return defaults | {name: value for name, value in values.items() if isinstance(value, str)}


PAGE = Request("nodes", PageQuery())


@given(draw_presented())
@example(Presented("\ud800", PAGE))
@example(Presented(base64.b64encode(b"[" * 1000).decode(), PAGE))
@example(Presented(base64.b64encode(b'["","\\ud800"]').decode(), PAGE))
@FUZZ
def test_a_cursor_opens_its_own_list_or_is_refused(presented: Presented) -> None:
    check_cursor(presented)


def test_a_cursor_of_the_service_opens_its_list() -> None:
    cursor = create_cursor(PAGE, "i-1")

    check_cursor(Presented(cursor, PAGE, (PAGE, "i-1")))
    with pytest.raises(BadRequest):
        read_cursor("scans", PageQuery(), cursor)
