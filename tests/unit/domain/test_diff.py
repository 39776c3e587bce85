"""Laws of the difference between the listed findings of a node and a reading."""

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.finding import Finding, Observation, OpenFinding, Severity
from chalicelib.domain.node import Diff, diff
from tests.fleet import HOUR, START

TITLES = st.text(min_size=1, max_size=3)
SEVERITIES = st.sampled_from(Severity)


@st.composite
def observations(draw: st.DrawFn) -> list[Observation]:
    titles = draw(st.lists(TITLES, unique=True, max_size=6))
    return [Observation("i-1", title, draw(SEVERITIES), draw(TITLES)) for title in titles]


Listed = dict[str, OpenFinding]


def compare(listed: Listed, observed: list[Observation], *, verified: bool = True) -> Diff:
    return diff(listed, observed, verified=verified, seen_at=START + HOUR, scan_id="later")


def list_after(result: Diff) -> Listed:
    return {each.finding_id: each for each in result.open_list}


def store(observed: list[Observation]) -> Listed:
    """Returns the list that a first scan stores."""
    return list_after(diff({}, observed, verified=True, seen_at=START, scan_id="first"))


@given(observations())
def test_listed_findings_that_are_observed_again_are_unchanged(observed: list[Observation]) -> None:
    same = compare(store(observed), observed)

    assert (same.new, same.updated, same.removed) == ((), (), ())
    assert len(same.unchanged) == len(observed)


@given(observations(), observations())
def test_new_and_removed_findings_swap_if_the_readings_are_swapped(
    before: list[Observation], after: list[Observation]
) -> None:
    forward = compare(store(before), after)
    backward = compare(store(after), before)

    assert {each.finding_id for each in forward.new} == {
        each.finding_id for each in backward.removed
    }
    assert {each.finding_id for each in forward.removed} == {
        each.finding_id for each in backward.new
    }


@given(observations(), observations(), st.booleans())
def test_after_a_diff_is_applied_the_same_reading_changes_nothing(
    before: list[Observation],
    after: list[Observation],
    verified: bool,
) -> None:
    first = compare(store(before), after, verified=verified)

    second = compare(list_after(first), after, verified=verified)

    assert not second.has_changes
    assert len(second.unchanged) == len(first.open_list)


@given(observations(), observations())
def test_an_unverified_reading_removes_nothing_and_has_the_same_new_findings(
    before: list[Observation], after: list[Observation]
) -> None:
    unverified = compare(store(before), after, verified=False)

    assert unverified.removed == ()
    assert unverified.new == compare(store(before), after).new


def test_an_update_keeps_first_seen() -> None:
    listed = store([Observation("i-1", "A", Severity.LOW, "c-1")])

    (updated,) = compare(listed, [Observation("i-1", "A", Severity.HIGH, "c-2")]).updated

    assert updated == Finding("i-1", "A", Severity.HIGH, "c-2", START, "later")


def test_a_listed_finding_without_a_row_is_written_again_and_is_not_new() -> None:
    observed = [Observation("i-1", "A", Severity.LOW, "c-1")]
    listed = store(observed)

    found = diff(
        listed, observed, verified=True, seen_at=START + HOUR, scan_id="later", absent=listed
    )

    assert (found.new, found.removed) == ((), ())
    assert [(each.title, each.first_seen) for each in found.updated] == [("A", START)]
