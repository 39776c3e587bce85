import pytest

from bench import promises
from bench.cases import AGAIN, FEW, FIRST, MASS, QUIET
from bench.promises import Verdict, most_calls
from bench.results import ColdStarts, Growth, Load, LoadKind, Start, Throttle, ThrottledAt
from tests.unit.bench.samples import Took, case, comparison, run


def verdict(verdicts: list[Verdict], about: str) -> Verdict:
    (found,) = (each for each in verdicts if about in each.promise)
    return found


@pytest.mark.parametrize(("calls", "kept"), [(400, True), (399, False)])
def test_when_nothing_changed_calls_are_forty_times_fewer(calls: int, kept: bool) -> None:
    made = comparison(case(Took(calls=10), Took(calls=calls, seconds=3)))
    assert verdict(list(promises.of_comparison(made)), "fewer calls").kept is kept


@pytest.mark.parametrize(("calls", "kept"), [(20, True), (19, False)])
def test_in_any_other_case_they_are_two_times_fewer(calls: int, kept: bool) -> None:
    made = comparison(case(Took(calls=10), Took(calls=calls), FEW))
    assert verdict(list(promises.of_comparison(made)), "fewer calls").kept is kept


@pytest.mark.parametrize(("seconds", "kept"), [(3, True), (2.9, False)])
def test_when_nothing_changed_seconds_are_three_times_fewer(seconds: float, kept: bool) -> None:
    made = comparison(case(Took(), Took(calls=400, seconds=seconds)))
    assert verdict(list(promises.of_comparison(made)), "fewer seconds").kept is kept


def test_a_computed_baseline_is_marked_and_has_no_seconds() -> None:
    made = list(promises.of_comparison(comparison(case(Took(), None))))
    assert verdict(made, "fewer calls, computed").kept
    assert not [each for each in made if "fewer seconds" in each.promise]


@pytest.mark.parametrize(("mb", "kept"), [(160, True), (161, False)])
def test_memory_is_promised_at_the_largest_size(mb: float, kept: bool) -> None:
    made = comparison(case(Took(mb=mb), None, FEW), findings=100_000)
    assert verdict(list(promises.of_comparison(made)), "memory").kept is kept
    smaller = comparison(case(Took(mb=mb), None, FEW))
    assert not [each for each in promises.of_comparison(smaller) if "memory" in each.promise]


def test_a_fleet_that_ran_again_needs_its_pages_and_its_writes() -> None:
    # 200 nodes with 50 each: 4 + 200 pages of SSM, 5 of the table, 8 batches of nodes
    assert most_calls(AGAIN, 200, 10_000) == int(1.1 * (4 + 200 + 5 + 8)) + 20
    assert most_calls(FIRST, 200, 10_000) == int(1.1 * (4 + 200 + 5 + 8 + 800)) + 20
    assert most_calls(MASS, 200, 10_000) == int(1.1 * (4 + 5 + 8 + 800)) + 20
    assert most_calls(QUIET, 200, 10_000) is None


def test_growth_is_judged_by_case_and_by_the_line_of_the_quiet_one() -> None:
    sizes = tuple(
        comparison(case(Took(calls=8 + pages, seconds=pages), None), findings=1_000 * pages)
        for pages in (1, 3, 10)
    )
    made = list(promises.of_growth(Growth(sizes=sizes)))
    assert [float(each.reached) for each in made][1:] == [1, 0]
    assert all(each.kept for each in made)


def test_one_node_that_could_not_be_read_breaks_what_is_promised_of_throttling() -> None:
    def throttled(doubts: int) -> Throttle:
        runs = (run(), run(Took(doubts=doubts)))
        at = ThrottledAt(concurrency=8, runs=runs, taken=(1, 1), refused=(0, 0))
        return Throttle(findings=1, rate=10, cases=(at,))

    assert [each.kept for each in promises.of_throttle(throttled(0))] == [True]
    assert [each.kept for each in promises.of_throttle(throttled(1))] == [False]


def test_one_request_that_was_not_answered_breaks_what_is_promised_of_the_load() -> None:
    def loaded(errors: int) -> Load:
        kind = LoadKind(name="get", p50_ms=1, p95_ms=2, per_second=3, errors=errors)
        return Load(findings=1, requests=1_000, users=4, kinds=(kind,))

    assert [each.kept for each in promises.of_load(loaded(0))] == [True]
    assert [each.kept for each in promises.of_load(loaded(1))] == [False]


@pytest.mark.parametrize(
    ("ready", "slack", "kept"),
    [(600, False, [True, True, True]), (651, True, [False, False, False])],
)
def test_a_start_is_held_against_milliseconds_and_against_boto3_alone(
    ready: float, slack: bool, kept: list[bool]
) -> None:
    start = Start(
        name="the API",
        import_ms=(1.0,),
        ready_ms=(ready,),
        uncompiled_ms=(900.0,),
        slack_loaded=slack,
    )
    made = ColdStarts(when="2026-11-26", cores=2, functions=(start,), sdk_ms=(400.0,))
    assert [each.kept for each in promises.of_cold_starts(made)] == kept
