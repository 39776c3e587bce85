import os
from collections.abc import Callable, Iterator
from contextlib import nullcontext

import pytest

from bench.cases import FEW, FIRST, MASS, ONE, QUIET
from bench.figures import Run
from bench.measured import measure
from bench.plain_calls import opened_and_resolved, plain_calls
from bench.running import Bench, Variant, bench
from bench.ssm.process import Counts, SsmProcess

pytestmark = pytest.mark.enable_socket

NODES, EACH = 3, 10
# What the benchmark lets happen, over a fleet of 30 findings.
STEPS: dict[str, Callable[[SsmProcess], Counts]] = {
    FIRST: lambda ssm: ssm.start_fleet((NODES, EACH)),
    QUIET: SsmProcess.read_counts,
    FEW: lambda ssm: ssm.change(0.01),
    ONE: SsmProcess.change_one_node,
    MASS: SsmProcess.fix_all,
}


@pytest.fixture(scope="module")
def running() -> Iterator[Bench]:
    """All of the benchmark, with moto in place of DynamoDB Local."""
    with bench(lambda stack: nullcontext(stack.aws.url)) as made:
        yield made


def stored(running: Bench, variant: Variant) -> set[str]:
    pages = running.dynamodb.get_paginator("scan").paginate(
        TableName=running.environments[variant]["FINDINGS_TABLE"]
    )
    return {str(row["finding_id"]["S"]) for page in pages for row in page["Items"]}


def scanned(running: Bench, variant: Variant) -> Run:
    os.environ.update(running.environments[variant])
    return measure(variant)


def counted(run: Run) -> tuple[int, int, int]:
    return run.opened, run.resolved, run.open


def test_the_baseline_is_correct_and_calls_what_is_computed_of_it(running: Bench) -> None:
    for case, step in STEPS.items():
        total = step(running.ssm).open
        ours, plain = scanned(running, "ours"), scanned(running, "plain")
        expected = (*opened_and_resolved(case, NODES * EACH), total)
        assert counted(plain) == counted(ours) == expected, case
        assert stored(running, "plain") == stored(running, "ours"), case
        computed = {name: each for name, each in plain_calls(case, NODES, EACH).items() if each}
        assert plain.calls == computed, case
