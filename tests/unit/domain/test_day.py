"""A day in numbers, which scans add up."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from chalicelib.domain.finding import Severity
from chalicelib.domain.history import EventKind, FactRow, NodeFacts
from chalicelib.domain.scan import Coverage, Day, MutedCount, Outcome, add_to_day

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
EVENING = NOON + timedelta(hours=7)
TOMORROW = NOON + timedelta(days=1)
HIGH = Severity.HIGH
MUTED = MutedCount(4, "digest")


def make_outcome(**changes: int) -> Outcome:
    """Returns an outcome with ten open findings on two of three nodes that reported."""
    reports = {"i-1": NOON, "i-2": NOON - timedelta(hours=12), "i-3": NOON - timedelta(hours=13)}
    return Outcome(
        "scan-1",
        NOON,
        (),
        {HIGH: 10},
        Coverage(4, reports),
        changes={EventKind[name.upper()]: number for name, number in changes.items()},
        unchecked=3,
        muted=MUTED,
        fixed_ages={7: 2} if "fixed" in changes else {},
    )


def test_the_first_scan_begins_a_day() -> None:
    day = add_to_day(None, make_outcome(new=10, fixed=2), (), NOON)

    assert day == Day(
        day="2026-11-28",
        open={HIGH: 10},
        muted=MUTED,
        unchecked=3,
        changes={EventKind.NEW: 10, EventKind.FIXED: 2},
        fixed_ages={7: 2},
        nodes_known=4,
        # one of them reported before midnight
        nodes_reported=2,
    )


def test_a_further_scan_adds_what_happened_and_replaces_what_is() -> None:
    first = add_to_day(None, make_outcome(new=10, fixed=2), (), NOON)
    later = replace(make_outcome(fixed=1, worse=1), by_severity={HIGH: 9}, fixed_ages={0: 1})

    day = add_to_day(first, later, (), EVENING)

    assert day.changes == {EventKind.NEW: 10, EventKind.FIXED: 3, EventKind.WORSE: 1}
    assert day.fixed_ages == {7: 2, 0: 1}
    assert day.open == {HIGH: 9}


def test_facts_of_a_scan_that_died_count_once() -> None:
    ids = {EventKind.NEW: ("1", "2"), EventKind.FIXED: ("3",)}
    facts = (NodeFacts("i-1", NOON, ids), NodeFacts("i-2", NOON, {EventKind.NEW: ("4",)}))
    row = FactRow(1, "2026-11-28", "scan-0", facts)

    day = add_to_day(None, make_outcome(new=1), [row], NOON)

    assert day.changes == {EventKind.NEW: 4, EventKind.FIXED: 1}


def test_a_scan_that_saw_nothing_leaves_the_day_as_it_is() -> None:
    first = add_to_day(None, make_outcome(new=10), (), NOON)

    assert add_to_day(first, make_outcome(), (), EVENING) == first


def test_a_new_day_counts_from_zero() -> None:
    first = add_to_day(None, make_outcome(new=10, fixed=2), (), NOON)

    day = add_to_day(first, make_outcome(), (), TOMORROW)

    assert (day.day, day.changes, day.fixed_ages) == ("2026-11-29", {}, {})
    assert (day.open, day.nodes_known, day.nodes_reported) == ({HIGH: 10}, 4, 0)


def test_a_clock_that_is_set_back_adds_to_the_last_day() -> None:
    first = add_to_day(None, make_outcome(new=1), (), TOMORROW)

    day = add_to_day(first, make_outcome(new=2), (), NOON)

    assert (day.day, day.count(EventKind.NEW)) == ("2026-11-29", 3)


@pytest.mark.parametrize("now", [EVENING, TOMORROW])
def test_a_number_that_is_not_known_now_stays_and_is_no_later_scans_own(now: datetime) -> None:
    unknown = replace(make_outcome(), muted=None)

    day = add_to_day(add_to_day(None, make_outcome(), (), NOON), unknown, (), now)

    assert day.muted == MutedCount(4, "")
    assert add_to_day(None, unknown, (), now).muted is None


@pytest.mark.parametrize(
    ("ages", "median"),
    [({}, None), ({3: 1}, 3), ({1: 1, 4: 1}, 2.5), ({0: 5, 90: 4}, 0), ({0: 4, 90: 4, 7: 1}, 7)],
)
def test_the_median_age_of_what_was_fixed(ages: dict[int, int], median: float | None) -> None:
    assert Day("2026-11-28", fixed_ages=ages).median_age == median
