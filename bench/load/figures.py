"""What the answers to a kind of request come to: percentiles, requests a second, errors."""

from collections.abc import Sequence
from statistics import median

import msgspec

from bench.api_cost import p95
from bench.results import LoadKind


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """One answer: number of its request, when it was asked, how long it took, what was wrong."""

    number: int
    began: float
    milliseconds: float
    fault: str | None


def faults_of(answers: Sequence[Answer], asked: int) -> list[str]:
    """What went wrong, one line a request; warm-up counts, and so does what was never answered."""
    found = [each.fault for each in answers if each.fault is not None]
    return found + ["no answer before the run was ended"] * (asked - len(answers))


def figures_of(name: str, answers: Sequence[Answer], warm_up: int, errors: int) -> LoadKind:
    """The figures of a kind without its first `warm_up` requests; zeros where too few came."""
    measured = [each for each in answers if each.number >= warm_up]
    if len(measured) < 2:
        return LoadKind(name=name, p50_ms=0.0, p95_ms=0.0, per_second=0.0, errors=errors)
    times = [each.milliseconds for each in measured]
    ended = max(each.began + each.milliseconds / 1000 for each in measured)
    seconds = ended - min(each.began for each in measured)
    return LoadKind(
        name=name,
        p50_ms=round(median(times), 1),
        p95_ms=round(p95(times), 1),
        per_second=round(len(measured) / seconds, 1),
        errors=errors,
    )
