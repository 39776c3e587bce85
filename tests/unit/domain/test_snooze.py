"""When a snooze is active, what it covers, and when its end is announced."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from chalicelib.domain.finding import Finding, Severity
from chalicelib.domain.snooze import Muting, Snooze, State, end_by_fix, list_unsettled
from tests.fleet import DAY, HOUR, START, make_snooze

FINDING = Finding("i-1", "SSH must not allow root", Severity.HIGH, "ssh-01", START, "scan")
END = START + DAY
TICK = timedelta(microseconds=1)
SNOOZES = st.builds(
    lambda number, instance_id, title, hours: make_snooze(
        id=f"s-{number}",
        instance_id=instance_id if title else "i-1",
        title=title,
        ends_at=START + hours * HOUR,
    ),
    st.integers(0, 9),
    st.sampled_from(["i-1", "i-2", None]),
    st.sampled_from([FINDING.title, "another", None]),
    st.integers(-1, 3),
)


def test_a_snooze_is_active_from_its_start_until_just_before_its_end() -> None:
    snooze = make_snooze()

    assert snooze.state(START - TICK) is State.PENDING
    assert snooze.state(START) is State.ACTIVE
    assert snooze.state(END - TICK) is State.ACTIVE
    assert snooze.state(END) is State.ENDED


def test_a_snooze_that_a_person_ended_ends_at_that_instant() -> None:
    snooze = make_snooze(ended_at=START + HOUR)

    assert snooze.state(START + HOUR - TICK) is State.ACTIVE
    assert snooze.state(START + HOUR) is State.ENDED


def test_a_permanent_snooze_does_not_end_by_itself() -> None:
    assert make_snooze(ends_at=None).state(START + 10_000 * DAY) is State.ACTIVE


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
def test_a_snooze_covers_its_instance_its_title_or_the_pair(
    instance_id: str | None, title: str | None, covers: bool
) -> None:
    snooze = make_snooze(instance_id=instance_id, title=title)

    assert snooze.scope.matches(FINDING) is covers


def test_a_snooze_without_instance_and_title_is_an_error() -> None:
    with pytest.raises(ValueError, match="names an instance"):
        make_snooze(instance_id=None, title=None)


def test_of_several_snoozes_the_one_that_mutes_longest_is_shown() -> None:
    short, long_one = make_snooze(), make_snooze(id="s-2", ends_at=END + HOUR)
    permanent, ended = make_snooze(id="s-3", ends_at=None), make_snooze(id="s-4", ended_at=START)
    wide = make_snooze(id="s-5", instance_id=None, ends_at=END + 2 * HOUR)

    assert Muting([short, long_one, ended], START).of(FINDING) is long_one
    assert Muting([short, permanent, long_one], START).of(FINDING) is permanent
    assert Muting([long_one, wide], START).of(FINDING) is wide
    assert Muting([ended], START).of(FINDING) is None


@given(st.lists(SNOOZES))
def test_a_finding_is_muted_if_any_active_snooze_covers_it(snoozes: list[Snooze]) -> None:
    active = [
        each
        for each in snoozes
        if each.scope.matches(FINDING) and each.state(START) is State.ACTIVE
    ]

    found = Muting(snoozes, START).of(FINDING)

    assert (found is None) == (not active)
    if found:
        assert found.end == max(each.end for each in active if each.end)


@given(st.integers(-3, 3), st.integers(0, 3))
def test_no_finding_is_both_muted_and_announced(hours: int, length: int) -> None:
    now = START + hours * HOUR
    snooze = make_snooze(ends_at=START + length * HOUR)

    is_muted = Muting([snooze], now).of(FINDING) is not None
    is_announced = snooze in list_unsettled([snooze], now)

    assert not (is_muted and is_announced)


def test_ended_snoozes_are_listed_first_ended_first_until_they_are_settled() -> None:
    late, early = make_snooze(), make_snooze(id="s-2", ended_at=START + HOUR)
    settled = make_snooze(id="s-3", settled_at=END)

    assert list_unsettled([late, early, settled], END) == (early, late)
    assert list_unsettled([late], START) == ()


def test_only_a_fix_of_its_pair_ends_an_until_resolved_snooze() -> None:
    snoozes = [
        make_snooze(until_resolved=True),
        make_snooze(id="s-2"),
        make_snooze(id="s-3", until_resolved=True, title="another"),
        make_snooze(id="s-4", until_resolved=True, ended_at=START),
    ]

    after = [end_by_fix(each, {FINDING.finding_id: ""}, START + HOUR) for each in snoozes]

    assert after == [replace(snoozes[0], ended_at=START + HOUR), *snoozes[1:]]
