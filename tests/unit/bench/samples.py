"""Scans as the tests of the benchmark's rules need them."""

from dataclasses import dataclass

from bench.cases import QUIET
from bench.figures import Run
from bench.results import CaseFigures, Comparison


@dataclass(frozen=True, slots=True)
class Took:
    """What a sample scan took."""

    calls: int = 10
    seconds: float = 1.0
    mb: float = 70.0
    doubts: int = 0


def run(took: Took = Took()) -> Run:
    """A scan that called one operation so often."""
    return Run(
        seconds=took.seconds,
        cpu_seconds=took.seconds,
        engine_seconds=0.5,
        peak_mb=took.mb,
        calls={"ssm.ListResourceComplianceSummaries": took.calls},
        read_units=1.0,
        write_units=2.0,
        doubts={"unreadable": took.doubts} if took.doubts else {},
    )


def case(ours: Took, plain: Took | None, name: str = QUIET) -> CaseFigures:
    """A case of one round; without a baseline that ran, a thousand calls are computed."""
    return CaseFigures(
        name=name,
        ours=(run(ours),),
        plain=(run(plain),) if plain else (),
        plain_calls={"dynamodb.GetItem": 1_000},
    )


def comparison(*cases: CaseFigures, findings: int = 1_000) -> Comparison:
    """A comparison with 20 findings a node."""
    return Comparison(
        when="2026-11-26", cores=2, findings=findings, nodes=findings // 20, cases=cases
    )
