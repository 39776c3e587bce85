"""What a scan announces: new findings first, then an answer to an execution, else nothing."""

from datetime import timedelta

from msgspec.structs import replace

from chalicelib.domain.announcement import (
    AssociationState,
    ChannelState,
    DecisionReason,
    LineReason,
    Topic,
)
from chalicelib.domain.decision import News, collect_lines
from tests.fleet import HOUR, MINUTE, START, make_snooze
from tests.unit.domain.decisions import (
    COMPLETE,
    FINDING,
    ONE_LINE,
    decide,
    get_alert,
    make_job,
)

SECOND = timedelta(seconds=1)


def test_without_news_and_without_a_job_nothing_is_announced() -> None:
    decision = decide()

    assert (decision.alert, decision.completed) == (None, ())
    assert decision.reason is DecisionReason.NO_EXECUTION
    assert decision.channel_state == ChannelState()


def test_new_findings_answer_every_execution_that_can_be_answered() -> None:
    later = make_job("a-2", START + HOUR)

    decision = decide(jobs=(make_job(), later), lines=ONE_LINE)

    assert get_alert(decision).topic is Topic.NEW
    assert decision.reason is DecisionReason.NEW_FINDINGS
    assert decision.completed == (make_job(),)
    assert decision.channel_state.last_alert_at == START + 2 * MINUTE
    assert decision.channel_state.associations == {
        "a-1": AssociationState(answered_at=START + 2 * MINUTE)
    }


def test_each_finding_is_one_line_also_if_its_snooze_ended_as_well() -> None:
    other = replace(FINDING, title="another")
    ended = make_snooze(ended_at=START)

    lines = collect_lines(News((FINDING,), ended=[(ended, [FINDING, other])]), [ended], START)

    assert [(line.finding.title, line.reason) for line in lines.announced] == [
        (FINDING.title, LineReason.NEW),
        ("another", LineReason.SNOOZE_ENDED),
    ]


def test_a_muted_finding_is_no_line_and_counted_if_it_is_new() -> None:
    other = replace(FINDING, title="another")
    ended, active = make_snooze(ended_at=START), make_snooze(id="s-2", title=None)

    lines = collect_lines(News((FINDING,), ended=[(ended, [other])]), [ended, active], START)

    assert (lines.announced, lines.muted) == ((), 1)


def test_without_an_execution_the_nodes_read_count_as_reported() -> None:
    alert = get_alert(decide(lines=ONE_LINE))

    assert (alert.reported, alert.targets, alert.without_result) == (1, 0, ())


def test_of_several_executions_the_newest_is_named_first() -> None:
    older = make_job("a-2", START - HOUR)

    alert = get_alert(decide(jobs=(older, make_job())))

    assert alert.jobs == (make_job(), older)


def test_an_execution_with_a_report_is_named_before_a_newer_one_without() -> None:
    unreported = make_job("a-2", START + 90 * SECOND, enqueued_at=START - HOUR)

    alert = get_alert(decide(jobs=(make_job(), unreported)))

    assert alert.jobs == (make_job(), unreported)


def test_an_execution_without_any_report_gets_no_all_clear() -> None:
    unreported = replace(COMPLETE, reports={"i-2": START - HOUR})

    decision = decide(unreported, (make_job(),), at=START + 30 * MINUTE)

    assert get_alert(decision).topic is Topic.NO_REPORT


def test_an_execution_without_a_date_counts_reports_since_an_hour_before_its_event() -> None:
    undated = make_job(executed_at=None)

    assert undated.since == START - HOUR
    assert get_alert(decide(jobs=(undated,))).reported == 2


def test_an_alert_since_the_execution_began_is_its_answer() -> None:
    state = ChannelState(last_alert_at=START + MINUTE)

    decision = decide(jobs=(make_job(),), state=state)

    assert (decision.alert, decision.completed) == (None, (make_job(),))
    assert decision.reason is DecisionReason.ALERTED_SINCE


def test_an_alert_of_the_second_in_which_the_execution_began_is_not_its_answer() -> None:
    state = ChannelState(last_alert_at=START + 0.9 * SECOND)

    decision = decide(jobs=(make_job(),), state=state)

    assert get_alert(decision).topic is Topic.PARTLY_CHECKED


def test_an_association_gets_a_quiet_answer_at_most_once_an_hour() -> None:
    first = decide(jobs=(make_job(),))
    known = first.channel_state

    again = decide(jobs=(make_job(),), state=known, at=START + 30 * MINUTE)
    other = decide(jobs=(make_job("a-2"),), state=known)
    later = decide(jobs=(make_job(),), state=known, at=START + 62 * MINUTE)

    assert known.associations["a-1"].quiet_at == START + 2 * MINUTE
    assert (again.alert, again.completed) == (None, (make_job(),))
    assert again.reason is DecisionReason.ANSWERED_RECENTLY
    assert get_alert(other).jobs == (make_job("a-2"),)
    assert get_alert(later).jobs == (make_job(),)


def test_if_quiet_answers_are_off_the_job_is_completed_in_silence() -> None:
    decision = decide(jobs=(make_job(),), quiet_answers=False)

    assert (decision.alert, decision.completed) == (None, (make_job(),))
    assert decision.reason is DecisionReason.QUIET_ANSWERS_OFF
