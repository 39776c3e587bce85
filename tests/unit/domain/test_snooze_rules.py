"""The rules that a snooze must keep."""

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from chalicelib.domain.errors import RuleBroken
from chalicelib.domain.finding import Severity
from chalicelib.domain.snooze import Reason, Scope
from chalicelib.domain.snooze_rules import (
    MOST_UNCONFIRMED,
    SnoozeChange,
    SnoozeEnd,
    SnoozeLimits,
    SnoozeTerms,
    SnoozeTime,
    check_matches,
    validate_change,
    validate_snooze,
)
from tests.fleet import HOUR, START, make_snooze

LONGEST = timedelta(days=180)
LIMITS = SnoozeLimits(LONGEST)
SECOND = timedelta(seconds=1)


def validate(
    instance_id: str | None = "i-1",
    title: str | None = "A",
    limits: SnoozeLimits = LIMITS,
    **fields: Any,
) -> Any:
    """Validates a snooze of a pair for an hour, with these fields changed."""
    usual: dict[str, Any] = {
        "end": SnoozeEnd(duration=HOUR),
        "reason": Reason.MAINTENANCE,
        "comment": "ticket 42",
    }
    terms = SnoozeTerms(**{**usual, **fields})
    return validate_snooze(Scope(instance_id, title), terms, START, limits).ends_at


def list_faults(**fields: Any) -> list[tuple[str, str]]:
    """Lists pointer and code of every rule that the snooze breaks."""
    with pytest.raises(RuleBroken) as raised:
        validate(**fields)
    return [(fault.pointer, fault.code) for fault in raised.value.faults]


def test_an_end_is_an_instant_a_duration_or_never() -> None:
    assert validate(end=SnoozeEnd(at=START + HOUR)) == START + HOUR
    assert validate(end=SnoozeEnd(duration=HOUR)) == START + HOUR
    assert validate(end=SnoozeEnd(permanent=True)) is None


def test_the_longest_end_is_allowed_and_a_second_more_is_not() -> None:
    assert validate(end=SnoozeEnd(duration=LONGEST)) == START + LONGEST
    assert list_faults(end=SnoozeEnd(duration=LONGEST + SECOND)) == [("/duration", "too_long")]
    assert list_faults(end=SnoozeEnd(at=START + LONGEST + SECOND)) == [("/ends_at", "too_long")]


def test_an_end_in_the_past_or_now_is_refused() -> None:
    assert list_faults(end=SnoozeEnd(at=START)) == [("/ends_at", "past")]
    assert list_faults(end=SnoozeEnd(at=START - HOUR)) == [("/ends_at", "past")]
    assert list_faults(end=SnoozeEnd(duration=timedelta(0))) == [("/duration", "past")]
    assert list_faults(end=SnoozeEnd(duration=-HOUR)) == [("/duration", "past")]
    assert list_faults(end=SnoozeEnd(duration=timedelta(milliseconds=1))) == [("/duration", "past")]


def test_an_end_at_the_edge_of_the_calendar_is_refused_like_any_other() -> None:
    east, west = timezone(timedelta(hours=23)), timezone(-timedelta(hours=23))
    first, last = datetime.min.replace(tzinfo=east), datetime.max.replace(tzinfo=west)

    assert list_faults(end=SnoozeEnd(at=first)) == [("/ends_at", "past")]
    assert list_faults(end=SnoozeEnd(at=last)) == [("/ends_at", "too_long")]


def test_a_permanent_snooze_can_be_turned_off_and_the_refusal_says_the_longest_time() -> None:
    limits = SnoozeLimits(LONGEST, allow_permanent=False)

    with pytest.raises(RuleBroken) as raised:
        validate(limits=limits, end=SnoozeEnd(permanent=True))

    assert [(each.pointer, each.code, each.message) for each in raised.value.faults] == [
        (
            "/permanent",
            "permanent_off",
            "Permanent snoozes are turned off. Give an end within 180 days.",
        )
    ]
    assert validate(limits=limits, end=SnoozeEnd(duration=LONGEST)) == START + LONGEST


@pytest.mark.parametrize(
    ("allow_permanent", "message"),
    [
        (True, "A snooze lasts 180 days at most; permanent: true has no end."),
        (False, "A snooze lasts 180 days at most."),
    ],
)
def test_an_end_too_far_away_is_refused_with_what_is_possible(
    allow_permanent: bool, message: str
) -> None:
    limits = SnoozeLimits(LONGEST, allow_permanent)

    with pytest.raises(RuleBroken) as raised:
        validate(limits=limits, end=SnoozeEnd(at=START + LONGEST + SECOND))

    assert [fault.message for fault in raised.value.faults] == [message]


def test_exactly_one_end_must_be_given() -> None:
    assert list_faults(end=SnoozeEnd()) == [("", "one_end")]
    assert list_faults(end=SnoozeEnd(at=START + HOUR, duration=HOUR)) == [("/duration", "one_end")]
    assert list_faults(end=SnoozeEnd(duration=HOUR, permanent=True)) == [("/permanent", "one_end")]


@pytest.mark.parametrize("comment", ["", "ab", "  a  ", "x" * 501])
def test_a_comment_must_have_3_to_500_characters(comment: str) -> None:
    assert list_faults(comment=comment) == [("/comment", "length")]


def test_a_snooze_must_name_an_instance_a_title_or_both() -> None:
    assert list_faults(instance_id=None, title=None) == [("", "scope_missing")]


def test_only_a_snooze_of_a_pair_can_end_with_its_fix() -> None:
    assert validate(until_resolved=True)
    assert list_faults(until_resolved=True, title=None) == [("/until_resolved", "pairs_only")]
    assert list_faults(until_resolved=True, instance_id=None) == [("/until_resolved", "pairs_only")]


def test_every_broken_rule_is_named_at_once() -> None:
    broken = list_faults(title=None, until_resolved=True, comment="x", end=SnoozeEnd())

    assert broken == [("/until_resolved", "pairs_only"), ("/comment", "length"), ("", "one_end")]


def test_a_change_keeps_the_end_unless_it_gives_another() -> None:
    snooze = make_snooze()
    comment, permanent = SnoozeChange(comment="longer"), SnoozeChange(SnoozeEnd(permanent=True))

    assert validate_change(snooze, comment, START, LIMITS) == snooze.ends_at
    assert validate_change(snooze, permanent, START, LIMITS) is None


def test_a_permanent_snooze_stays_when_they_are_turned_off_but_none_becomes_permanent() -> None:
    limits = SnoozeLimits(LONGEST, allow_permanent=False)
    permanent = SnoozeChange(SnoozeEnd(permanent=True))

    assert (
        validate_change(make_snooze(ends_at=None), SnoozeChange(comment="longer"), START, limits)
        is None
    )
    with pytest.raises(RuleBroken) as raised:
        validate_change(make_snooze(), permanent, START, limits)
    assert [fault.code for fault in raised.value.faults] == ["permanent_off"]


def test_a_refused_change_names_every_broken_rule_and_that_the_snooze_has_ended() -> None:
    ended = make_snooze(ended_at=START)
    change = SnoozeChange(SnoozeEnd(at=START), comment="x")

    with pytest.raises(RuleBroken) as raised:
        validate_change(ended, change, START, LIMITS)

    assert [fault.code for fault in raised.value.faults] == ["ended", "length", "past"]


def check(scope: Scope, **fields: Any) -> list[tuple[str, str]]:
    """Lists pointer and code of every rule that a snooze of this scope breaks."""
    terms = SnoozeTerms(
        **{"end": SnoozeEnd(duration=HOUR), "reason": Reason.OTHER, "comment": "why", **fields}
    )
    with pytest.raises(RuleBroken) as raised:
        validate_snooze(scope, terms, START, LIMITS)
    return [(fault.pointer, fault.code) for fault in raised.value.faults]


@pytest.mark.parametrize("pattern", ["*", "**", "*" * 500, "* *", "a*b", "*\u200b\u200b\u200b*"])
def test_a_pattern_needs_some_text(pattern: str) -> None:
    assert check(Scope(title_pattern=pattern)) == [("/title_pattern", "too_wide")]


def test_a_title_and_a_pattern_are_too_much_and_a_blank_title_is_too_little() -> None:
    both = Scope(title="A", title_pattern="SSH*")

    assert check(both) == [("/title_pattern", "two_titles")]
    assert check(Scope(title=" \t ")) == [("/title", "blank")]
    assert check(Scope(), max_severity=Severity.HIGH) == [("", "scope_missing")]


@pytest.mark.parametrize(
    "scope", [Scope("i-1"), Scope("i-1", title_pattern="SSH*"), Scope("i-1", "SSH…")]
)
def test_only_a_pair_of_a_node_and_a_whole_title_ends_with_a_fix(scope: Scope) -> None:
    assert check(scope, until_resolved=True) == [("/until_resolved", "pairs_only")]


@pytest.mark.parametrize(
    ("starts_at", "end", "faults"),
    [
        (START - SECOND, SnoozeEnd(duration=HOUR), [("/starts_at", "past")]),
        (START, SnoozeEnd(duration=HOUR), [("/starts_at", "past")]),
        (START + LONGEST + SECOND, SnoozeEnd(duration=HOUR), [("/starts_at", "too_late")]),
        (START + 2 * HOUR, SnoozeEnd(at=START + HOUR), [("/ends_at", "past")]),
        (START + HOUR, SnoozeEnd(at=START + HOUR + LONGEST + SECOND), [("/ends_at", "too_long")]),
    ],
)
def test_a_start_lies_in_the_future_and_before_the_end(
    starts_at: datetime, end: SnoozeEnd, faults: list[tuple[str, str]]
) -> None:
    assert check(Scope("i-1"), starts_at=starts_at, end=end) == faults


def test_a_duration_counts_from_the_start() -> None:
    terms = SnoozeTerms(
        SnoozeEnd(duration=HOUR), Reason.OTHER, "tonight", starts_at=START + 9 * HOUR
    )

    time = validate_snooze(Scope("i-1"), terms, START, LIMITS)

    assert time == SnoozeTime(START + 9 * HOUR, START + 10 * HOUR)


def test_the_end_of_a_snooze_that_has_not_started_counts_from_its_start() -> None:
    tonight = make_snooze(starts_at=START + 9 * HOUR, ends_at=START + 10 * HOUR)
    change = SnoozeChange(SnoozeEnd(duration=2 * HOUR))

    assert validate_change(tonight, change, START, LIMITS) == START + 11 * HOUR


@pytest.mark.parametrize("confirmed", [None, 0, MOST_UNCONFIRMED])
def test_many_matches_must_be_confirmed(confirmed: int | None) -> None:
    check_matches({Severity.HIGH: MOST_UNCONFIRMED}, confirmed)
    with pytest.raises(RuleBroken):
        check_matches({Severity.HIGH: MOST_UNCONFIRMED, Severity.LOW: 1}, confirmed)

    check_matches({Severity.HIGH: 2 * MOST_UNCONFIRMED}, 2 * MOST_UNCONFIRMED)
