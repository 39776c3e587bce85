"""The calls that the baseline makes, computed: for sizes at which running it takes too long."""

from collections.abc import Mapping
from math import ceil

from bench.cases import AGAIN, FEW, FIRST, MASS, ONE, QUIET, SHARE, THROTTLED

# A page of a Scan ends at 1 MB (developer guide, Scan); a row of the baseline has about 240 bytes.
PAGE_BYTES, ROW_BYTES = 1_048_576, 240
# A page of either SSM listing (API reference, MaxResults).
PAGE = 50


def opened_and_resolved(case: str, findings: int) -> tuple[int, int]:
    """How many findings open and how many are resolved in a case."""
    few = max(1, round(findings * SHARE))
    return {
        FIRST: (findings, 0),
        QUIET: (0, 0),
        FEW: (few, few),
        ONE: (1, 1),
        THROTTLED: (few, few),
        AGAIN: (0, 0),
        MASS: (0, findings),
    }[case]


def plain_calls(case: str, nodes: int, each: int) -> Mapping[str, int]:
    """What the baseline calls where each of so many nodes has so many findings; no tries again."""
    findings = nodes * each
    opened, resolved = opened_and_resolved(case, findings)
    shown = 0 if case == MASS else each
    stored = findings + opened if case != FIRST else findings
    return {
        "dynamodb.DeleteItem": resolved,
        "dynamodb.GetItem": nodes * shown,
        "dynamodb.PutItem": opened,
        "dynamodb.Scan": ceil(stored * ROW_BYTES / PAGE_BYTES),
        "ssm.ListComplianceItems": nodes * max(1, ceil(shown / PAGE)),
        "ssm.ListResourceComplianceSummaries": ceil(nodes / PAGE),
    }
