"""When a node is silent, and when that is announced."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from chalicelib.domain.announcement import (
    MAX_REMEMBERED_NODES,
    TOO_MANY,
    ChannelState,
    DecisionReason,
    Line,
    LineReason,
    Lines,
    Topic,
)
from chalicelib.domain.compliance import Execution, NodeReport, SummaryRow, group_reports
from chalicelib.domain.history import EventKind
from chalicelib.domain.node import Node, Silence, add_run, judge_silence
from tests.fleet import DAY, HOUR, MINUTE, START, TYPE
from tests.unit.domain.decisions import COMPLETE, FINDING, decide, get_alert, make_job

RUN = Execution("run-1", START, 0)


def make_report(name: str = "i-1", run: Execution = RUN) -> NodeReport:
    return group_reports([SummaryRow(name, TYPE, run, 1)], START)[name]


def make_node(name: str, *days: float, **fields: Any) -> Node:
    """Returns a node whose executions were seen so many days after the start."""
    report = make_report(name)
    node = Node(name, report.executions, **fields)
    for day in days:
        node = add_run(node, report, START + day * DAY)
    return node


def judge(
    *nodes: Node,
    at: timedelta,
    present: Mapping[str, NodeReport] | None = None,
    announced: frozenset[str] = frozenset(),
    leaving: frozenset[str] = frozenset(),
    braked: bool = False,
) -> Silence:
    """Judges nodes that still show what was read."""
    rows = {node.instance_id: node for node in nodes}
    return judge_silence(
        rows,
        {name: make_report(name) for name in rows} if present is None else present,
        START + at,
        announced=announced,
        leaving=leaving,
        braked=braked,
    )


def find_limit(node: Node, *others: Node) -> timedelta:
    """Finds after how much time without an execution a node is silent, in whole hours."""
    last = max(judge(node, *others, at=400 * DAY).since.items(), key=lambda each: each[1])[1]
    return next(
        hours * HOUR
        for hours in range(24 * 50)
        if node.instance_id in judge(node, *others, at=last - START + hours * HOUR).since
    )


@pytest.mark.parametrize(
    ("days", "limit"),
    [
        ((0, 1, 2, 3), 2 * DAY),
        ((0, 0.5, 1, 1.5), 2 * DAY),
        # Monday to Friday
        ((0, 1, 2, 3, 4, 7, 8, 9, 10), 6 * DAY),
        ((0, 7, 14), 14 * DAY),
        ((0, 31, 61), 40 * DAY),
        # a long pause is forgotten after eight executions, and not before
        ((0, 10, 11, 12, 13, 14, 15, 16, 17), 20 * DAY),
        ((0, 10, 11, 12, 13, 14, 15, 16, 17, 18), 2 * DAY),
    ],
)
def test_a_node_is_silent_after_twice_its_longest_gap_within_limits(
    days: tuple[float, ...], limit: timedelta
) -> None:
    assert find_limit(make_node("i-1", *days)) == limit


def test_a_node_that_was_seen_once_has_the_median_gap_of_the_fleet() -> None:
    once = make_node("i-1", 30)
    weekly = make_node("i-2", 0, 7, 14, 21, 28)
    daily = make_node("i-3", 26, 27, 28)

    assert find_limit(once, weekly, daily) == 14 * DAY
    assert find_limit(once, make_node("i-3", 24, 25, 26, 27, 28), weekly) == 14 * DAY
    assert find_limit(once, make_node("i-3", *range(20, 29)), weekly) == 2 * DAY


def test_runs_within_an_hour_say_nothing_of_a_schedule() -> None:
    """An association runs when it is created, when it is edited, and by hand."""
    minute = 1 / 24 / 60

    assert find_limit(make_node("i-1", 0, minute, 30 * minute)) == 14 * DAY
    assert find_limit(make_node("i-1", 0, 60 * minute)) == 2 * DAY


def test_a_single_gap_counts_if_it_is_longer_than_that_of_the_fleet() -> None:
    daily = make_node("i-2", *range(9))

    assert find_limit(make_node("i-1", 0, 31), daily) == 40 * DAY
    assert find_limit(make_node("i-1", 30, 30.1), make_node("i-2", 0, 7, 14)) == 14 * DAY


def test_while_no_gap_is_known_at_all_nodes_have_two_weeks() -> None:
    assert find_limit(make_node("i-1", 0)) == 14 * DAY


def test_an_execution_that_is_not_verified_is_a_sign_of_life() -> None:
    node = make_node("i-1", 0, 1, 2, unverified_since=START)
    report = {"i-1": make_report(run=Execution("run-9", START, 0))}

    assert judge(node, at=9 * DAY).since == {"i-1": START + 2 * DAY}
    assert judge(node, at=9 * DAY, present=report).since == {}


def test_a_row_without_executions_seen_is_judged_by_its_watermark() -> None:
    assert judge(make_node("i-1"), at=14 * DAY).since == {"i-1": START}
    assert judge(Node("i-2"), at=99 * DAY).since == {}


def test_a_silent_node_that_reports_again_returns_and_one_that_is_not_listed_does_not() -> None:
    silent, reports, absent = (make_node(name, 0, 1, 2) for name in ("i-1", "i-2", "i-3"))
    present = {"i-1": make_report("i-1"), "i-2": make_report("i-2", Execution("run-9", START, 0))}

    silence = judge(
        silent,
        reports,
        absent,
        at=9 * DAY,
        present=present,
        announced=frozenset({"i-1", "i-2", "i-3", "i-4"}),
    )

    assert silence.since.keys() == {"i-1", "i-3"}
    assert silence.returned == ("i-2",)


def test_a_missing_node_is_not_silent_yet_and_has_left_when_its_row_is_gone() -> None:
    node = make_node("i-1", 0)
    leaving = frozenset({"i-1", "i-2", "i-3"})

    silence = judge(node, at=DAY, present={"i-3": make_report("i-3")}, leaving=leaving)

    assert (silence.since, silence.gone, silence.missing) == ({}, ("i-2",), frozenset({"i-1"}))


def test_a_fleet_that_ssm_does_not_list_is_not_silent() -> None:
    nodes = [make_node(f"i-{number}", 0, 1, 2) for number in range(20)]

    assert judge(*nodes, at=30 * DAY, present={}, braked=True) == Silence()


@pytest.mark.parametrize(
    ("last", "announced", "growing"),
    [
        # the other one is due in an hour, in more than an hour, in an hour while this one waits
        (START + DAY + HOUR, (), True),
        (START + DAY + HOUR + MINUTE, (), False),
        (START + DAY + HOUR, ("i-1",), True),
    ],
)
def test_nodes_that_are_about_to_be_silent_are_waited_for(
    last: datetime, announced: tuple[str, ...], growing: bool
) -> None:
    first = make_node("i-1", -1, 0, 1)
    other = make_node("i-2", -1, 0, 0.9, (last - START) / DAY)

    assert judge(first, other, at=3 * DAY, announced=frozenset(announced)).growing is growing


def test_nobody_waits_for_more_than_six_hours() -> None:
    first = make_node("i-1", -1, 0, 1)

    assert judge(first, make_node("i-2", -1, 0, 0.9, 1.25), at=3.25 * DAY - MINUTE).growing
    assert not judge(first, make_node("i-2", -1, 0, 0.9, 1.26), at=3.25 * DAY).growing


SILENT = replace(COMPLETE, silence=Silence({"i-1": START - 3 * DAY}))
GONE = replace(COMPLETE, silence=Silence(gone=("i-9",)))


@pytest.mark.parametrize("quiet_answers", [True, False])
@pytest.mark.parametrize("coverage", [SILENT, GONE])
def test_silent_and_gone_nodes_are_announced_once(coverage: Any, quiet_answers: bool) -> None:
    begun = decide(coverage, quiet_answers=quiet_answers)
    state = begun.channel_state

    assert begun.reason is DecisionReason.SILENT_NODES
    assert get_alert(begun).topic is Topic.SILENT
    assert get_alert(begun).silent == coverage.silence.since
    assert get_alert(begun).gone_nodes == coverage.silence.gone
    assert state.silent == coverage.silence.since.keys()
    assert state.leaving == frozenset()
    assert decide(SILENT, state=state).alert is None or coverage is GONE


def test_findings_that_left_with_nodes_nobody_knows_are_announced_too() -> None:
    decision = decide(state=ChannelState(changes={EventKind.GONE: 6}))

    assert get_alert(decision).topic is Topic.SILENT
    assert get_alert(decision).changes == {EventKind.GONE: 6}


def test_at_most_one_message_a_day_is_about_silent_nodes_alone() -> None:
    state = decide(SILENT).channel_state
    more = replace(
        COMPLETE,
        silence=Silence({**SILENT.silence.since, "i-2": START}, gone=("i-9",)),
    )
    told = START + 2 * MINUTE

    waits = decide(more, state=state, at=told + DAY - MINUTE)
    next_day = decide(more, state=waits.channel_state, at=told + DAY)
    rides = decide(more, state=waits.channel_state, jobs=(make_job(),))

    assert (waits.alert, waits.channel_state.silent) == (None, frozenset({"i-1"}))
    assert waits.channel_state.leaving == {"i-9"}
    for decision, topic in ((next_day, Topic.SILENT), (rides, Topic.PARTLY_CHECKED)):
        alert = get_alert(decision)
        assert (alert.topic, alert.silent, alert.gone_nodes) == (topic, {"i-2": START}, ("i-9",))
        assert decision.channel_state.silent == {"i-1", "i-2"}
        assert decision.channel_state.leaving == frozenset()


def test_a_message_waits_while_more_nodes_fall_silent() -> None:
    growing = replace(SILENT, silence=replace(SILENT.silence, growing=True))
    lines = Lines((Line(FINDING, LineReason.NEW),))

    assert decide(growing).alert is None
    assert get_alert(decide(growing, lines=lines)).silent == SILENT.silence.since


def test_a_return_rides_in_the_next_message_and_gets_none_of_its_own() -> None:
    told = decide(SILENT).channel_state
    back = replace(COMPLETE, silence=Silence(returned=("i-1",)))

    quiet = decide(back, state=told, at=START + 9 * DAY)
    answer = decide(state=quiet.channel_state, jobs=(make_job(),))

    assert quiet.alert is None
    assert get_alert(answer).returned == ("i-1",)
    assert answer.channel_state.returned == frozenset()


def test_a_node_that_falls_silent_again_before_its_return_was_told_is_told_as_silent() -> None:
    told = decide(SILENT).channel_state
    back = replace(COMPLETE, silence=Silence(returned=("i-1",)))
    quiet = decide(back, state=told, at=START + 9 * DAY)

    again = get_alert(decide(SILENT, state=quiet.channel_state, at=START + 19 * DAY))

    assert (again.silent, again.returned) == (SILENT.silence.since, ())


def test_thousands_of_silent_nodes_are_announced_once_and_not_remembered_by_id() -> None:
    numbers = range(MAX_REMEMBERED_NODES + 1)
    many, others = (
        replace(COMPLETE, silence=Silence({f"i-{kind}{number}": START for number in numbers}))
        for kind in "xy"
    )

    begun = decide(many)
    changed = decide(others, state=begun.channel_state, at=START + 9 * DAY)
    few = decide(SILENT, state=changed.channel_state, at=START + 9 * DAY)

    assert begun.channel_state.silent == TOO_MANY
    assert (changed.alert, changed.channel_state.silent) == (None, TOO_MANY)
    assert (few.alert, few.channel_state.silent) == (None, frozenset({"i-1"}))


def test_more_gone_nodes_than_can_be_remembered_are_announced_at_once() -> None:
    nodes = [f"i-{number}" for number in range(MAX_REMEMBERED_NODES + 1)]
    state = ChannelState(silent_at=START)

    few = decide(replace(COMPLETE, silence=Silence(gone=tuple(nodes[1:]))), state=state)
    many = decide(replace(COMPLETE, silence=Silence(gone=tuple(nodes))), state=state)
    missing = decide(replace(COMPLETE, silence=Silence(missing=frozenset(nodes))), state=state)

    assert (few.alert, len(few.channel_state.leaving)) == (None, MAX_REMEMBERED_NODES)
    assert get_alert(many).topic is Topic.SILENT
    assert len(missing.channel_state.leaving) == MAX_REMEMBERED_NODES
