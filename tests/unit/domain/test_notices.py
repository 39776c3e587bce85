"""Notices of a decision: what is incomplete is announced when it begins and when it is over."""

from msgspec.structs import replace

from chalicelib.domain.announcement import (
    MAX_REMEMBERED_NODES,
    TOO_MANY,
    ChannelState,
    DecisionReason,
    Topic,
)
from chalicelib.domain.compliance import Doubt
from tests.fleet import MINUTE, START
from tests.unit.domain.decisions import COMPLETE, decide, get_alert, make_job

UNVERIFIED = replace(COMPLETE, unverified={"i-1": Doubt.NOTHING_CHECKED})
DEFERRED = replace(COMPLETE, deferred=3)
BRAKED = replace(COMPLETE, braked=True, missing=11)


def test_an_unverified_node_is_announced_once_and_again_when_it_is_verified() -> None:
    begun = decide(UNVERIFIED)

    assert get_alert(begun).topic is Topic.INCOMPLETE
    assert begun.reason is DecisionReason.UNVERIFIED_NODES
    assert decide(UNVERIFIED, state=begun.channel_state).alert is None

    over = decide(state=begun.channel_state)

    assert get_alert(over).topic is Topic.COMPLETE_AGAIN
    assert over.reason is DecisionReason.COMPLETE_AGAIN
    assert over.channel_state == ChannelState()


def test_another_unverified_node_is_announced() -> None:
    begun = decide(UNVERIFIED)
    doubts = {"i-1": Doubt.NOTHING_CHECKED, "i-2": Doubt.NOTHING_CHECKED}

    decision = decide(replace(COMPLETE, unverified=doubts), state=begun.channel_state)

    assert get_alert(decision).topic is Topic.INCOMPLETE


def test_an_unverified_node_that_was_deferred_is_not_announced_again() -> None:
    begun = decide(UNVERIFIED)
    state = replace(begun.channel_state, deferred=True)

    deferred = decide(replace(COMPLETE, deferred=1), state=state)
    again = decide(UNVERIFIED, state=deferred.channel_state)

    assert deferred.alert is None
    assert again.alert is None


def test_thousands_of_unverified_nodes_are_announced_once_and_not_remembered_by_id() -> None:
    numbers = range(MAX_REMEMBERED_NODES + 1)
    many = {f"i-{number}": Doubt.NOTHING_CHECKED for number in numbers}
    others = {f"i-x{number}": Doubt.NOTHING_CHECKED for number in numbers}

    begun = decide(replace(COMPLETE, unverified=many))
    changed = decide(replace(COMPLETE, unverified=others), state=begun.channel_state)

    assert get_alert(begun).topic is Topic.INCOMPLETE
    assert begun.channel_state.unverified == TOO_MANY
    assert changed.alert is None


def test_after_thousands_a_few_unverified_nodes_are_remembered_by_id_again() -> None:
    state = ChannelState(unverified=TOO_MANY)

    few = decide(UNVERIFIED, state=state)
    none = decide(state=state)

    assert (few.alert, few.channel_state.unverified) == (None, frozenset({"i-1"}))
    assert get_alert(none).topic is Topic.COMPLETE_AGAIN


def test_thousands_of_unverified_nodes_stay_remembered_while_nodes_are_deferred() -> None:
    state = ChannelState(unverified=TOO_MANY, deferred=True)

    decision = decide(replace(COMPLETE, deferred=1), state=state)

    assert decision.channel_state.unverified == TOO_MANY


def test_a_node_that_may_still_settle_is_announced_only_if_it_stays_unverified() -> None:
    racing = replace(COMPLETE, unverified={"i-1": Doubt.COUNT_DIFFERS}, settling=frozenset({"i-1"}))

    first = decide(racing, jobs=(make_job(),))
    late = decide(racing, jobs=(make_job(),), at=START + 30 * MINUTE)
    settled = decide(replace(racing, settling=frozenset()))

    assert (first.alert, first.completed, first.channel_state) == (None, (), ChannelState())
    assert get_alert(late).topic is Topic.INCOMPLETE
    assert decide(state=late.channel_state).alert is None
    assert get_alert(settled).topic is Topic.INCOMPLETE


def test_deferred_nodes_delay_every_answer_for_half_an_hour() -> None:
    first = decide(DEFERRED, jobs=(make_job(),))

    assert (first.alert, first.completed) == (None, ())
    assert first.channel_state.deferred_since == START + 2 * MINUTE

    later = START + 32 * MINUTE
    lasting = decide(DEFERRED, jobs=(make_job(),), state=first.channel_state, at=later)

    assert get_alert(lasting).topic is Topic.INCOMPLETE
    assert lasting.reason is DecisionReason.DEFERRED_NODES
    assert lasting.completed == (make_job(),)


def test_deferred_nodes_are_announced_once_and_their_end_only_if_they_were() -> None:
    later = START + 32 * MINUTE
    first = decide(DEFERRED)
    lasting = decide(DEFERRED, state=first.channel_state, at=later)

    assert get_alert(lasting).topic is Topic.INCOMPLETE
    assert decide(DEFERRED, state=lasting.channel_state, at=later).alert is None
    assert get_alert(decide(state=lasting.channel_state)).topic is Topic.COMPLETE_AGAIN
    assert decide(state=first.channel_state).alert is None


def test_the_brake_is_announced_once() -> None:
    begun = decide(BRAKED)

    assert get_alert(begun).topic is Topic.INCOMPLETE
    assert begun.reason is DecisionReason.BRAKE
    assert decide(BRAKED, state=begun.channel_state).alert is None


def test_the_answer_of_an_incomplete_scan_is_not_an_all_clear() -> None:
    unverified = decide(UNVERIFIED, (make_job(),), ChannelState(unverified=frozenset({"i-1"})))
    braked = decide(BRAKED, (make_job(),), ChannelState(braked=True))

    assert get_alert(unverified).topic is Topic.INCOMPLETE
    assert unverified.reason is DecisionReason.EXECUTION
    assert get_alert(braked).topic is Topic.INCOMPLETE


def test_an_all_clear_also_announces_that_a_notice_is_over() -> None:
    job = make_job(nodes={"Success": 1})

    alert = get_alert(decide(jobs=(job,), state=ChannelState(deferred=True)))

    assert (alert.topic, alert.recovered) == (Topic.NOTHING_NEW, True)
