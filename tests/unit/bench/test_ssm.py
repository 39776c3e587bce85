from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

import pytest

from bench.ssm.fleet import (
    COMPLIANT,
    Fleet,
    list_items,
    list_summaries,
    make_instance_id,
    make_title,
)
from bench.ssm.server import Limits, Ssm


def make_fleet(*groups: tuple[int, int], seed: int = 0) -> Fleet:
    fleet = Fleet(seed=seed, clock=count(1.0).__next__)
    fleet.start(groups)
    return fleet


def read_pages(fleet: Fleet, request: Mapping[str, Any]) -> Iterator[list[dict[str, Any]]]:
    token: dict[str, str] = {}
    while True:
        response = list_items(fleet, {**request, **token})
        yield response["ComplianceItems"]
        if "NextToken" not in response:
            return
        token = {"NextToken": response["NextToken"]}


def test_every_node_has_a_summary_and_a_page_holds_fifty() -> None:
    fleet = make_fleet((50, 20), (10, 0))

    first = list_summaries(fleet, {})
    second = list_summaries(fleet, {"NextToken": first["NextToken"]})

    rows = [*first["ResourceComplianceSummaryItems"], *second["ResourceComplianceSummaryItems"]]
    assert len(first["ResourceComplianceSummaryItems"]) == 50
    assert "NextToken" not in second
    assert [row["NonCompliantSummary"]["NonCompliantCount"] for row in rows] == [20] * 50 + [0] * 10


def test_the_same_seed_changes_the_same_nodes() -> None:
    def change_fleet(seed: int) -> dict[int, tuple[int, ...]]:
        fleet = make_fleet((100, 20), seed=seed)
        fleet.change(0.01)
        return {node: state.controls for node, state in fleet.nodes.items()}

    assert change_fleet(1) == change_fleet(1) != change_fleet(2)


def test_a_change_fixes_one_percent_and_adds_as_many() -> None:
    fleet = make_fleet((100, 20))

    fleet.change(0.01)

    changed = [state for state in fleet.nodes.values() if state.run == 2]
    assert len(changed) == 20
    assert fleet.open_count == 2_000


FAILED: dict[str, Any] = {
    "ResourceIds": [make_instance_id(0)],
    "Filters": [{"Key": "Status", "Values": ["NON_COMPLIANT"], "Type": "EQUAL"}],
}


def test_what_failed_before_is_among_the_passed_items() -> None:
    fleet = make_fleet((1, 3))
    fleet.change_one_node()
    passed = {**FAILED, "Filters": [{**FAILED["Filters"][0], "Values": ["COMPLIANT"]}]}

    (page,) = read_pages(fleet, passed)

    assert page[0]["Title"] == make_title(0)
    assert {each["Status"] for each in page} == {"COMPLIANT"}
    assert len(page) == COMPLIANT


def test_a_node_can_run_again_between_two_of_its_pages() -> None:
    fleet = make_fleet((1, 60))
    fleet.rerun_every = 1

    pages = list(read_pages(fleet, FAILED))

    runs = [page[0]["ExecutionSummary"]["ExecutionId"] for page in pages]
    assert runs == ["run-1", "run-2"]


def test_calls_above_the_rate_get_a_throttling_exception() -> None:
    ssm = Ssm(limits=Limits())
    ssm.execute({"do": "start_fleet", "groups": [[1, 1]]})
    ssm.execute({"do": "set_limits", "latency": 0.0, "rate": 0.001})

    responses = [ssm.respond("AmazonSSM.ListResourceComplianceSummaries", {}) for _ in range(2)]
    counts = ssm.execute({"do": "nothing"})

    assert [status for status, _ in responses] == [200, 400]
    assert responses[1][1]["__type"] == "ThrottlingException"
    assert counts["calls"] == {"ListResourceComplianceSummaries": 2}
    assert counts["throttled"] == 1


@pytest.mark.parametrize("operation", ["GetParameter", "PutParameter"])
def test_other_calls_are_counted_but_not_limited(operation: str) -> None:
    limits = Limits()
    limits.set(0.0, 0.001)

    assert [limits.admit(operation) for _ in range(3)] == [True] * 3
    assert limits.calls[operation] == 3
