"""Which nodes a scan reads, and what a missing node means."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain.compliance import Execution, NodeReport, SummaryRow, group_reports
from chalicelib.domain.finding import Severity, count_by_severity
from chalicelib.domain.node import (
    Node,
    has_changed,
    judge_missing,
    select_for_reading,
    sum_severities,
)
from tests.fleet import HOUR, START, TYPE

RUN = Execution("run-1", START, 1)


def list_nodes(*names: str, run: Execution = RUN) -> dict[str, NodeReport]:
    """Returns the reports of the nodes that SSM lists."""
    return group_reports((SummaryRow(name, TYPE, run, 1) for name in names), START + HOUR)


def store_nodes(*names: str, run: Execution = RUN, **fields: Any) -> dict[str, Node]:
    """Returns the rows of nodes that were read and verified, with these fields changed."""
    return {name: Node(name, {TYPE.casefold(): run}, **fields) for name in names}


def test_a_node_with_the_same_execution_is_unchanged() -> None:
    assert not has_changed(store_nodes("i-1")["i-1"], list_nodes("i-1")["i-1"])


@pytest.mark.parametrize(
    "run",
    [
        Execution("run-2", START, 1),
        Execution("run-1", START + timedelta(seconds=1), 1),
        Execution("run-1", START, 2),
    ],
)
def test_another_execution_time_or_count_is_a_change(run: Execution) -> None:
    assert has_changed(store_nodes("i-1")["i-1"], list_nodes("i-1", run=run)["i-1"])


def test_a_new_missing_or_unverified_node_counts_as_changed() -> None:
    report = list_nodes("i-1")["i-1"]

    assert has_changed(None, report)
    assert has_changed(store_nodes("i-1", missing_since=START)["i-1"], report)
    assert has_changed(store_nodes("i-1", unverified_since=START)["i-1"], report)


def test_new_nodes_are_read_first_then_the_least_recently_read_then_unverified_ones() -> None:
    nodes = {
        **store_nodes("i-a", run=Execution("run-1", START + HOUR, 1)),
        **store_nodes("i-b"),
        **store_nodes("i-0", unverified_since=START),
    }

    order = select_for_reading(nodes, list_nodes("i-a", "i-b", "i-c", "i-0"), full=True)

    assert [report.instance_id for report in order] == ["i-c", "i-b", "i-a", "i-0"]


def test_an_unchanged_node_is_not_selected() -> None:
    assert select_for_reading(store_nodes("i-b"), list_nodes("i-b"), full=False) == ()


def test_an_absent_node_is_missing_at_first_and_gone_an_hour_later() -> None:
    nodes, listed = store_nodes("i-1", "i-2"), list_nodes("i-2")

    first = judge_missing(nodes, listed, START, accept_missing=False)

    assert [node.missing_since for node in first.newly] == [START]
    assert first.gone == ()

    nodes["i-1"] = first.newly[0]
    early = judge_missing(nodes, listed, START + HOUR * 0.99, accept_missing=False)
    late = judge_missing(nodes, listed, START + HOUR, accept_missing=False)

    assert (early.newly, early.gone) == ((), ())
    assert [node.instance_id for node in late.gone] == ["i-1"]


def test_an_empty_list_engages_the_brake_even_for_a_fleet_of_one() -> None:
    nodes = store_nodes("i-1", missing_since=START)

    missing = judge_missing(nodes, {}, START + HOUR, accept_missing=False)

    assert missing.braked
    assert missing.gone == ()


def test_an_empty_list_of_an_empty_fleet_does_not_engage_the_brake() -> None:
    assert not judge_missing({}, {}, START, accept_missing=False).braked


@pytest.mark.parametrize(
    ("fleet", "absent", "braked"), [(22, 11, True), (23, 11, False), (20, 10, False)]
)
def test_the_brake_engages_if_more_than_ten_nodes_and_half_of_the_fleet_are_missing(
    fleet: int, absent: int, braked: bool
) -> None:
    names = [f"i-{number}" for number in range(fleet)]

    missing = judge_missing(
        store_nodes(*names), list_nodes(*names[absent:]), START, accept_missing=False
    )

    assert missing.braked is braked
    assert missing.total == absent


def test_the_brake_holds_while_any_node_is_missing_even_if_others_join_the_fleet() -> None:
    others = [f"i-x{number}" for number in range(9)]
    nodes = store_nodes("i-1", missing_since=START) | store_nodes(*others)

    def judge(*listed: str, accept_missing: bool = False) -> tuple[bool, int]:
        missing = judge_missing(
            nodes,
            list_nodes(*listed),
            START + HOUR,
            accept_missing=accept_missing,
            braked_before=True,
        )
        return missing.braked, len(missing.gone)

    assert judge(*others) == (True, 0)
    assert judge(*others, accept_missing=True) == (False, 1)
    assert judge(*others, "i-1") == (False, 0)


def test_a_person_who_accepts_missing_nodes_releases_the_brake_at_once() -> None:
    missing = judge_missing(store_nodes("i-1"), {}, START, accept_missing=True)

    assert not missing.braked
    assert [node.instance_id for node in missing.gone] == ["i-1"]
    assert missing.newly == ()


def test_severities_are_counted_worst_first_without_zeros() -> None:
    counts = count_by_severity([Severity.LOW, Severity.CRITICAL, Severity.LOW])

    assert list(counts.items()) == [(Severity.CRITICAL, 1), (Severity.LOW, 2)]


def test_the_severities_of_a_fleet_are_the_sum_over_its_nodes() -> None:
    nodes = [
        Node("i-1", severities={Severity.CRITICAL: 1, Severity.LOW: 2}),
        Node("i-2", severities={Severity.LOW: 1}),
    ]

    assert sum_severities(nodes) == {Severity.CRITICAL: 1, Severity.LOW: 3}
    assert nodes[0].open_findings == 3
