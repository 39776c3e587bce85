"""Sample scans for the tests of the benchmark's rules."""

from dataclasses import dataclass

from bench.cases import QUIET
from bench.results import CaseResult, Comparison, MeasuredScan


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of a sample scan, and the number of nodes it could not verify."""

    calls: int = 10
    seconds: float = 1.0
    mb: float = 70.0
    unverified: int = 0


def make_scan(cost: Cost = Cost()) -> MeasuredScan:
    """A scan whose calls are all of one operation."""
    return MeasuredScan(
        seconds=cost.seconds,
        cpu_seconds=cost.seconds,
        engine_seconds=0.5,
        peak_mb=cost.mb,
        calls={"ssm.ListResourceComplianceSummaries": cost.calls},
        read_units=1.0,
        write_units=2.0,
        unverified={"unreadable": cost.unverified} if cost.unverified else {},
    )


def make_case(ours: Cost, baseline: Cost | None, name: str = QUIET) -> CaseResult:
    """A case of one round. Without a baseline, a thousand calls are computed."""
    return CaseResult(
        name=name,
        ours=(make_scan(ours),),
        baseline=(make_scan(baseline),) if baseline else (),
        baseline_calls={"dynamodb.GetItem": 1_000},
    )


def make_comparison(*cases: CaseResult, findings: int = 1_000) -> Comparison:
    """A comparison with 20 findings on each node."""
    return Comparison(
        when="2026-11-26", cores=2, findings=findings, nodes=findings // 20, cases=cases
    )
