from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.finding import Finding, Severity
from chalicelib.domain.snooze import Muting, Snooze, State, end_by_fix, list_unsettled
from tests.fleet import HOUR, START, make_snooze

FINDING = Finding("i-1", "SSH must not allow root", Severity.HIGH, "ssh-01", START, "scan")
END = START + timedelta(days=1)
TICK = timedelta(microseconds=1)


def test_a_snooze_holds_from_its_start_up_to_but_not_at_its_end() -> None:
    rule = make_snooze()
    assert rule.state(START - TICK) is State.PENDING
    assert rule.state(START) is State.ACTIVE
    assert rule.state(END - TICK) is State.ACTIVE
    assert rule.state(END) is State.ENDED


def test_an_end_by_hand_counts_from_that_instant() -> None:
    rule = make_snooze(ended_at=START + HOUR)
    assert rule.state(START + HOUR - TICK) is State.ACTIVE
    assert rule.state(START + HOUR) is State.ENDED


def test_a_permanent_snooze_does_not_end_by_itself() -> None:
    assert make_snooze(ends_at=None).state(START + timedelta(days=10_000)) is State.ACTIVE


@pytest.mark.parametrize(
    ("instance_id", "title", "covers"),
    [
        ("i-1", FINDING.title, True),
        ("i-1", None, True),
        (None, FINDING.title, True),
        ("i-2", None, False),
        ("i-2", FINDING.title, False),
        (None, "another", False),
    ],
)
def test_a_rule_covers_its_instance_its_title_or_the_pair(
    instance_id: str | None, title: str | None, covers: bool
) -> None:
    rule = make_snooze(instance_id=instance_id, title=title)
    assert rule.scope.matches(replace(FINDING, instance_id="i-1")) is covers


def test_a_snooze_about_nothing_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="names an instance"):
        make_snooze(instance_id=None, title=None)


def test_of_several_the_one_that_mutes_longest_is_named() -> None:
    short, long_one = make_snooze(), make_snooze(id="s-2", ends_at=END + HOUR)
    forever, ended = make_snooze(id="s-3", ends_at=None), make_snooze(id="s-4", ended_at=START)
    wide = make_snooze(id="s-5", instance_id=None, ends_at=END + 2 * HOUR)
    assert Muting([short, long_one, ended], START).of(FINDING) is long_one
    assert Muting([short, forever, long_one], START).of(FINDING) is forever
    assert Muting([long_one, wide], START).of(FINDING) is wide
    assert Muting([ended], START).of(FINDING) is None


RULES = st.builds(
    lambda number, instance_id, title, length: make_snooze(
        id=f"s-{number}",
        instance_id=instance_id if title else "i-1",
        title=title,
        ends_at=START + length * HOUR,
    ),
    st.integers(0, 9),
    st.sampled_from(["i-1", "i-2", None]),
    st.sampled_from([FINDING.title, "another", None]),
    st.integers(-1, 3),
)


@given(st.lists(RULES))
def test_whatever_covers_a_finding_and_is_active_mutes_it(rules: list[Snooze]) -> None:
    found = Muting(rules, START).of(FINDING)
    able = [
        each for each in rules if each.scope.matches(FINDING) and each.state(START) is State.ACTIVE
    ]
    assert (found is None) == (not able)
    if found:
        assert found.end == max(each.end for each in able if each.end)


@given(st.integers(-3, 3), st.integers(0, 3))
def test_no_finding_is_both_muted_and_announced(hours: int, length: int) -> None:
    now = START + hours * HOUR
    rule = make_snooze(ends_at=START + length * HOUR)
    assert not (Muting([rule], now).of(FINDING) and rule in list_unsettled([rule], now))


def test_ended_snoozes_are_untold_until_they_are_told_first_ended_first() -> None:
    late, early = make_snooze(), make_snooze(id="s-2", ended_at=START + HOUR)
    told = make_snooze(id="s-3", settled_at=END)
    assert list_unsettled([late, early, told], END) == (early, late)
    assert list_unsettled([late], START) == ()


def test_only_a_fix_of_the_very_pair_ends_an_until_resolved_snooze() -> None:
    pair, plain = make_snooze(until_resolved=True), make_snooze(id="s-2")
    other = make_snooze(id="s-3", until_resolved=True, title="another")
    over = make_snooze(id="s-4", until_resolved=True, ended_at=START)
    (ended,) = end_by_fix([pair, plain, other, over], [FINDING], START + HOUR)
    assert (ended.id, ended.ended_at, ended.settled_at, ended.version) == (
        "s-1",
        START + HOUR,
        None,
        2,
    )
