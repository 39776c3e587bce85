from datetime import timedelta

import pytest

from chalicelib.domain.compliance import Execution, NodeReport, SummaryRow, group_reports
from chalicelib.domain.finding import Severity
from chalicelib.domain.node import (
    Node,
    count_by_severity,
    has_changed,
    judge_missing,
    select_for_reading,
    sum_severities,
)
from tests.fleet import HOUR, START, TYPE

RUN = Execution("run-1", START, 1)


def present(*names: str, run: Execution = RUN) -> dict[str, NodeReport]:
    return group_reports(SummaryRow(name, TYPE, run, 1) for name in names)


def known(*names: str, **fields: object) -> dict[str, Node]:
    return {name: Node(name, {TYPE.casefold(): RUN}, **fields) for name in names}  # type: ignore[arg-type]


def test_a_node_with_the_same_execution_is_unchanged() -> None:
    assert not has_changed(known("i-1")["i-1"], present("i-1")["i-1"])


@pytest.mark.parametrize(
    "run",
    [
        Execution("run-2", START, 1),
        Execution("run-1", START + timedelta(seconds=1), 1),
        Execution("run-1", START, 2),
    ],
)
def test_another_execution_time_or_count_is_a_change(run: Execution) -> None:
    assert has_changed(known("i-1")["i-1"], present("i-1", run=run)["i-1"])


def test_a_new_missing_or_unproven_node_is_changed() -> None:
    row = present("i-1")["i-1"]
    assert has_changed(None, row)
    assert has_changed(known("i-1", missing_since=START)["i-1"], row)
    assert has_changed(known("i-1", unverified_since=START)["i-1"], row)


def test_new_nodes_come_first_then_the_least_recently_read_then_the_doubtful() -> None:
    later = Execution("run-1", START + HOUR, 1)
    nodes = {"i-a": Node("i-a", {TYPE.casefold(): later}), **known("i-b")}
    nodes |= known("i-0", unverified_since=START)
    order = select_for_reading(nodes, present("i-a", "i-b", "i-c", "i-0"), full=True)
    assert [report.instance_id for report in order] == ["i-c", "i-b", "i-a", "i-0"]
    assert [
        each.instance_id for each in select_for_reading(nodes, present("i-b"), full=False)
    ] == []


def test_an_absent_node_is_stamped_first_and_gone_an_hour_later() -> None:
    nodes = known("i-1", "i-2")
    first = judge_missing(nodes, present("i-2"), START, accept_missing=False)
    assert [node.missing_since for node in first.newly] == [START]
    assert first.gone == ()
    nodes["i-1"] = first.newly[0]
    early = judge_missing(nodes, present("i-2"), START + HOUR * 0.99, accept_missing=False)
    assert (early.newly, early.gone) == ((), ())
    late = judge_missing(nodes, present("i-2"), START + HOUR, accept_missing=False)
    assert [node.instance_id for node in late.gone] == ["i-1"]


def test_an_empty_list_brakes_even_a_fleet_of_one() -> None:
    nodes = known("i-1", missing_since=START)
    judged = judge_missing(nodes, {}, START + HOUR, accept_missing=False)
    assert judged.braked
    assert judged.gone == ()
    assert not judge_missing({}, {}, START, accept_missing=False).braked


@pytest.mark.parametrize(
    ("fleet", "absent", "braked"), [(22, 11, True), (23, 11, False), (20, 10, False)]
)
def test_more_than_ten_and_half_of_the_fleet_brake(fleet: int, absent: int, braked: bool) -> None:
    names = [f"i-{number}" for number in range(fleet)]
    judged = judge_missing(known(*names), present(*names[absent:]), START, accept_missing=False)
    assert judged.braked is braked
    assert judged.total == absent


def test_a_brake_holds_while_any_node_is_missing_whatever_joins_the_fleet() -> None:
    nodes = known("i-1", missing_since=START) | known(*(f"i-x{number}" for number in range(9)))
    there = present(*(f"i-x{number}" for number in range(9)))
    later = START + HOUR
    held = judge_missing(nodes, there, later, accept_missing=False, braked_before=True)
    assert (held.braked, held.gone) == (True, ())
    assert not judge_missing(nodes, there, later, accept_missing=True, braked_before=True).braked
    whole = there | present("i-1")
    assert not judge_missing(nodes, whole, later, accept_missing=False, braked_before=True).braked


def test_a_person_accepting_releases_the_brake_at_once() -> None:
    judged = judge_missing(known("i-1"), {}, START, accept_missing=True)
    assert not judged.braked
    assert [node.instance_id for node in judged.gone] == ["i-1"]
    assert judged.newly == ()


def test_severities_are_counted_worst_first_without_zeros() -> None:
    counts = count_by_severity([Severity.LOW, Severity.CRITICAL, Severity.LOW])
    assert list(counts.items()) == [(Severity.CRITICAL, 1), (Severity.LOW, 2)]
    nodes = [Node("i-1", severities=counts), Node("i-2", severities={Severity.LOW: 1})]
    assert sum_severities(nodes) == {Severity.CRITICAL: 1, Severity.LOW: 3}
    assert nodes[0].open_findings == 3
