from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.domain.alert import (
    MANY,
    MAX_REMEMBERED,
    Alert,
    Decision,
    Line,
    Lines,
    Told,
    Topic,
    Why,
    decide,
    lines_of,
)
from chalicelib.domain.debt import Debt, DebtKind
from chalicelib.domain.finding import Finding, Severity
from chalicelib.domain.outcome import Coverage, Outcome
from tests.fleet import HOUR, MINUTE, START, snooze

FINDING = Finding("i-1", "SSH must not allow root", Severity.HIGH, "ssh-01", START, "scan")
OTHER = replace(FINDING, title="another")
LINES = Lines((Line(FINDING, Why.NEW),))
REPORTED = {"i-1": START + MINUTE, "i-2": START - HOUR}
NO_LINES, NOTHING_KNOWN = Lines(), Told()
FULL = Coverage(known=2, reports=REPORTED, read=1)


def debt(association: str = "a-1", at: datetime = START, **fields: object) -> Debt:
    usual = Debt(f"{association}#{at}", DebtKind.EXECUTION, at, at, association, "Success", at)
    return replace(usual, **fields)  # type: ignore[arg-type]


def choose(
    coverage: Coverage = FULL,
    debts: tuple[Debt, ...] = (),
    told: Told = NOTHING_KNOWN,
    lines: Lines = NO_LINES,
    at: datetime = START + 2 * MINUTE,
    *,
    quiet_answers: bool = True,
) -> Decision:
    outcome = Outcome("scan", at, (), 0, {}, coverage)
    return decide(outcome, lines, debts, told, at, quiet_answers=quiet_answers)


def alert_of(decision: Decision) -> Alert:
    assert decision.alert is not None
    return decision.alert


def test_nothing_owed_and_nothing_changed_is_silence() -> None:
    decision = choose()
    assert (decision.alert, decision.paid, decision.told) == (None, (), Told())


def test_findings_are_told_and_pay_every_execution_that_can_be_answered() -> None:
    waiting = debt("a-2", START + HOUR)
    decision = choose(debts=(debt(), waiting), lines=LINES)
    assert alert_of(decision).topic is Topic.NEW
    assert decision.paid == (debt(),)
    assert decision.told.last_alert_at == START + 2 * MINUTE
    assert decision.told.answered == {}


def test_the_answer_names_who_reported_and_who_did_not() -> None:
    alert = alert_of(choose(debts=(debt(),)))
    assert alert.topic is Topic.NOTHING_NEW
    assert (alert.reported, alert.not_scanned) == (1, ("i-2",))


def test_without_a_debt_the_nodes_read_are_the_ones_that_reported() -> None:
    alert = alert_of(choose(lines=LINES))
    assert (alert.reported, alert.not_scanned) == (1, ())


def test_an_execution_for_a_few_nodes_names_nobody_as_not_scanned() -> None:
    small = debt(nodes={"Success": 1})
    decision = choose(replace(FULL, known=3), debts=(small,), lines=LINES)
    assert alert_of(decision).not_scanned == ()
    silent = choose(replace(FULL, known=3), debts=(small,))
    assert (silent.alert, silent.paid) == (None, (small,))


def test_the_newest_execution_that_asks_is_the_one_that_is_answered() -> None:
    older = debt("a-2", START - HOUR)
    alert = alert_of(choose(debts=(older, debt())))
    assert alert.debts == (debt(), older)
    assert alert.reported == 1


def test_a_doubtful_node_is_told_when_it_begins_once_and_when_it_is_over() -> None:
    doubtful = replace(FULL, unproven={"i-1": "no check ran on it"})
    begun = choose(doubtful)
    assert alert_of(begun).topic is Topic.INCOMPLETE
    assert choose(doubtful, told=begun.told).alert is None
    more = replace(FULL, unproven={"i-1": "…", "i-2": "…"})
    assert alert_of(choose(more, told=begun.told)).topic is Topic.INCOMPLETE
    over = choose(told=begun.told)
    assert alert_of(over).topic is Topic.COMPLETE_AGAIN
    assert over.told == Told()


def test_a_doubtful_node_that_is_left_to_read_is_not_told_as_new_again() -> None:
    doubtful = replace(FULL, unproven={"i-1": "…"})
    begun = choose(doubtful)
    cut = choose(replace(FULL, left=1), told=replace(begun.told, left=True))
    assert cut.alert is None
    assert choose(doubtful, told=cut.told).alert is None
    many = choose(replace(FULL, left=1), told=Told(unproven=MANY, left=True))
    assert many.told.unproven == MANY


def test_thousands_of_doubtful_nodes_are_told_once_and_not_remembered_one_by_one() -> None:
    nodes = {f"i-{number}": "no check ran on it" for number in range(MAX_REMEMBERED + 1)}
    begun = choose(replace(FULL, unproven=nodes))
    assert alert_of(begun).topic is Topic.INCOMPLETE
    assert begun.told.unproven == MANY
    changed = {f"i-x{number}": "no check ran on it" for number in range(MAX_REMEMBERED + 1)}
    assert choose(replace(FULL, unproven=changed), told=begun.told).alert is None
    fewer = choose(replace(FULL, unproven={"i-1": "…"}), told=begun.told)
    assert (fewer.alert, fewer.told.unproven) == (None, frozenset({"i-1"}))
    assert alert_of(choose(told=begun.told)).topic is Topic.COMPLETE_AGAIN


def test_an_owed_answer_of_an_incomplete_pass_is_no_all_clear() -> None:
    doubtful = replace(FULL, unproven={"i-1": "no check ran on it"})
    told = Told(unproven=frozenset({"i-1"}))
    assert alert_of(choose(doubtful, (debt(),), told)).topic is Topic.INCOMPLETE
    braked = replace(FULL, braked=True, missing=11)
    assert alert_of(choose(braked, (debt(),), Told(braked=True))).topic is Topic.INCOMPLETE


def test_a_brake_is_told_once() -> None:
    braked = replace(FULL, braked=True, missing=11)
    begun = choose(braked)
    assert alert_of(begun).topic is Topic.INCOMPLETE
    assert choose(braked, told=begun.told).alert is None


def test_nodes_left_to_read_hold_every_answer_back() -> None:
    partial = replace(FULL, left=3)
    first = choose(partial, debts=(debt(),))
    assert (first.alert, first.paid) == (None, ())
    assert first.told.left_since == START + 2 * MINUTE
    later = START + 32 * MINUTE
    lasting = choose(partial, debts=(debt(),), told=first.told, at=later)
    assert alert_of(lasting).topic is Topic.INCOMPLETE
    assert lasting.paid == (debt(),)
    assert choose(partial, told=lasting.told, at=later).alert is None
    assert alert_of(choose(told=lasting.told)).topic is Topic.COMPLETE_AGAIN
    assert choose(told=first.told).alert is None


def test_a_young_doubt_is_waited_for_and_told_only_when_it_lasts() -> None:
    racing = replace(FULL, unproven={"i-1": "…"}, settling=frozenset({"i-1"}))
    first = choose(racing, debts=(debt(),))
    assert (first.alert, first.paid, first.told) == (None, (), Told())
    late = choose(racing, debts=(debt(),), at=START + 30 * MINUTE)
    assert alert_of(late).topic is Topic.INCOMPLETE
    assert choose(told=late.told).alert is None
    lasting = choose(replace(racing, settling=frozenset()))
    assert alert_of(lasting).topic is Topic.INCOMPLETE


def test_an_alert_since_its_beginning_is_the_answer_of_an_execution() -> None:
    told = Told(last_alert_at=START + MINUTE)
    decision = choose(debts=(debt(),), told=told)
    assert (decision.alert, decision.paid) == (None, (debt(),))
    same_second = Told(last_alert_at=START + timedelta(milliseconds=900))
    assert alert_of(choose(debts=(debt(),), told=same_second)).topic is Topic.NOTHING_NEW


def test_the_answer_is_about_the_newest_execution_that_a_node_reported_for() -> None:
    unreported = debt("a-2", START + 90 * timedelta(seconds=1), owed_at=START - HOUR)
    alert = alert_of(choose(debts=(debt(), unreported)))
    assert alert.topic is Topic.NOTHING_NEW
    assert alert.debts == (debt(), unreported)
    assert alert.reported == 1


def test_an_all_clear_also_says_that_everything_can_be_read_again() -> None:
    alert = alert_of(choose(debts=(debt(),), told=Told(left=True)))
    assert (alert.topic, alert.recovered) == (Topic.NOTHING_NEW, True)


def test_no_report_is_another_answer_than_nothing_new() -> None:
    late = choose(
        replace(FULL, reports={"i-2": START - HOUR}), (debt(),), at=START + timedelta(minutes=30)
    )
    assert alert_of(late).topic is Topic.NO_REPORT


def test_an_association_hears_a_quiet_answer_once_an_hour() -> None:
    first = choose(debts=(debt(),))
    assert first.told.answered == {"a-1": START + 2 * MINUTE}
    again = choose(debts=(debt(),), told=first.told, at=START + 30 * MINUTE)
    assert (again.alert, again.paid) == (None, (debt(),))
    assert alert_of(choose(debts=(debt("a-2"),), told=first.told)).topic is Topic.NOTHING_NEW
    later = choose(debts=(debt(),), told=first.told, at=START + 62 * MINUTE)
    assert alert_of(later).topic is Topic.NOTHING_NEW


def test_silence_on_request_still_pays() -> None:
    decision = choose(debts=(debt(),), quiet_answers=False)
    assert (decision.alert, decision.paid) == (None, (debt(),))


def test_an_execution_without_a_date_counts_the_hour_before_its_event() -> None:
    undated = debt(executed_at=None)
    assert undated.since == START - HOUR
    assert alert_of(choose(debts=(undated,))).reported == 2


def test_each_finding_is_told_once_and_none_that_is_muted() -> None:
    rule = snooze(ended_at=START)
    lines = lines_of([FINDING], [(rule, [FINDING, OTHER])], [rule], START)
    assert [(line.finding.title, line.why) for line in lines.told] == [
        (FINDING.title, Why.NEW),
        ("another", Why.SNOOZE_ENDED),
    ]
    active = snooze(id="s-2", title=None)
    silent = lines_of([FINDING], [(rule, [OTHER])], [rule, active], START)
    assert (silent.told, silent.muted) == ((), 1)
