from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.domain.announcement import (
    MAX_REMEMBERED_NODES,
    TOO_MANY,
    Alert,
    ChannelState,
    Decision,
    Line,
    LineReason,
    Lines,
    Topic,
)
from chalicelib.domain.decision import collect_lines, decide_announcement
from chalicelib.domain.finding import Finding, Severity
from chalicelib.domain.job import Job, JobKind
from chalicelib.domain.scan import Coverage, Outcome
from tests.fleet import HOUR, MINUTE, START, make_snooze

FINDING = Finding("i-1", "SSH must not allow root", Severity.HIGH, "ssh-01", START, "scan")
OTHER = replace(FINDING, title="another")
LINES = Lines((Line(FINDING, LineReason.NEW),))
REPORTED = {"i-1": START + MINUTE, "i-2": START - HOUR}
NO_LINES, NOTHING_KNOWN = Lines(), ChannelState()
FULL = Coverage(known=2, reports=REPORTED, read=1)


def job(association: str = "a-1", at: datetime = START, **fields: object) -> Job:
    usual = Job(f"{association}#{at}", JobKind.EXECUTION, at, at, association, "Success", at)
    return replace(usual, **fields)  # type: ignore[arg-type]


def choose(
    coverage: Coverage = FULL,
    jobs: tuple[Job, ...] = (),
    state: ChannelState = NOTHING_KNOWN,
    lines: Lines = NO_LINES,
    at: datetime = START + 2 * MINUTE,
    *,
    quiet_answers: bool = True,
) -> Decision:
    outcome = Outcome("scan", at, (), 0, 0, {}, coverage)
    return decide_announcement(outcome, lines, jobs, state, at, quiet_answers=quiet_answers)


def alert_of(decision: Decision) -> Alert:
    assert decision.alert is not None
    return decision.alert


def test_nothing_owed_and_nothing_changed_is_silence() -> None:
    decision = choose()
    assert (decision.alert, decision.completed, decision.channel_state) == (
        None,
        (),
        ChannelState(),
    )


def test_findings_are_told_and_pay_every_execution_that_can_be_answered() -> None:
    waiting = job("a-2", START + HOUR)
    decision = choose(jobs=(job(), waiting), lines=LINES)
    assert alert_of(decision).topic is Topic.NEW
    assert decision.completed == (job(),)
    assert decision.channel_state.last_alert_at == START + 2 * MINUTE
    assert decision.channel_state.answered == {}


def test_the_answer_names_who_reported_and_who_did_not() -> None:
    alert = alert_of(choose(jobs=(job(),)))
    assert alert.topic is Topic.NOTHING_NEW
    assert (alert.reported, alert.not_scanned) == (1, ("i-2",))


def test_without_a_debt_the_nodes_read_are_the_ones_that_reported() -> None:
    alert = alert_of(choose(lines=LINES))
    assert (alert.reported, alert.not_scanned) == (1, ())


def test_an_execution_for_a_few_nodes_names_nobody_as_not_scanned() -> None:
    small = job(nodes={"Success": 1})
    decision = choose(replace(FULL, known=3), jobs=(small,), lines=LINES)
    assert alert_of(decision).not_scanned == ()
    silent = choose(replace(FULL, known=3), jobs=(small,))
    assert (silent.alert, silent.completed) == (None, (small,))


def test_the_newest_execution_that_asks_is_the_one_that_is_answered() -> None:
    older = job("a-2", START - HOUR)
    alert = alert_of(choose(jobs=(older, job())))
    assert alert.jobs == (job(), older)
    assert alert.reported == 1


def test_a_doubtful_node_is_told_when_it_begins_once_and_when_it_is_over() -> None:
    doubtful = replace(FULL, unverified={"i-1": "No check ran"})
    begun = choose(doubtful)
    assert alert_of(begun).topic is Topic.INCOMPLETE
    assert choose(doubtful, state=begun.channel_state).alert is None
    more = replace(FULL, unverified={"i-1": "…", "i-2": "…"})
    assert alert_of(choose(more, state=begun.channel_state)).topic is Topic.INCOMPLETE
    over = choose(state=begun.channel_state)
    assert alert_of(over).topic is Topic.COMPLETE_AGAIN
    assert over.channel_state == ChannelState()


def test_a_doubtful_node_that_is_left_to_read_is_not_told_as_new_again() -> None:
    doubtful = replace(FULL, unverified={"i-1": "…"})
    begun = choose(doubtful)
    cut = choose(replace(FULL, deferred=1), state=replace(begun.channel_state, deferred=True))
    assert cut.alert is None
    assert choose(doubtful, state=cut.channel_state).alert is None
    many = choose(replace(FULL, deferred=1), state=ChannelState(unverified=TOO_MANY, deferred=True))
    assert many.channel_state.unverified == TOO_MANY


def test_thousands_of_doubtful_nodes_are_told_once_and_not_remembered_one_by_one() -> None:
    nodes = {f"i-{number}": "No check ran" for number in range(MAX_REMEMBERED_NODES + 1)}
    begun = choose(replace(FULL, unverified=nodes))
    assert alert_of(begun).topic is Topic.INCOMPLETE
    assert begun.channel_state.unverified == TOO_MANY
    changed = {f"i-x{number}": "No check ran" for number in range(MAX_REMEMBERED_NODES + 1)}
    assert choose(replace(FULL, unverified=changed), state=begun.channel_state).alert is None
    fewer = choose(replace(FULL, unverified={"i-1": "…"}), state=begun.channel_state)
    assert (fewer.alert, fewer.channel_state.unverified) == (None, frozenset({"i-1"}))
    assert alert_of(choose(state=begun.channel_state)).topic is Topic.COMPLETE_AGAIN


def test_an_owed_answer_of_an_incomplete_pass_is_no_all_clear() -> None:
    doubtful = replace(FULL, unverified={"i-1": "No check ran"})
    state = ChannelState(unverified=frozenset({"i-1"}))
    assert alert_of(choose(doubtful, (job(),), state)).topic is Topic.INCOMPLETE
    braked = replace(FULL, braked=True, missing=11)
    assert alert_of(choose(braked, (job(),), ChannelState(braked=True))).topic is Topic.INCOMPLETE


def test_a_brake_is_told_once() -> None:
    braked = replace(FULL, braked=True, missing=11)
    begun = choose(braked)
    assert alert_of(begun).topic is Topic.INCOMPLETE
    assert choose(braked, state=begun.channel_state).alert is None


def test_nodes_left_to_read_hold_every_answer_back() -> None:
    partial = replace(FULL, deferred=3)
    first = choose(partial, jobs=(job(),))
    assert (first.alert, first.completed) == (None, ())
    assert first.channel_state.deferred_since == START + 2 * MINUTE
    later = START + 32 * MINUTE
    lasting = choose(partial, jobs=(job(),), state=first.channel_state, at=later)
    assert alert_of(lasting).topic is Topic.INCOMPLETE
    assert lasting.completed == (job(),)
    assert choose(partial, state=lasting.channel_state, at=later).alert is None
    assert alert_of(choose(state=lasting.channel_state)).topic is Topic.COMPLETE_AGAIN
    assert choose(state=first.channel_state).alert is None


def test_a_young_doubt_is_waited_for_and_told_only_when_it_lasts() -> None:
    racing = replace(FULL, unverified={"i-1": "…"}, settling=frozenset({"i-1"}))
    first = choose(racing, jobs=(job(),))
    assert (first.alert, first.completed, first.channel_state) == (None, (), ChannelState())
    late = choose(racing, jobs=(job(),), at=START + 30 * MINUTE)
    assert alert_of(late).topic is Topic.INCOMPLETE
    assert choose(state=late.channel_state).alert is None
    lasting = choose(replace(racing, settling=frozenset()))
    assert alert_of(lasting).topic is Topic.INCOMPLETE


def test_an_alert_since_its_beginning_is_the_answer_of_an_execution() -> None:
    state = ChannelState(last_alert_at=START + MINUTE)
    decision = choose(jobs=(job(),), state=state)
    assert (decision.alert, decision.completed) == (None, (job(),))
    same_second = ChannelState(last_alert_at=START + timedelta(milliseconds=900))
    assert alert_of(choose(jobs=(job(),), state=same_second)).topic is Topic.NOTHING_NEW


def test_the_answer_is_about_the_newest_execution_that_a_node_reported_for() -> None:
    unreported = job("a-2", START + 90 * timedelta(seconds=1), enqueued_at=START - HOUR)
    alert = alert_of(choose(jobs=(job(), unreported)))
    assert alert.topic is Topic.NOTHING_NEW
    assert alert.jobs == (job(), unreported)
    assert alert.reported == 1


def test_an_all_clear_also_says_that_everything_can_be_read_again() -> None:
    alert = alert_of(choose(jobs=(job(),), state=ChannelState(deferred=True)))
    assert (alert.topic, alert.recovered) == (Topic.NOTHING_NEW, True)


def test_no_report_is_another_answer_than_nothing_new() -> None:
    late = choose(
        replace(FULL, reports={"i-2": START - HOUR}), (job(),), at=START + timedelta(minutes=30)
    )
    assert alert_of(late).topic is Topic.NO_REPORT


def test_an_association_hears_a_quiet_answer_once_an_hour() -> None:
    first = choose(jobs=(job(),))
    assert first.channel_state.answered == {"a-1": START + 2 * MINUTE}
    again = choose(jobs=(job(),), state=first.channel_state, at=START + 30 * MINUTE)
    assert (again.alert, again.completed) == (None, (job(),))
    assert (
        alert_of(choose(jobs=(job("a-2"),), state=first.channel_state)).topic is Topic.NOTHING_NEW
    )
    later = choose(jobs=(job(),), state=first.channel_state, at=START + 62 * MINUTE)
    assert alert_of(later).topic is Topic.NOTHING_NEW


def test_silence_on_request_still_pays() -> None:
    decision = choose(jobs=(job(),), quiet_answers=False)
    assert (decision.alert, decision.completed) == (None, (job(),))


def test_an_execution_without_a_date_counts_the_hour_before_its_event() -> None:
    undated = job(executed_at=None)
    assert undated.since == START - HOUR
    assert alert_of(choose(jobs=(undated,))).reported == 2


def test_each_finding_is_told_once_and_none_that_is_muted() -> None:
    rule = make_snooze(ended_at=START)
    lines = collect_lines([FINDING], [(rule, [FINDING, OTHER])], [rule], START)
    assert [(line.finding.title, line.reason) for line in lines.announced] == [
        (FINDING.title, LineReason.NEW),
        ("another", LineReason.SNOOZE_ENDED),
    ]
    active = make_snooze(id="s-2", title=None)
    silent = collect_lines([FINDING], [(rule, [OTHER])], [rule, active], START)
    assert (silent.announced, silent.muted) == ((), 1)
