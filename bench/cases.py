"""The cases of a comparison: changes of the fleet between two scans, and the baseline's calls."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil

from bench.ssm.process import SsmProcess

FINDINGS_A_NODE = 20
# Calls to SSM a second in the throttled case. It is the account limit we expect.
THROTTLE = 10.0
SHARE = 0.01

FIRST = "first scan"
QUIET = "nothing changed"
FEW = "1 % new, 1 % fixed"
ONE = "one node changed"
THROTTLED = "1 % new, 1 % fixed, throttled"
RERUN = "all nodes ran again, same findings"
ALL_FIXED = "everything fixed"

# A Scan page ends at 1 MB (developer guide, Scan). A row of the baseline has some 240 bytes.
PAGE_BYTES, ROW_BYTES = 1_048_576, 240
# The most rows of either SSM listing (API reference, MaxResults).
PAGE = 50


@dataclass(frozen=True, slots=True)
class Case:
    """The name of a case, the change before its scan, and SSM's rate during the scan."""

    name: str
    prepare: Callable[[SsmProcess, int], object]
    rate: float | None = None


# Run in this order, from empty tables.
ROUND = (
    Case(FIRST, lambda ssm, nodes: ssm.start_fleet((nodes, FINDINGS_A_NODE))),
    Case(QUIET, lambda ssm, _: ssm.read_counts()),
    Case(FEW, lambda ssm, _: ssm.change(SHARE)),
    Case(ONE, lambda ssm, _: ssm.change_one_node()),
    Case(THROTTLED, lambda ssm, _: ssm.change(SHARE), THROTTLE),
    Case(RERUN, lambda ssm, _: ssm.rerun_all()),
    Case(ALL_FIXED, lambda ssm, _: ssm.fix_all()),
)


def count_changes(case: str, findings: int) -> tuple[int, int]:
    """The numbers of new and of fixed findings in a case."""
    few = max(1, round(findings * SHARE))
    return {
        FIRST: (findings, 0),
        QUIET: (0, 0),
        FEW: (few, few),
        ONE: (1, 1),
        THROTTLED: (few, few),
        RERUN: (0, 0),
        ALL_FIXED: (0, findings),
    }[case]


def compute_baseline_calls(case: str, nodes: int, each: int) -> Mapping[str, int]:
    """The baseline's calls by operation, without retries, if each node has `each` findings.

    For sizes at which running the baseline takes too long.
    """
    findings = nodes * each
    new, fixed = count_changes(case, findings)
    shown = 0 if case == ALL_FIXED else each
    stored = findings if case == FIRST else findings + new
    return {
        "dynamodb.DeleteItem": fixed,
        "dynamodb.GetItem": nodes * shown,
        "dynamodb.PutItem": new,
        "dynamodb.Scan": ceil(stored * ROW_BYTES / PAGE_BYTES),
        "ssm.ListComplianceItems": nodes * max(1, ceil(shown / PAGE)),
        "ssm.ListResourceComplianceSummaries": ceil(nodes / PAGE),
    }
