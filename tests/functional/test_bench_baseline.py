import os
from collections.abc import Callable, Iterator
from contextlib import nullcontext

import pytest

from bench.cases import ALL_FIXED, FEW, FIRST, ONE, QUIET, compute_baseline_calls, count_changes
from bench.measure_scan import measure
from bench.results import MeasuredScan
from bench.services import Services, Variant, start_services
from bench.ssm.process import Counts, SsmProcess

pytestmark = pytest.mark.enable_socket

NODES, FINDINGS_A_NODE = 3, 10
# Most cases of the benchmark, over a fleet of 30 findings.
CHANGES: dict[str, Callable[[SsmProcess], Counts]] = {
    FIRST: lambda ssm: ssm.start_fleet((NODES, FINDINGS_A_NODE)),
    QUIET: SsmProcess.read_counts,
    FEW: lambda ssm: ssm.change(0.01),
    ONE: SsmProcess.change_one_node,
    ALL_FIXED: SsmProcess.fix_all,
}


@pytest.fixture(scope="module")
def services() -> Iterator[Services]:
    """All services of the benchmark, with moto instead of DynamoDB Local."""
    with start_services(lambda stack: nullcontext(stack.aws.url)) as started:
        yield started


def list_stored_ids(services: Services, variant: Variant) -> set[str]:
    pages = services.dynamodb.get_paginator("scan").paginate(
        TableName=services.environments[variant]["FINDINGS_TABLE"]
    )
    return {str(row["finding_id"]["S"]) for page in pages for row in page["Items"]}


def measure_here(services: Services, variant: Variant) -> MeasuredScan:
    os.environ.update(services.environments[variant])
    return measure(variant)


def count_findings(scan: MeasuredScan) -> tuple[int, int, int]:
    return scan.new, scan.fixed, scan.open


def test_the_baseline_is_correct_and_makes_the_computed_calls(services: Services) -> None:
    for case, change in CHANGES.items():
        total = change(services.ssm).open

        ours, baseline = measure_here(services, "ours"), measure_here(services, "baseline")

        expected = (*count_changes(case, NODES * FINDINGS_A_NODE), total)
        assert count_findings(baseline) == count_findings(ours) == expected, case
        assert list_stored_ids(services, "baseline") == list_stored_ids(services, "ours"), case
        computed = compute_baseline_calls(case, NODES, FINDINGS_A_NODE)
        assert baseline.calls == {name: count for name, count in computed.items() if count}, case
