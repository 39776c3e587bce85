"""Figures computed from results: ratios, growth exponents, percentiles. Ratios are of medians."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from statistics import linear_regression, median, quantiles

from bench.results import CaseResult, Floor, FloorCase, Throttle, ThrottleCase


@dataclass(frozen=True, slots=True)
class Ratio:
    """The baseline's figures divided by ours.

    computed: the baseline did not run. Its calls are computed, and the other ratios are None.
    """

    calls: float
    computed: bool
    seconds: float | None = None
    peak_mb: float | None = None
    read_units: float | None = None
    write_units: float | None = None


def compute_ratio(case: CaseResult) -> Ratio:
    """The ratios of one case."""
    our_calls = median(scan.call_count for scan in case.ours)
    if not case.baseline:
        return Ratio(sum(case.baseline_calls.values()) / our_calls, computed=True)

    def divide(name: str) -> float:
        ours = median(getattr(scan, name) for scan in case.ours)
        baseline: float = median(getattr(scan, name) for scan in case.baseline)
        return baseline / ours if ours else float("inf")

    return Ratio(
        calls=divide("call_count"),
        computed=False,
        seconds=divide("seconds"),
        peak_mb=divide("peak_mb"),
        read_units=divide("read_units"),
        write_units=divide("write_units"),
    )


@dataclass(frozen=True, slots=True)
class Loss:
    """A figure in which the baseline is better."""

    figure: str
    ours: str
    baseline: str


COMPARED = {
    "call_count": "calls",
    "seconds": "seconds",
    "read_units": "read units",
    "write_units": "write units",
    "peak_mb": "peak MB",
}


def find_losses(case: CaseResult) -> list[Loss]:
    """The figures in which the baseline is better. Empty if the baseline did not run."""
    losses = []
    for name, figure in COMPARED.items() if case.baseline else ():
        ours, baseline = (
            median(getattr(scan, name) for scan in scans) for scans in (case.ours, case.baseline)
        )
        if baseline < ours:
            losses.append(Loss(figure, _format(ours), _format(baseline)))
    return losses


def _format(figure: float) -> str:
    return f"{figure:,.0f}" if figure >= 1_000 else f"{figure:.4g}"


def compute_floor(floor: Floor, case: FloorCase) -> float:
    """The least seconds that a case can take."""
    pages = case.summary_pages + case.item_pages / floor.concurrency
    return pages * floor.ssm_seconds + compute_engine_seconds(case)


def compute_engine_seconds(case: FloorCase) -> float:
    """The seconds that DynamoDB Local itself takes in a case."""
    return median(scan.engine_seconds for scan in case.without_latency)


def compute_floor_ratio(floor: Floor, case: FloorCase) -> float:
    """The median seconds of the scans divided by the floor."""
    return median(scan.seconds for scan in case.with_latency) / compute_floor(floor, case)


def compute_throttle_ratio(throttle: Throttle, case: ThrottleCase) -> float:
    """The seconds of a scan divided by the seconds that its accepted calls need at the rate."""
    return median(
        scan.seconds / (accepted / throttle.rate)
        for scan, accepted in zip(case.scans, case.accepted, strict=True)
    )


def fit_exponent(sizes: Sequence[float], figures: Sequence[float]) -> float:
    """The slope of the straight line through the logarithms: 1 is linear growth, 0 is none."""
    return linear_regression([log(size) for size in sizes], [log(each) for each in figures]).slope


def compute_line_error(steps: Sequence[float], figures: Sequence[float]) -> float:
    """The largest distance of a figure from `constant + step`, for the best constant."""
    constants = [figure - step for step, figure in zip(steps, figures, strict=True)]
    return (max(constants) - min(constants)) / 2


def compute_p95(times: Sequence[float]) -> float:
    """The 95th percentile."""
    return quantiles(times, n=20)[-1]
