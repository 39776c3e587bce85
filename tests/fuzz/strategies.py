"""Hostile texts and JSON as Hypothesis strategies, and how many of them are tried."""

from collections.abc import Iterator
from copy import deepcopy
from datetime import datetime, timedelta, timezone
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from tests.effort import examples

# The settings of every test here.
FUZZ = settings(
    max_examples=examples(300, soak=10_000),
    deadline=None,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.large_base_example,
    ],
)
# Characters of the longest text.
LONGEST = 10_000

# Texts

FORMULAS = (
    *("=1+1", "=cmd|' /C calc'!A0", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "\n=1", " =1"),
    *("＝1", "＋1", "－1", "＠1", "﹦1", "﹫1"),  # noqa: RUF001 - on purpose
    *('"=1', ";=1", '; "=1', "'=1", ";'=1", "''=1", "\u200b=1", "\ufeff+1", "\x00=1"),
)
SLACK = (
    *("<!channel>", "<!here>", "<!everyone>", "<@U123>", "<#C1>", "<https://evil|https://good>"),
    *("<mailto:a@evil>", "<!subteam^S1>", "https://evil.example", "&lt;!channel&gt;", "&lt;"),
    *("&amp;lt;", "&", "<", ">", "`", "```", "*", "_", "~", ":fire:", "@here", "> "),
)
CHARACTERS = (
    *("\x00", "\x07", "\x1b[31m", "\x7f", "\x85", "\r\n", "\n", "\r", "\t", "\v", "\x1c"),
    *("\u202e", "\u202c", "\u2066", "\u200b", "\u200d", "\ufeff", "\u00ad", "\u2028", "\u3000"),
    *("\U000e0041", "\ufffe", "\u0301", "\U0001f525", "\U0001f468\u200d\U0001f469", "é", "\u05d0"),
    *('"', '""', "'", ";", ",", "\\", "\\u0000", "%s", "{0}", "$(id)", "#", "\u00a0", " ", ""),
)
# JSON can carry these, UTF-8 cannot.
HALVES = ("\ud800", "\udfff", "a\udc00b")


def _build_texts(tricks: tuple[str, ...]) -> SearchStrategy[str]:
    piece = st.sampled_from(tricks) | st.text(max_size=20)
    short = st.lists(piece, max_size=6).map("".join)
    return st.one_of(*[short] * 19, short.map(_fill))


def _fill(text: str) -> str:
    return (text * (LONGEST // max(1, len(text)) + 1))[:LONGEST]


# Any text that UTF-8 can hold, and the same with halves of surrogate pairs.
TEXT = _build_texts(FORMULAS + SLACK + CHARACTERS)
RAW_TEXT = _build_texts(FORMULAS + SLACK + CHARACTERS + HALVES + HALVES)

# Times

ZONES = st.integers(-23, 23).map(lambda hours: timezone(timedelta(hours=hours)))
# The years that the adapter of SSM accepts.
TIMES = st.datetimes(datetime(2006, 1, 2), datetime(2099, 12, 30), timezones=ZONES)  # noqa: DTZ001 - Hypothesis adds the zone

# JSON

NUMBERS = st.one_of(
    st.integers(),
    st.floats(),
    st.sampled_from((0, -1, 2**63, 10**38, 10**400, 1e308, float("nan"), float("inf"))),
)
JSON: SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, RAW_TEXT),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(RAW_TEXT, inner, max_size=3),
    max_leaves=6,
)
INSTANTS = st.one_of(
    TIMES.map(datetime.isoformat),
    st.sampled_from(
        (
            *("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"),
            *("2026-11-23T07:59:10", "2026-02-30T00:00:00Z", "2026-11-23T24:00:00Z", "1e9", "now"),
            f"2026-11-23T07:59:10.{'1' * 99}Z",
        )
    ),
)


@st.composite
def mutate(draw: DrawFn, valid: Any, values: SearchStrategy[Any] = JSON) -> Any:
    """Draws `valid` with up to four changes at any depth: deleted, replaced or added values."""
    root: list[Any] = [deepcopy(valid)]
    for _ in range(draw(st.integers(0, 4))):
        places = list(_list_places(root))
        parent, key = places[draw(st.integers(0, len(places) - 1))]
        change = draw(st.sampled_from(("replace", "delete", "add")))
        value = parent[key]
        if change == "delete" and parent is not root:
            del parent[key]
        elif change == "add" and isinstance(value, dict):
            value[draw(RAW_TEXT)] = draw(values)
        elif change == "add" and isinstance(value, list):
            value.insert(draw(st.integers(0, len(value))), draw(values))
        else:
            parent[key] = draw(values)
    return root[0]


def _list_places(node: Any) -> Iterator[tuple[Any, Any]]:
    """Yields every container of a tree with each of its keys."""
    keys = list(node) if isinstance(node, dict) else range(len(node))
    for key in keys:
        yield node, key
        if isinstance(node[key], dict | list):
            yield from _list_places(node[key])
