import pytest

from bench.figures import (
    compute_floor,
    compute_floor_ratio,
    compute_line_error,
    compute_ratio,
    compute_throttle_ratio,
    find_losses,
    fit_exponent,
)
from bench.results import CaseResult, Floor, FloorCase, Throttle, ThrottleCase
from tests.unit.bench.samples import Cost, make_case, make_scan

SIZES = (1_000, 3_000, 10_000, 100_000)


def test_a_ratio_divides_the_baseline_by_ours() -> None:
    ratio = compute_ratio(make_case(Cost(calls=10, seconds=1), Cost(calls=500, seconds=4)))

    assert (ratio.calls, ratio.seconds, ratio.computed) == (50, 4, False)


def test_a_ratio_compares_medians() -> None:
    ours = tuple(make_scan(Cost(seconds=each)) for each in (1, 2, 90))
    baseline = tuple(make_scan(Cost(seconds=each)) for each in (1, 4, 5))

    assert compute_ratio(CaseResult(name="x", ours=ours, baseline=baseline)).seconds == 2


def test_a_computed_baseline_has_a_ratio_of_calls_only() -> None:
    ratio = compute_ratio(make_case(Cost(calls=10), None))

    assert (ratio.calls, ratio.computed) == (100, True)
    assert (ratio.seconds, ratio.peak_mb) == (None, None)


def test_a_loss_is_a_figure_in_which_the_baseline_is_better() -> None:
    (loss,) = find_losses(make_case(Cost(mb=80), Cost(calls=500, seconds=4, mb=64)))

    assert (loss.figure, loss.ours, loss.baseline) == ("peak MB", "80", "64")


def test_a_loss_of_many_calls_has_thousands_separators() -> None:
    (loss,) = find_losses(make_case(Cost(calls=41_033), Cost(calls=20_000)))

    assert (loss.figure, loss.ours, loss.baseline) == ("calls", "41,033", "20,000")


def test_there_are_no_losses_if_the_baseline_did_not_run() -> None:
    assert find_losses(make_case(Cost(), None)) == []


def test_the_floor_adds_summary_pages_item_pages_and_the_engine() -> None:
    case = FloorCase(
        name="x",
        summary_pages=10,
        item_pages=80,
        without_latency=(make_scan(),),
        with_latency=(make_scan(Cost(seconds=3.5)),),
    )
    floor = Floor(findings=1, ssm_seconds=0.1, dynamodb_seconds=0.005, concurrency=8, cases=(case,))

    assert compute_floor(floor, case) == pytest.approx(1.0 + 1.0 + 0.5)
    assert compute_floor_ratio(floor, case) == pytest.approx(1.4)


def test_throttled_seconds_are_divided_by_the_time_of_the_accepted_calls() -> None:
    case = ThrottleCase(
        concurrency=8, scans=(make_scan(Cost(seconds=12)),), accepted=(100,), refused=(40,)
    )
    throttle = Throttle(findings=1, rate=10, cases=(case,))

    assert compute_throttle_ratio(throttle, case) == pytest.approx(1.2)


@pytest.mark.parametrize("power", [0, 0.5, 1, 2])
def test_the_exponent_is_the_power_of_the_size(power: float) -> None:
    figures = [7 * size**power for size in SIZES]

    assert fit_exponent(SIZES, figures) == pytest.approx(power, abs=1e-9)


def test_a_constant_part_lowers_the_exponent() -> None:
    assert fit_exponent(SIZES, [size + 5_000 for size in SIZES]) < 1


def test_a_constant_plus_one_call_per_step_has_no_line_error() -> None:
    assert compute_line_error([1, 10, 100], [8, 17, 107]) == 0


def test_the_line_error_is_the_largest_distance_from_the_best_line() -> None:
    assert compute_line_error([1, 10, 100], [8, 17, 111]) == 2
