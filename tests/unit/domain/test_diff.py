from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.diff import Diff, diff
from chalicelib.domain.finding import Finding, Observation, Severity
from tests.fleet import HOUR, START

TITLES = st.text(min_size=1, max_size=3)
SEVERITIES = st.sampled_from(Severity)


@st.composite
def observations(draw: st.DrawFn) -> list[Observation]:
    titles = draw(st.lists(TITLES, unique=True, max_size=6))
    return [Observation("i-1", title, draw(SEVERITIES), draw(TITLES)) for title in titles]


def compared(
    stored: tuple[Finding, ...], observed: list[Observation], *, verified: bool = True
) -> Diff:
    return diff(stored, observed, verified=verified, seen_at=START + HOUR, scan_id="later")


def stored_of(observed: list[Observation]) -> tuple[Finding, ...]:
    return diff((), observed, verified=True, seen_at=START, scan_id="first").new


@given(observations())
def test_what_is_stored_as_observed_differs_in_nothing(observed: list[Observation]) -> None:
    same = compared(stored_of(observed), observed)
    assert (same.new, same.updated, same.removed) == ((), (), ())
    assert len(same.unchanged) == len(observed)


@given(observations(), observations())
def test_opened_and_resolved_swap_when_time_is_turned_round(
    before: list[Observation], after: list[Observation]
) -> None:
    forth = compared(stored_of(before), after)
    back = compared(stored_of(after), before)
    assert {each.key for each in forth.new} == {each.key for each in back.removed}
    assert {each.key for each in forth.removed} == {each.key for each in back.new}


@given(observations(), observations(), st.booleans())
def test_applying_a_diff_and_comparing_again_changes_nothing(
    before: list[Observation],
    after: list[Observation],
    verified: bool,
) -> None:
    first = compared(stored_of(before), after, verified=verified)
    rows = (*first.new, *first.updated, *first.unchanged)
    again = compared(rows, after, verified=verified)
    assert (again.new, again.updated, again.removed) == ((), (), ())
    assert sum(first.severities.values()) == len(rows)


@given(observations(), observations())
def test_a_doubtful_reading_resolves_nothing_and_opens_the_same(
    before: list[Observation], after: list[Observation]
) -> None:
    doubtful = compared(stored_of(before), after, verified=False)
    assert doubtful.removed == ()
    assert doubtful.new == compared(stored_of(before), after).new


def test_an_update_keeps_first_seen_and_scan_id() -> None:
    stored = stored_of([Observation("i-1", "A", Severity.LOW, "c-1")])
    (updated,) = compared(stored, [Observation("i-1", "A", Severity.HIGH, "c-2")]).updated
    assert updated == Finding("i-1", "A", Severity.HIGH, "c-2", START, "first")
