"""The last executions of a node: when they were seen, and how many checks ran."""

from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from chalicelib.domain.compliance import Execution, NodeReport, SummaryRow, group_reports
from chalicelib.domain.node import (
    Node,
    add_run,
    has_new_execution,
    is_partial,
    list_checks,
    list_runs,
)
from tests.fleet import DAY, HOUR, START, TYPE


def make_report(
    *rows: tuple[str, int, int], run: str = "run-1", at: datetime = START
) -> NodeReport:
    """Returns the report of a node: type, compliant and non-compliant checks."""
    listed = (
        SummaryRow("i-1", name, Execution(run, at, failed), passed) for name, passed, failed in rows
    )
    return group_reports(listed, at)["i-1"]


def see_runs(*passed: timedelta, checks: tuple[int, ...] = ()) -> Node:
    """Returns a node whose executions were seen this long after the start."""
    node = Node("i-1")
    for number, after in enumerate(passed):
        ran = checks[number] if checks else 1
        node = add_run(node, make_report((TYPE, ran, 0)), START + after)
    return node


def list_gaps(node: Node) -> list[timedelta]:
    runs = list_runs(node)
    return [timedelta(seconds=b - a) for a, b in pairwise(runs)]


def test_nine_executions_are_kept_for_eight_gaps() -> None:
    node = see_runs(*(number * DAY for number in range(12)))

    assert list_gaps(node) == [DAY] * 8
    assert list_runs(node)[-1] == (START + 11 * DAY).timestamp()
    assert len(node.runs + node.checks) == 52


def test_the_time_of_an_execution_is_when_a_scan_saw_it_whatever_the_nodes_clock_says() -> None:
    for wrong in (-365 * DAY, 365 * DAY):
        report = make_report((TYPE, 1, 0), at=START + wrong)

        assert list_runs(add_run(Node("i-1"), report, START)) == (START.timestamp(),)


def test_a_node_that_reports_every_half_hour_does_not_forget_its_weekends() -> None:
    weeks = (timedelta(days=7 * week + day, minutes=30 * half)
             for week in range(3) for day in range(5) for half in range(20))  # fmt: skip

    gaps = list_gaps(see_runs(*weeks))

    assert len(gaps) == 8
    assert max(gaps) == timedelta(days=2, hours=14, minutes=30)


def test_checks_are_those_of_the_last_eight_executions_of_all_types() -> None:
    node = see_runs(*(number * HOUR for number in range(10)), checks=tuple(range(10, 20)))
    report = make_report((TYPE, 30, 5), ("Custom:Other", 2, 3))

    assert list_checks(node) == tuple(range(12, 20))
    assert list_checks(add_run(node, report, START))[-1] == 40


@pytest.mark.parametrize(("ran", "kept"), [(-1, 0), (65_535, 65_535), (10**9, 65_535)])
def test_a_number_of_checks_that_cannot_be_is_cut(ran: int, kept: int) -> None:
    assert list_checks(see_runs(DAY, checks=(ran,))) == (kept,)


@pytest.mark.parametrize(
    ("checks", "partial"),
    [
        ((), False),
        ((40,), False),
        ((40, 20), False),
        ((40, 19), True),
        ((40, 19, 40), False),
        ((40, 1, 1), True),
        # the eighth execution after it is the new usual
        ((40, *[10] * 7), True),
        ((40, *[10] * 8), False),
    ],
)
def test_an_execution_is_partial_with_fewer_than_half_of_the_usual_checks(
    checks: tuple[int, ...], partial: bool
) -> None:
    assert is_partial(see_runs(*[DAY] * len(checks), checks=checks)) is partial


def test_an_execution_is_new_by_its_id_or_its_time_and_not_by_its_count() -> None:
    report = make_report((TYPE, 1, 1), ("Custom:Other", 1, 1))
    node = Node("i-1", report.executions)

    assert has_new_execution(Node("i-1"), report)
    assert not has_new_execution(node, report)
    assert not has_new_execution(node, make_report((TYPE, 1, 1)))
    assert not has_new_execution(node, make_report((TYPE, 1, 2)))
    assert has_new_execution(node, make_report((TYPE, 1, 1), run="run-2"))
    assert has_new_execution(node, make_report((TYPE, 1, 1), at=START + HOUR))


def test_a_result_is_as_old_as_the_oldest_of_its_types_and_never_younger_than_its_sighting() -> (
    None
):
    daily, monthly = (Execution("run", START - age, 1) for age in (HOUR, 20 * DAY))
    node = Node("i-1", {"custom:inspec": daily, "custom:other": monthly})
    ahead = Execution("run", START + 365 * DAY, 1, seen_at=START)

    assert Node("i-1").checked_at is None
    assert node.checked_at == START - 20 * DAY
    assert Node("i-1", {"custom:inspec": daily}).checked_at == START - HOUR
    assert Node("i-1", {"custom:inspec": ahead}).checked_at == START
