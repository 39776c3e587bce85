from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

import pytest

from bench.ssm.answers import items, summaries
from bench.ssm.fleet import Fleet, instance_id
from bench.ssm.limits import Limits
from bench.ssm.server import Ssm


def fleet(*groups: tuple[int, int], seed: int = 0) -> Fleet:
    made = Fleet(seed=seed, clock=count(1.0).__next__)
    made.first(groups)
    return made


def pages(made: Fleet, request: Mapping[str, Any]) -> Iterator[list[dict[str, Any]]]:
    token: dict[str, str] = {}
    while True:
        answer = items(made, {**request, **token})
        yield answer["ComplianceItems"]
        if "NextToken" not in answer:
            return
        token = {"NextToken": answer["NextToken"]}


def test_every_node_has_a_row_and_a_page_holds_fifty() -> None:
    made = fleet((50, 20), (10, 0))
    first = summaries(made, {})
    rest = summaries(made, {"NextToken": first["NextToken"]})
    rows = [*first["ResourceComplianceSummaryItems"], *rest["ResourceComplianceSummaryItems"]]
    assert (len(first["ResourceComplianceSummaryItems"]), "NextToken" in rest) == (50, False)
    assert [row["NonCompliantSummary"]["NonCompliantCount"] for row in rows] == [20] * 50 + [0] * 10


def test_the_same_seed_changes_the_same_nodes() -> None:
    def changed(seed: int) -> dict[int, tuple[int, ...]]:
        made = fleet((100, 20), seed=seed)
        made.change(0.01)
        return {node: shown.controls for node, shown in made.nodes.items()}

    assert changed(1) == changed(1) != changed(2)


def test_one_percent_is_resolved_and_as_much_opened() -> None:
    made = fleet((100, 20))
    made.change(0.01)
    moved = [shown for shown in made.nodes.values() if shown.run == 2]
    assert (len(moved), made.open) == (20, 2_000)


def test_a_restless_node_runs_again_between_two_of_its_pages() -> None:
    made = fleet((1, 60))
    made.restless = 1
    torn = list(pages(made, {"ResourceIds": [instance_id(0)]}))
    runs = [page[0]["ExecutionSummary"]["ExecutionId"] for page in torn]
    assert runs == ["run-1", "run-2"]


def test_what_is_too_much_is_refused_as_ssm_refuses_it() -> None:
    ssm = Ssm(limits=Limits())
    ssm.steer({"do": "first", "groups": [[1, 1]]})
    ssm.steer({"do": "limits", "latency": 0.0, "rate": 0.001})
    answers = [ssm.answer("AmazonSSM.ListResourceComplianceSummaries", {}) for _ in range(2)]
    assert [status for status, _ in answers] == [200, 400]
    assert answers[1][1]["__type"] == "ThrottlingException"
    counted = ssm.steer({"do": "nothing"})
    assert (counted["calls"], counted["throttled"]) == (
        {"ListResourceComplianceSummaries": 2},
        1,
    )


@pytest.mark.parametrize("operation", ["GetParameter", "PutParameter"])
def test_other_calls_are_counted_and_not_limited(operation: str) -> None:
    limits = Limits()
    limits.set(0.0, 0.001)
    assert [limits.admits(operation) for _ in range(3)] == [True] * 3
    assert limits.calls[operation] == 3
