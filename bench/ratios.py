"""The ratios that count: to the baseline, to the floor, to the rate. Medians of the same run."""

from dataclasses import dataclass
from statistics import median

from bench.results import CaseFigures, Floor, FloorCase, Throttle, ThrottledAt


@dataclass(frozen=True, slots=True)
class Ratio:
    """Times fewer: the baseline's median by ours. `computed`: the baseline's calls were not run.

    What only a run can tell is None where there is none.
    """

    calls: float
    computed: bool
    seconds: float | None = None
    peak_mb: float | None = None
    read_units: float | None = None
    write_units: float | None = None


def ratio(case: CaseFigures) -> Ratio:
    """The ratios of a case."""
    our_calls = median(run.all_calls for run in case.ours)
    if not case.plain:
        return Ratio(sum(case.plain_calls.values()) / our_calls, computed=True)

    def times(name: str) -> float:
        ours = median(getattr(run, name) for run in case.ours)
        plain: float = median(getattr(run, name) for run in case.plain)
        return plain / ours if ours else float("inf")

    return Ratio(
        calls=times("all_calls"),
        computed=False,
        seconds=times("seconds"),
        peak_mb=times("peak_mb"),
        read_units=times("read_units"),
        write_units=times("write_units"),
    )


def floor_seconds(floor: Floor, case: FloorCase) -> float:
    """The least that a case can take."""
    pages = case.summary_pages + case.item_pages / floor.concurrency
    return pages * floor.ssm_seconds + engine_seconds(case)


def engine_seconds(case: FloorCase) -> float:
    """What DynamoDB Local itself takes of a case."""
    return median(run.engine_seconds for run in case.still)


def floor_ratio(floor: Floor, case: FloorCase) -> float:
    """The median of the scans by the floor."""
    return median(run.seconds for run in case.runs) / floor_seconds(floor, case)


def throttle_ratio(throttle: Throttle, case: ThrottledAt) -> float:
    """Seconds by what the calls that were taken need at the rate, the median."""
    return median(
        run.seconds / (taken / throttle.rate)
        for run, taken in zip(case.runs, case.taken, strict=True)
    )


@dataclass(frozen=True, slots=True)
class Loss:
    """A figure of which the baseline needs less."""

    figure: str
    ours: str
    plain: str


FIGURES = {
    "all_calls": "calls",
    "seconds": "seconds",
    "read_units": "read units",
    "write_units": "write units",
    "peak_mb": "peak MB",
}


def losses(case: CaseFigures) -> list[Loss]:
    """What the baseline is better at; nothing where it did not run."""
    found = []
    for name, figure in FIGURES.items() if case.plain else ():
        ours, plain = (
            median(getattr(run, name) for run in runs) for runs in (case.ours, case.plain)
        )
        if plain < ours:
            found.append(Loss(figure, _shown(ours), _shown(plain)))
    return found


def _shown(figure: float) -> str:
    return f"{figure:,.0f}" if figure >= 1_000 else f"{figure:.4g}"
