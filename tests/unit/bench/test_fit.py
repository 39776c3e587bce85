import pytest

from bench.fit import exponent, off_the_line

SIZES = (1_000, 3_000, 10_000, 100_000)


@pytest.mark.parametrize("power", [0, 0.5, 1, 2])
def test_the_exponent_is_the_power_of_the_size(power: float) -> None:
    assert exponent(SIZES, [7 * size**power for size in SIZES]) == pytest.approx(power, abs=1e-9)


def test_a_constant_makes_growth_look_slighter() -> None:
    assert exponent(SIZES, [size + 5_000 for size in SIZES]) < 1


def test_one_call_a_step_beside_a_constant_is_on_the_line() -> None:
    assert off_the_line([1, 10, 100], [8, 17, 107]) == 0


def test_the_farthest_from_the_best_line_counts() -> None:
    assert off_the_line([1, 10, 100], [8, 17, 111]) == 2
