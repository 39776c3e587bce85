"""How a figure grows with the number of findings."""

from collections.abc import Sequence
from math import log
from statistics import linear_regression


def exponent(sizes: Sequence[float], figures: Sequence[float]) -> float:
    """The slope of the straight line through the logarithms: 1 is linear, 0 is flat."""
    return linear_regression([log(size) for size in sizes], [log(each) for each in figures]).slope


def off_the_line(steps: Sequence[float], figures: Sequence[float]) -> float:
    """The largest distance of a figure from `constant + step`, with the best such constant."""
    constants = [figure - step for step, figure in zip(steps, figures, strict=True)]
    return (max(constants) - min(constants)) / 2
