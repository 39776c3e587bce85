"""What a refusal says. Each text was read aloud."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec
import pytest

from chalicelib.domain.errors import RequestError
from chalicelib.domain.finding import Severity
from chalicelib.domain.snooze_rules import SnoozeLimits
from chalicelib.entrypoints.api import faults
from chalicelib.entrypoints.api.requests import (
    Body,
    ChangeSnooze,
    CreateSnooze,
    DryRunQuery,
    FindingQuery,
    InstanceId,
    NoQuery,
    SnoozeFinding,
    SnoozeQuery,
)

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
LIMITS = SnoozeLimits(timedelta(days=180))
SEVERITIES = "CRITICAL, HIGH, MEDIUM, LOW, INFORMATIONAL, UNSPECIFIED"
REASONS = (
    "accepted_risk, false_positive, not_applicable, compensating_control, fix_in_progress, "
    "fix_scheduled, maintenance, other"
)
AN_ID = "an instance id, which looks like i-0123456789abcdef0 or mi-0123456789abcdef0"
A_DURATION = "an ISO 8601 duration in weeks to seconds, such as P14D, P2W or PT12H"
A_TIME = "a date and time with a zone, such as 2027-01-31T00:00:00Z"
SNOOZE_NAMES = (
    "The parameters are limit, cursor, instance_id, title, control_id, state, created_by, reason, "
    "permanent, unused, ends_before."
)
DRY_RUN_NAMES = "The parameters are dry_run."
FIELDS = "reason, comment, ends_at, duration, permanent, until_resolved, starts_at"
SCOPE_FIELDS = "instance_id, title, title_pattern, control_id, max_severity, confirm_matches"
ONE_END = "Give exactly one of ends_at, duration and permanent: true."
SNOOZE = {"reason": "other", "comment": "ticket 42"}


class Item(Body, frozen=True):
    """A JSON object within a body."""

    instance_id: InstanceId
    severity: Severity | None = None


class Nested(Body, frozen=True):
    """A body with lists and an object."""

    ids: Annotated[
        tuple[Annotated[str, msgspec.Meta(pattern="^[0-9]$")], ...],
        msgspec.Meta(min_length=1, max_length=3),
    ]
    item: Item
    items: list[Item] | None = None
    severities: tuple[Severity, ...] = ()
    kind: Literal["full", "part"] = "full"
    share: float = 0.5


def refuse_query(shape: type[msgspec.Struct], **given: str) -> Sequence[tuple[str, str]]:
    """Returns name and text of each fault."""
    with pytest.raises(RequestError) as refused:
        faults.read_parameters(given, shape)
    return [(each.pointer, each.message) for each in refused.value.faults]


def refuse_body(shape: type[Body], given: object) -> Sequence[tuple[str, str]]:
    """Returns pointer and text of each fault."""
    with pytest.raises(RequestError) as refused:
        faults.read_json(given, shape, lambda body: body.find_broken_rules(NOW, LIMITS))
    return [(each.pointer, each.message) for each in refused.value.faults]


@pytest.mark.parametrize(
    ("shape", "name", "value", "text"),
    [
        (FindingQuery, "severity", "BAD", f"severity is one of {SEVERITIES}."),
        (FindingQuery, "severity", "hgih", f"severity is one of {SEVERITIES}. Did you mean HIGH?"),
        (
            FindingQuery,
            "state",
            "snozed",
            "state is one of fixed, open, snoozed, unchecked. Did you mean snoozed?",
        ),
        (SnoozeQuery, "state", "over", "state is one of pending, active, ended."),
        (FindingQuery, "format", "xml", "format is one of csv, json."),
        (FindingQuery, "limit", "0", "limit is a whole number from 1 to 200."),
        (FindingQuery, "limit", "ten", "limit is a whole number from 1 to 200."),
        (FindingQuery, "title", "", "title has 1 to 1,000 characters, not 0."),
        (
            FindingQuery,
            "instance_id",
            "web-01",
            f"instance_id is {AN_ID}. To search by a part of an instance id or a title, use q.",
        ),
        (SnoozeQuery, "instance_id", "web-01", f"instance_id is {AN_ID}."),
        (DryRunQuery, "dry_run", "yes", "dry_run is true or false."),
        (
            SnoozeQuery,
            "colour",
            "red",
            f'"colour" is not a parameter of this route. {SNOOZE_NAMES}',
        ),
        (
            DryRunQuery,
            "dryrun",
            "true",
            f'"dryrun" is not a parameter of this route. Did you mean dry_run? {DRY_RUN_NAMES}',
        ),
        (
            NoQuery,
            "limit",
            "1",
            '"limit" is not a parameter of this route. This route has no parameters.',
        ),
    ],
)
def test_a_refused_parameter_names_the_right_values(
    shape: type[msgspec.Struct], name: str, value: str, text: str
) -> None:
    assert refuse_query(shape, **{name: value}) == [(name, text)]


@pytest.mark.parametrize(
    ("change", "pointer", "text"),
    [
        ({"reason": "wontfix"}, "/reason", f"reason is one of {REASONS}."),
        ({"reason": None}, "/reason", f"reason is one of {REASONS}."),
        (
            {"reason": "accept_risk"},
            "/reason",
            f"reason is one of {REASONS}. Did you mean accepted_risk?",
        ),
        ({"comment": "ab"}, "/comment", "comment has 3 to 500 characters, not 2."),
        ({"comment": 42}, "/comment", "comment is a text of 3 to 500 characters."),
        (
            {"permanent": False},
            "/permanent",
            "permanent is true if the snooze never ends, or left out.",
        ),
        ({"until_resolved": "yes"}, "/until_resolved", "until_resolved is true or false."),
        (
            {"ends_at": "2026-12-01"},
            "/ends_at",
            f"ends_at is {A_TIME}. Write 2026-12-01T00:00:00Z.",
        ),
        (
            {"ends_at": "2026-12-01 18:30"},
            "/ends_at",
            f"ends_at is {A_TIME}. Write 2026-12-01T18:30:00Z.",
        ),
        ({"ends_at": "tomorrow"}, "/ends_at", f"ends_at is {A_TIME}."),
        ({"ends_at": 1796083200}, "/ends_at", f"ends_at is {A_TIME}."),
        (
            {"coment": "ticket 42"},
            "/coment",
            f'"coment" is not a field of this body. Did you mean comment? The fields are {FIELDS}.',
        ),
        ({"a/~b": 1}, "/a~1~0b", f'"a/~b" is not a field of this body. The fields are {FIELDS}.'),
    ],
)
def test_a_refused_field_names_the_right_values(
    change: dict[str, Any], pointer: str, text: str
) -> None:
    end = {} if {"ends_at", "permanent"} & change.keys() else {"duration": "P1D"}

    assert refuse_body(SnoozeFinding, SNOOZE | end | change) == [(pointer, text)]


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("14d", '"14d" is not an ISO 8601 duration. Write P14D for 14 days.'),
        ("1 day", '"1 day" is not an ISO 8601 duration. Write P1D for 1 day.'),
        ("2 weeks", '"2 weeks" is not an ISO 8601 duration. Write P14D for 2 weeks.'),
        ("1h30m", '"1h30m" is not an ISO 8601 duration. Write PT1H30M for 1 hour 30 minutes.'),
        ("1H30M", '"1H30M" is not an ISO 8601 duration. Write PT1H30M for 1 hour 30 minutes.'),
        ("30m", '"30m" is not an ISO 8601 duration. Write PT30M for 30 minutes.'),
        ("0s", '"0s" is not an ISO 8601 duration. Write P0D for 0 seconds.'),
        ("1M", '"1M" is not an ISO 8601 duration. Write P30D for 1 month.'),
        ("3 mo", '"3 mo" is not an ISO 8601 duration. Write P90D for 3 months.'),
        ("1 year", '"1 year" is not an ISO 8601 duration. Write P365D for 1 year.'),
        ("P1M", "P1M: a month has no fixed length. Write P30D."),
        ("p2m", "P2M: a month has no fixed length. Write P60D."),
        ("P1Y", "P1Y: a year has no fixed length. Write P365D."),
        ("P1MT12H", "P1MT12H: a month has no fixed length. Write P30DT12H."),
        ("P1W2D", "P1W2D: weeks stand alone in ISO 8601. Write P9D."),
        ("PT5M3H", f'"PT5M3H" is not {A_DURATION}.'),
        ("P", f'"P" is not {A_DURATION}.'),
        ("14", f'"14" is not {A_DURATION}.'),
        ("3 fortnights", f'"3 fortnights" is not {A_DURATION}.'),
        ("soon", f'"soon" is not {A_DURATION}.'),
        ("a\u202e\n" + "x" * 100, f'"a {"x" * 58}…" is not {A_DURATION}.'),
        (14, f"duration is {A_DURATION}."),
    ],
)
def test_a_refused_duration_says_how_to_write_what_was_meant(given: object, text: str) -> None:
    assert refuse_body(SnoozeFinding, SNOOZE | {"duration": given}) == [("/duration", text)]


def test_every_fault_of_a_body_is_named_at_once() -> None:
    given = {"reason": "wontfix", "duration": "14d", "instance_id": "web-01", "until": "fixed"}

    assert refuse_body(CreateSnooze, given) == [
        ("/reason", f"reason is one of {REASONS}."),
        ("/duration", '"14d" is not an ISO 8601 duration. Write P14D for 14 days.'),
        ("/instance_id", f"instance_id is {AN_ID}."),
        (
            "/until",
            f'"until" is not a field of this body. The fields are {FIELDS}, {SCOPE_FIELDS}.',
        ),
        ("/comment", "comment is missing. It is a text of 3 to 500 characters."),
    ]


def test_every_fault_of_a_query_is_named_at_once() -> None:
    found = refuse_query(FindingQuery, limit="0", severity="BAD", colour="red")

    assert [name for name, _ in found] == ["limit", "severity", "colour"]


@pytest.mark.parametrize(
    ("shape", "given", "rules"),
    [
        (
            SnoozeFinding,
            {"duration": "P500D"},
            [("/duration", "Give a duration above zero and of 180 days at most.")],
        ),
        (SnoozeFinding, {}, [("", ONE_END)]),
        (
            CreateSnooze,
            {"duration": "P1D"},
            [("", "Name an instance_id, a title, a title_pattern or a control_id.")],
        ),
        (
            CreateSnooze,
            {"permanent": True, "title": "A", "until_resolved": True},
            [
                (
                    "/until_resolved",
                    "Only a snooze of one instance_id and one whole title can end with a fix.",
                )
            ],
        ),
        (
            ChangeSnooze,
            {"comment": "      ", "ends_at": "2020-01-01T00:00:00Z"},
            [
                ("/comment", "Give 3 to 500 characters, not 0."),
                ("/ends_at", "The end must lie in the future, after the start."),
            ],
        ),
        # a wrong field counts as given: it is not missing, and it is one end too many
        (CreateSnooze, {"duration": "14d", "title": 7}, []),
        (CreateSnooze, {"permanent": False, "instance_id": "web-01"}, []),
        (ChangeSnooze, {"duration": "14d", "permanent": True}, [("/permanent", ONE_END)]),
    ],
)
def test_a_broken_rule_is_named_beside_a_wrong_field(
    shape: type[Body], given: dict[str, Any], rules: list[tuple[str, str]]
) -> None:
    found = refuse_body(shape, {"comment": "ticket 42", "reason": "wontfix"} | given)

    wrong = [each for each in found if each[0][1:] in given and each not in rules]
    assert found == [("/reason", f"reason is one of {REASONS}."), *wrong, *rules]


def test_no_rule_is_named_for_what_stands_for_a_wrong_field() -> None:
    with pytest.raises(RequestError) as refused:
        faults.read_json(
            SNOOZE | {"ends_at": "tomorrow"},
            SnoozeFinding,
            lambda body: body.find_broken_rules(NOW, SnoozeLimits(timedelta(days=1))),
        )

    assert [each.code for each in refused.value.faults] == ["invalid"]


def test_lists_and_objects_in_a_body_are_read_item_by_item() -> None:
    item = {"instance_id": "i-0", "severity": "low"}
    given = {
        "ids": ["x", "1", 2],
        "item": {"severity": "hihg", "colour": "red"},
        "items": [item, {"instance_id": "web-01"}, 7],
        "severities": ["High", "BAD"],
        "kind": "Full",
        "share": "half",
    }

    assert refuse_body(Nested, given) == [
        ("/ids/0", "ids[0] is a text that matches ^[0-9]$."),
        ("/ids/2", "ids[2] is a text that matches ^[0-9]$."),
        ("/item/severity", f"severity is one of {SEVERITIES}. Did you mean HIGH?"),
        (
            "/item/colour",
            '"colour" is not a field of this body. The fields are instance_id, severity.',
        ),
        ("/item/instance_id", f"instance_id is missing. It is {AN_ID}."),
        ("/items/1/instance_id", f"instance_id is {AN_ID}."),
        ("/items/2", "items[2] is a JSON object."),
        ("/severities/1", f"severities[1] is one of {SEVERITIES}."),
        ("/share", "share is of another type."),
    ]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"ids": []}, "ids has 1 to 3 items, not 0."),
        ({"ids": ["1"] * 4}, "ids has 1 to 3 items, not 4."),
        ({"ids": "1"}, "ids is a list of 1 to 3 items."),
        ({"item": 7}, "item is a JSON object."),
        ({"items": {}}, "items is a list of any number of items."),
    ],
)
def test_a_refused_list_or_object_says_what_it_is(change: dict[str, Any], text: str) -> None:
    (found,) = refuse_body(Nested, {"ids": ["1"], "item": {"instance_id": "i-0"}} | change)

    assert found[1] == text


def test_the_words_of_a_list_are_taken_in_any_case() -> None:
    query = faults.read_parameters({"severity": "critical", "state": "OPEN"}, FindingQuery)
    body = faults.read_json(
        {
            "ids": ["1"],
            "item": {"instance_id": "i-0"},
            "severities": ["low", "High"],
            "kind": "PART",
        },
        Nested,
        lambda _: [],
    )

    assert (query.severity, query.state) == (Severity.CRITICAL, "open")
    assert (body.severities, body.kind) == ((Severity.LOW, Severity.HIGH), "part")


@pytest.mark.parametrize("given", [[], 7, None, "text"])
def test_a_body_that_is_no_object_is_refused(given: object) -> None:
    assert refuse_body(SnoozeFinding, given) == [("", "The body is a JSON object.")]


def test_a_refusal_lists_a_limited_number_of_faults() -> None:
    given = {"ids": ["1"], "item": {"instance_id": "i-0"}, "severities": ["BAD"] * 1_000}

    assert len(refuse_body(Nested, given)) == faults.MOST_FAULTS
