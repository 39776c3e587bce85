"""What hostile hosts, callers and files may send, as Hypothesis strategies."""

import base64
import json
import string
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from chalicelib.domain.announcement import Alert, Line, LineReason, Lines, Topic
from chalicelib.domain.compliance import Doubt
from chalicelib.domain.finding import Finding, Severity
from chalicelib.domain.job import Job, JobKind
from chalicelib.domain.monthly import MonthlyReport
from chalicelib.domain.scan import Coverage, Outcome
from chalicelib.domain.snooze import ListedFinding, Reason, Snooze
from chalicelib.entrypoints.api.paging import make_cursor
from chalicelib.entrypoints.api.requests import FindingQuery, PageQuery, SnoozeQuery
from devstack.events import build_association_event, build_scheduled_event

LONGEST = 10_000
AT = datetime(2026, 11, 23, 8, 15, 42, tzinfo=UTC)
VIEWER, OPERATOR = "eis_viewer-Token_1", "eis_operator-Token_2"

# text

FORMULAS = (
    *("=1+1", "=cmd|' /C calc'!A0", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "\n=1", " =1"),
    *("＝1", "＋1", "－1", "＠1", "﹦1", "﹫1"),  # noqa: RUF001 - they are meant
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


def _texts(tricks: tuple[str, ...]) -> SearchStrategy[str]:
    piece = st.sampled_from(tricks) | st.text(max_size=20)
    short = st.lists(piece, max_size=6).map("".join)
    return st.one_of(*[short] * 19, short.map(_filled))


def _filled(text: str) -> str:
    return (text * (LONGEST // max(1, len(text)) + 1))[:LONGEST]


# Whatever UTF-8 can hold, and that with halves of surrogate pairs.
TEXT = _texts(FORMULAS + SLACK + CHARACTERS)
RAW_TEXT = _texts(FORMULAS + SLACK + CHARACTERS + HALVES + HALVES)

# facts

COUNTS = st.integers(0, 10**9)
ZONES = st.integers(-23, 23).map(lambda hours: timezone(timedelta(hours=hours)))
# the years that the adapter of SSM lets in
TIMES = st.datetimes(datetime(2006, 1, 2), datetime(2099, 12, 30), timezones=ZONES)  # noqa: DTZ001 - Hypothesis adds the zone
NODES = st.sampled_from(("i-0a1b2c3d4e5f60001", "mi-0a1b2c3d4e5f60001")) | TEXT
FINDINGS = st.builds(Finding, NODES, TEXT, st.sampled_from(Severity), TEXT, TIMES, TEXT)
SNOOZES = st.builds(
    Snooze,
    id=st.sampled_from(("s-1", "s-2", "s-3")) | TEXT,
    instance_id=NODES,
    title=st.none() | TEXT,
    starts_at=TIMES,
    ends_at=st.none() | TIMES,
    until_resolved=st.booleans(),
    reason=st.sampled_from(Reason),
    comment=RAW_TEXT,
    created_by=RAW_TEXT,
    created_via=TEXT,
    created_at=TIMES,
    ended_at=st.none() | TIMES,
)
ROWS = st.lists(st.builds(ListedFinding, FINDINGS, st.none() | SNOOZES), max_size=3)
DEBTS = st.builds(
    Job,
    key=TEXT,
    kind=st.just(JobKind.EXECUTION),
    event_at=TIMES,
    enqueued_at=TIMES,
    association_id=RAW_TEXT,
    status=st.sampled_from(("Success", "Failed")) | RAW_TEXT,
    executed_at=st.none() | TIMES,
    nodes=st.dictionaries(st.just("Success") | RAW_TEXT, COUNTS, max_size=4),
)
COVERAGES = st.builds(
    Coverage,
    known=COUNTS,
    read=COUNTS,
    deferred=COUNTS,
    unverified=st.dictionaries(NODES, st.sampled_from(Doubt) | RAW_TEXT, max_size=15),
    untitled=COUNTS,
    missing=COUNTS,
    braked=st.booleans(),
    gone=COUNTS,
)
OUTCOMES = st.builds(
    Outcome,
    scan_id=RAW_TEXT,
    at=TIMES,
    new=st.just(()),
    fixed=COUNTS,
    gone=COUNTS,
    by_severity=st.dictionaries(st.sampled_from(Severity), COUNTS),
    coverage=COVERAGES,
)
LINES = st.one_of(
    st.builds(Line, FINDINGS, st.just(LineReason.NEW)),
    st.builds(Line, FINDINGS, st.just(LineReason.SNOOZE_ENDED), SNOOZES),
)
# Few of everything, so that many can be tried; `longest` in test_slack.py has many.
ALERTS = st.builds(
    Alert,
    topic=st.sampled_from(Topic),
    outcome=OUTCOMES,
    lines=st.builds(Lines, st.lists(LINES, max_size=4).map(tuple), COUNTS),
    recovered=st.booleans(),
    jobs=st.lists(DEBTS, max_size=2).map(tuple),
    reported=COUNTS,
    not_scanned=st.lists(NODES, max_size=4).map(tuple),
    last_alert_at=st.none() | TIMES,
)
MONTHS = st.builds(
    MonthlyReport,
    at=TIMES,
    by_severity=st.dictionaries(st.sampled_from(Severity), COUNTS),
    affected_nodes=COUNTS,
    known_nodes=COUNTS,
    stale_nodes=COUNTS,
    oldest=st.none() | FINDINGS,
    snoozed=COUNTS,
    ending_soon=COUNTS,
    csv_key=RAW_TEXT,
)

# JSON and what is made of it

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
def mutated(draw: DrawFn, valid: Any, values: SearchStrategy[Any] = JSON) -> Any:
    """`valid` with up to four places, at any depth, deleted, replaced or added to."""
    root: list[Any] = [deepcopy(valid)]
    for _ in range(draw(st.integers(0, 4))):
        places = list(_places(root))
        parent, key = places[draw(st.integers(0, len(places) - 1))]
        change = draw(st.sampled_from(("replace", "delete", "add")))
        here = parent[key]
        if change == "delete" and parent is not root:
            del parent[key]
        elif change == "add" and isinstance(here, dict):
            here[draw(RAW_TEXT)] = draw(values)
        elif change == "add" and isinstance(here, list):
            here.insert(draw(st.integers(0, len(here))), draw(values))
        else:
            parent[key] = draw(values)
    return root[0]


def _places(node: Any) -> Iterator[tuple[Any, Any]]:
    """Every container of a tree, with each key of it."""
    keys = list(node) if isinstance(node, dict) else range(len(node))
    for key in keys:
        yield node, key
        if isinstance(node[key], dict | list):
            yield from _places(node[key])


EVENT_VALUES = st.one_of(JSON, INSTANTS, JSON.map(json.dumps))
ASSOCIATION_EVENT = build_association_event(
    "6e37940a-23ba-4ab0-9b96-5d0a1a05464f",
    "Success",
    AT,
    {"Success": 3, "Failed": 1},
    AT,
    account="123456789012",
    region="eu-central-1",
)
SCHEDULED_EVENT = build_scheduled_event(AT, "monthly-alert", "123456789012", "eu-central-1")
EVENTS: SearchStrategy[Any] = st.one_of(
    mutated(ASSOCIATION_EVENT, EVENT_VALUES),
    mutated(SCHEDULED_EVENT | {"full": True, "accept_missing": False}, EVENT_VALUES),
    EVENT_VALUES,
)

# InSpec

REPORT = {
    "platform": {"name": "amazon", "release": "2023"},
    "profiles": [
        {
            "name": "base",
            "status": "loaded",
            "status_message": "",
            "controls": [
                {
                    "id": "ec2-ssh-01",
                    "title": "SSH must not allow direct root login",
                    "impact": 0.7,
                    "results": [
                        {"status": "failed", "code_desc": "is expected to exist"},
                        {"status": "passed", "code_desc": "is expected to be quiet"},
                        {"status": "skipped", "code_desc": "not here"},
                    ],
                },
                {"id": "empty", "title": None, "impact": 0, "results": []},
            ],
        },
        {"name": "overlay", "controls": [{"id": "c", "title": "T", "impact": 1.0}]},
    ],
    "version": "5.22.3",
}
STATUSES = st.sampled_from(("passed", "failed", "skipped", "loaded", "error"))


@st.composite
def reports(draw: DrawFn) -> bytes:
    """An InSpec report, or nearly one, as bytes."""
    value = draw(mutated(REPORT, JSON | STATUSES))
    text = json.dumps(value, ensure_ascii=draw(st.booleans()))
    coding = draw(st.sampled_from(("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-32")))
    content = text.encode(coding, "surrogatepass")
    match draw(st.sampled_from(("whole", "whole", "cut", "before", "after", "inside"))):
        case "cut":
            return content[: draw(st.integers(0, len(content)))]
        case "before":
            return draw(st.binary(max_size=20)) + content
        case "after":
            return content + draw(st.binary(max_size=20))
        case "inside":
            at = draw(st.integers(0, len(content)))
            return content[:at] + draw(st.binary(max_size=4)) + content[at + 1 :]
    return content


REPORTS = st.one_of(
    reports(), reports(), st.binary(max_size=200), RAW_TEXT.map(repr).map(str.encode)
)

# the API


@dataclass(frozen=True, slots=True)
class Asked:
    """A list of the API and what of it was asked for."""

    route: str
    query: PageQuery | FindingQuery | SnoozeQuery


@dataclass(frozen=True, slots=True)
class Presented:
    """A cursor, and the list it is presented to; `made` where it was made honestly."""

    cursor: str
    to: Asked
    made: tuple[Asked, str] | None = None


NAMES = st.sampled_from(("A", "B", "open", "null", '","')) | TEXT
UNSET = st.just(msgspec.UNSET)
ASKED = st.one_of(
    st.builds(Asked, st.sampled_from(("nodes", "scans")), st.builds(PageQuery, limit=COUNTS)),
    st.builds(
        Asked,
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
    st.builds(Asked, st.just("snoozes"), st.builds(SnoozeQuery, title=UNSET | NAMES)),
)
POSITIONS = st.text(st.sampled_from(string.hexdigits), min_size=1, max_size=40) | TEXT


@st.composite
def presented(draw: DrawFn) -> Presented:
    """A cursor as we make it, one with a byte changed, or anything at all."""
    to, after = draw(ASKED), draw(POSITIONS)
    origin = draw(st.just(to) | ASKED)
    cursor = make_cursor(origin.route, origin.query, after) or ""
    match draw(st.sampled_from(("made", "changed", "inner", "encoded", "text"))):
        case "made":
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


@st.composite
def headers(draw: DrawFn) -> Any:
    """An Authorization header: right, nearly right, or nothing of the kind."""
    token = draw(st.sampled_from((VIEWER, OPERATOR)) | RAW_TEXT)
    scheme = draw(st.sampled_from(("Bearer", "bearer", "BEARER", "Basic", "", "Bearer Bearer")))
    between = draw(st.sampled_from((" ", " ", "  ", "", "\t", "\u00a0", "\n", "\x00")))
    header = f"{scheme}{between}{token}"
    match draw(st.sampled_from(("whole", "whole", "changed", "wrapped", "other"))):
        case "changed":
            at = draw(st.integers(0, len(header)))
            return header[:at] + draw(RAW_TEXT) + header[at + draw(st.integers(0, 1)) :]
        case "wrapped":
            return draw(RAW_TEXT) + header + draw(RAW_TEXT)
        case "other":
            return draw(st.one_of(JSON, RAW_TEXT, st.binary()))
    return header
