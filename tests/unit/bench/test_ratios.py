import pytest

from bench.ratios import floor_ratio, floor_seconds, losses, ratio, throttle_ratio
from bench.results import CaseFigures, Floor, FloorCase, Throttle, ThrottledAt
from tests.unit.bench.samples import Took, case, run


def test_a_ratio_is_the_baseline_by_ours() -> None:
    found = ratio(case(Took(calls=10, seconds=1), Took(calls=500, seconds=4)))
    assert (found.calls, found.seconds, found.computed) == (50, 4, False)


def test_medians_are_compared() -> None:
    ours = tuple(run(Took(seconds=each)) for each in (1, 2, 90))
    plain = tuple(run(Took(seconds=each)) for each in (1, 4, 5))
    assert ratio(CaseFigures(name="x", ours=ours, plain=plain)).seconds == 2


def test_a_baseline_that_did_not_run_has_calls_only() -> None:
    found = ratio(case(Took(calls=10), None))
    assert (found.calls, found.computed, found.seconds, found.peak_mb) == (100, True, None, None)


def test_what_the_baseline_needs_less_of_is_a_loss() -> None:
    (loss,) = losses(case(Took(mb=80), Took(calls=500, seconds=4, mb=64)))
    assert (loss.figure, loss.ours, loss.plain) == ("peak MB", "80", "64")
    many = losses(case(Took(calls=41_033), Took(calls=20_000)))
    assert [(each.figure, each.ours, each.plain) for each in many] == [
        ("calls", "41,033", "20,000")
    ]


def test_a_baseline_that_did_not_run_wins_nothing() -> None:
    assert losses(case(Took(), None)) == []


def test_the_floor_is_list_and_items_and_the_engine() -> None:
    listed = FloorCase(
        name="x", summary_pages=10, item_pages=80, still=(run(),), runs=(run(Took(seconds=3.5)),)
    )
    floor = Floor(
        findings=1, ssm_seconds=0.1, dynamodb_seconds=0.005, concurrency=8, cases=(listed,)
    )
    assert floor_seconds(floor, listed) == pytest.approx(1.0 + 1.0 + 0.5)
    assert floor_ratio(floor, listed) == pytest.approx(1.4)


def test_throttled_time_is_set_against_the_calls_that_were_taken() -> None:
    at = ThrottledAt(concurrency=8, runs=(run(Took(seconds=12)),), taken=(100,), refused=(40,))
    throttle = Throttle(findings=1, rate=10, cases=(at,))
    assert throttle_ratio(throttle, at) == pytest.approx(1.2)
