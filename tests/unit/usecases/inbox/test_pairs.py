"""Snoozes of one finding: whatever its title is like, was like, or will be like."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from chalicelib.domain.errors import AlreadySnoozed, RuleBroken
from chalicelib.domain.finding import Severity, finding_id
from chalicelib.domain.snooze import Scope, Snooze, State
from chalicelib.domain.snooze_rules import SnoozeEnd, SnoozeTerms
from chalicelib.usecases.inbox import findings, overview, snoozes
from chalicelib.usecases.inbox.bulk import Result, snooze_findings, unsnooze_findings
from chalicelib.usecases.inbox.findings import FindingFilter
from chalicelib.usecases.inventory import count_matches
from tests.fleet import DAY, HOUR, MINUTE, Service
from tests.reliability.consistency import find_inconsistencies
from tests.unit.usecases.inbox.requests import FIRST, make_terms

NODE = "i-1"
OLD, NEW = "Process 11 should not run", "Process 12 should not run"


def put(service: Service, title: str, **terms: Any) -> Snooze:
    wanted = finding_id(NODE, title)
    snooze, _ = snoozes.snooze_finding(service.inbox, wanted, make_terms(**terms), None, FIRST)
    return snooze


def post(service: Service, scope: Scope, terms: SnoozeTerms | None = None) -> Snooze:
    return snoozes.create_snooze(service.inbox, scope, terms or make_terms(), FIRST)


def count_standing(service: Service) -> int:
    now = service.clock.now
    return sum(each.state(now) is not State.ENDED for each in service.ledger.snoozes.values())


def list_states(service: Service) -> dict[str, str]:
    page = findings.list_findings(service.inbox, FindingFilter(instance_id=NODE), None, 50)
    return {row.finding.title: row.state for row in page.rows}


def check_counts(service: Service) -> None:
    """Checks that every count agrees with the list of findings."""
    muted = [title for title, state in list_states(service).items() if state == "snoozed"]
    assert overview.summarize(service.inbox).snoozed == len(muted)
    standing = [each for each in service.ledger.snoozes.values() if each.scope.is_pair]
    for snooze in standing:
        rows = service.findings.all()
        covered = sum(snooze.covers(row) for row in rows)
        assert count_matches(service.inbox, [snooze])[snooze.id].total == covered


def test_a_snooze_that_begins_later_begins_now_if_a_change_does_not_say_when() -> None:
    service = Service()
    service.report(NODE, "A")
    service.run()
    now = service.clock.now
    put(service, "A", starts_at=now + 2 * DAY, end=SnoozeEnd(duration=DAY))

    changed = put(service, "A", end=SnoozeEnd(duration=HOUR))

    assert (changed.starts_at, changed.ends_at) == (now, now + HOUR)
    assert changed.state(now) is State.ACTIVE


def test_a_snooze_that_goes_on_keeps_its_beginning() -> None:
    service = Service()
    service.report(NODE, "A")
    service.run()
    began = put(service, "A", end=SnoozeEnd(duration=DAY)).starts_at
    service.clock.forward(HOUR)

    assert put(service, "A", end=SnoozeEnd(duration=DAY)).starts_at == began


@pytest.mark.parametrize("title", ["Check this…", "…", "'", "\u200b", "* must be…"])
def test_a_title_that_looks_cut_or_empty_can_be_snoozed_alone(title: str) -> None:
    service = Service()
    service.report(NODE, title, "Check this… and that", "* must be off")
    service.run()

    snooze = put(service, title, until_resolved=True)

    assert snooze.scope.is_pair
    states = list_states(service)
    assert [each for each, state in states.items() if state == "snoozed"] == [title]
    check_counts(service)
    (result,) = unsnooze_findings(service.inbox, [finding_id(NODE, title)], FIRST)
    assert result.result is Result.ENDED
    assert "snoozed" not in list_states(service).values()


def test_a_copied_title_that_looks_cut_is_whole_if_a_node_has_written_it() -> None:
    service = Service()
    service.report(NODE, "Check this…", "Check this… and that", "Check that")
    service.run()

    exact = snoozes.preview_snooze(service.inbox, Scope(title="check this…"), make_terms())
    cut = snoozes.preview_snooze(service.inbox, Scope(title="Check…"), make_terms())

    assert (exact.matches.total, cut.matches.total) == (1, 3)


@pytest.mark.parametrize("title", ["…", "……", "ab…", " '… "])
def test_a_beginning_of_fewer_than_three_characters_is_too_wide(title: str) -> None:
    service = Service()
    service.report(NODE, "abc")
    service.run()

    with pytest.raises(RuleBroken) as refused:
        post(service, Scope(title=title))

    assert [each.pointer for each in refused.value.faults] == ["/title"]
    assert service.ledger.snoozes == {}


@pytest.fixture
def reworded() -> Service:
    """A finding that was snoozed, and then reworded by its node."""
    service = Service()
    service.report_numbered("run-1", [OLD, "B"], ["P"])
    service.run()
    put(service, OLD)
    service.clock.forward(MINUTE)
    service.report_numbered("run-2", [NEW, "B"], ["P"])
    service.run()
    assert list_states(service) == {NEW: "snoozed", "B": "open"}
    return service


def test_a_reworded_finding_can_be_unsnoozed_by_its_new_id(reworded: Service) -> None:
    wanted = finding_id(NODE, NEW)
    _, lines = findings.list_finding_history(reworded.inbox, wanted)
    assert [each.kind for each in lines] == ["created"]

    (result,) = unsnooze_findings(reworded.inbox, [wanted], FIRST)

    assert result.result is Result.ENDED
    assert list_states(reworded) == {NEW: "open", "B": "open"}


def test_a_second_snooze_of_a_reworded_finding_changes_the_first(reworded: Service) -> None:
    (result,) = snooze_findings(
        reworded.inbox, [finding_id(NODE, NEW)], make_terms(comment="ticket 43"), FIRST
    )

    assert result.result is Result.KEPT
    assert count_standing(reworded) == 1
    check_counts(reworded)


def test_what_a_cap_or_a_missing_check_leaves_out_is_not_muted(reworded: Service) -> None:
    reworded.clock.forward(MINUTE)
    reworded.report_numbered("run-3", [NEW, "B"], ["P"], severity="CRITICAL")
    reworded.run()
    assert list_states(reworded)[NEW] == "open"
    check_counts(reworded)
    assert find_inconsistencies(reworded) == []

    reworded.clock.forward(MINUTE)
    reworded.report(NODE, "B", run="run-4", passed=[])
    reworded.run()
    check_counts(reworded)
    assert find_inconsistencies(reworded) == []


def test_a_title_from_before_a_rewording_snoozes_the_finding_of_today() -> None:
    service = Service()
    service.report_numbered("run-1", [OLD], ["P"])
    service.run()
    service.clock.forward(MINUTE)
    service.report_numbered("run-2", [NEW], ["P"])
    service.run()
    scope = Scope(NODE, OLD)

    preview = snoozes.preview_snooze(service.inbox, scope, make_terms())
    snooze = post(service, scope)

    assert preview.matches.total == 1
    assert snooze.max_severity is Severity.HIGH
    assert list_states(service) == {NEW: "snoozed"}
    check_counts(service)


def test_a_pair_covers_every_spelling_of_its_title() -> None:
    service = Service()
    service.report(NODE, "SSH root", "SSH  ROOT")
    service.run()
    scope = Scope(NODE, "ssh root")

    preview = snoozes.preview_snooze(service.inbox, scope, make_terms())
    snooze = post(service, scope)

    assert preview.matches.total == 2
    assert count_matches(service.inbox, [snooze])[snooze.id].total == 2
    check_counts(service)


@pytest.mark.parametrize("cap", [None, Severity.CRITICAL])
def test_a_pair_that_was_made_ahead_takes_its_finding_however_it_is_written(
    cap: Severity | None,
) -> None:
    service = Service()
    service.report(NODE, "B")
    service.run()
    snooze = post(service, Scope(NODE, "ssh ROOT"), make_terms(max_severity=cap))
    service.clock.forward(MINUTE)
    service.report(NODE, "B", "SSH  root", run="run-2")
    service.run()

    taken = service.ledger.snoozes[snooze.id]
    assert taken.max_severity is (cap or Severity.HIGH)
    assert list_states(service)["SSH  root"] == "snoozed"
    check_counts(service)
    assert put(service, "SSH  root", comment="ticket 43").id == snooze.id
    assert count_standing(service) == 1


def test_two_maintenance_windows_are_two_snoozes_and_the_same_one_is_refused() -> None:
    service = Service()
    service.report(NODE, "A")
    service.run()
    now = service.clock.now

    def window(days: int) -> SnoozeTerms:
        start = now + timedelta(days=days, hours=22)
        return make_terms(end=SnoozeEnd(at=start + 2 * HOUR), starts_at=start)

    post(service, Scope(NODE), window(0))
    post(service, Scope(NODE), window(1))
    post(service, Scope(NODE), make_terms(end=SnoozeEnd(duration=DAY)))
    post(service, Scope(NODE), make_terms(end=SnoozeEnd(duration=30 * DAY)))
    for_ever = make_terms(end=SnoozeEnd(permanent=True))
    post(service, Scope(NODE), for_ever)
    assert count_standing(service) == 5

    for terms in (window(1), make_terms(end=SnoozeEnd(duration=DAY)), for_ever):
        with pytest.raises(AlreadySnoozed):
            post(service, Scope(NODE), terms)
    # a second call a moment later is the same one
    service.clock.forward(timedelta(seconds=30))
    with pytest.raises(AlreadySnoozed):
        post(service, Scope(NODE), make_terms(end=SnoozeEnd(duration=DAY)))


def test_an_unknown_id_refuses_the_call_that_ends_snoozes() -> None:
    service = Service()
    service.report(NODE, "A", "B")
    service.run()
    put(service, "A")
    known, unknown = finding_id(NODE, "A"), finding_id(NODE, "Z")

    with pytest.raises(RuleBroken) as refused:
        unsnooze_findings(service.inbox, [known, unknown], FIRST)

    assert [each.pointer for each in refused.value.faults] == ["/finding_ids/1"]
    assert count_standing(service) == 1
    service.clock.forward(MINUTE)
    service.report(NODE, "B", run="run-2")
    service.run()
    results = unsnooze_findings(service.inbox, [known, finding_id(NODE, "B")], FIRST)
    assert [each.result for each in results] == [Result.ENDED, Result.NOT_SNOOZED]


@pytest.mark.parametrize(
    ("scope", "cap", "elsewhere"),
    [
        (Scope("i-2", "A"), None, 1),
        (Scope(title="A"), Severity.LOW, 1),
        (Scope(title="A", control_id="other"), None, 1),
        (Scope(title_pattern="AAA*"), None, 0),
        (Scope(control_id="other"), None, 0),
    ],
)
def test_a_snooze_that_covers_nothing_says_why(
    scope: Scope, cap: Severity | None, elsewhere: int
) -> None:
    service = Service()
    service.report(NODE, "A")
    service.report("i-2", "B")
    service.run()

    preview = snoozes.preview_snooze(service.inbox, scope, make_terms(max_severity=cap))

    assert (preview.matches.total, preview.matches.elsewhere) == (0, elsewhere)
    assert preview.matches.nearest is None


def test_titles_go_on_where_they_stopped_though_one_is_fixed_meanwhile() -> None:
    service = Service()
    titles = ["T0", "T1", "T2", "T3", "T4"]
    service.report(NODE, *titles)
    service.run()
    wanted = overview.TitleFilter()
    first = overview.list_titles(service.inbox, wanted, None, 2)
    service.clock.forward(MINUTE)
    fixed = first.titles[-1][0].title
    service.report(NODE, *(each for each in titles if each != fixed), run="run-2")
    service.run()

    rest = overview.list_titles(service.inbox, wanted, first.after, 10)

    listed = [group.title for group, _ in (*first.titles, *rest.titles)]
    assert sorted(listed) == titles


@pytest.mark.parametrize("text", ["", "x", "1", "1#x#a", "#1#a", "a#1#b"])
def test_a_position_in_titles_of_another_form_is_the_beginning(text: str) -> None:
    service = Service()
    service.report(NODE, "A", "B")
    service.run()

    assert len(overview.list_titles(service.inbox, overview.TitleFilter(), text, 10).titles) == 2


def test_snoozes_of_controls_are_counted_by_control() -> None:
    service = Service()
    for number, control in enumerate(["ssh-01", "ssh-02", "ssh-01"]):
        service.report(f"i-{number}", "A", f"B{number}", control=control)
    service.run()

    def count(scope: Scope) -> int:
        return sum(1 for _ in service.inbox.inventory().select(scope, None))

    assert count(Scope(control_id="ssh-01")) == 4
    assert count(Scope(control_id="ssh-02")) == 2
    assert count(Scope(title="A", control_id="ssh-02")) == 1
    assert count(Scope(title_pattern="B*", control_id="ssh-01")) == 0 + 2
    assert count(Scope("i-1", control_id="ssh-02")) == 2
    assert count(Scope(control_id="ssh")) == 0


def test_a_scope_of_a_whole_title_is_not_that_of_its_beginning() -> None:
    whole, cut = Scope(NODE).with_title("Check this…"), Scope(NODE, "Check this…")

    assert whole != cut
    assert (whole.is_pair, cut.is_pair) == (True, False)
    assert whole.id == finding_id(NODE, "Check this…")
    assert replace(post_nothing(), is_whole=True).scope.is_whole


def post_nothing() -> Snooze:
    service = Service()
    service.report(NODE, "A")
    service.run()
    return put(service, "A")


def scan(service: Service, run: str, *titles: str, **fields: Any) -> list[str]:
    """Lets the node report in a minute, scans, and returns the messages since."""
    before = len(service.messages)
    service.clock.forward(MINUTE)
    service.report(NODE, *titles, run=run, **fields)
    service.run()
    return service.messages[before:]


def end_snoozes(service: Service) -> str:
    """Lets time pass until every snooze has ended, and returns what is announced."""
    before = len(service.messages)
    for _ in range(2):
        service.clock.forward(2 * DAY)
        service.run()
    return " ".join(service.messages[before:])


@pytest.mark.parametrize(
    ("one", "other"),
    [("SSH root", "SSH ROOT"), ("password=alpha123 in /etc/x", "password=beta4567 in /etc/x")],
)
def test_another_spelling_of_a_snoozed_title_is_told_when_the_snooze_ends(
    one: str, other: str
) -> None:
    service = Service()
    scan(service, "run-1", one, "B")
    put(service, one, end=SnoozeEnd(duration=DAY))
    assert scan(service, "run-2", other, "B") == []
    assert list_states(service)[other] == "snoozed"
    check_counts(service)

    assert other in end_snoozes(service)


def test_another_spelling_that_is_fixed_ends_a_snooze_until_its_fix() -> None:
    service = Service()
    scan(service, "run-1", "SSH root", "B")
    put(service, "SSH root", end=SnoozeEnd(duration=30 * DAY), until_resolved=True)
    scan(service, "run-2", "SSH ROOT", "B")
    scan(service, "run-3", "B", passed=["SSH ROOT"])

    assert count_standing(service) == 0


def test_one_snooze_stands_for_every_spelling_and_one_call_ends_it() -> None:
    service = Service()
    scan(service, "run-1", "B")
    post(service, Scope(NODE, "ssh root"), make_terms(end=SnoozeEnd(duration=DAY)))
    scan(service, "run-2", "SSH root", "B")
    post(service, Scope(NODE, "SSH root"), make_terms(end=SnoozeEnd(duration=2 * DAY)))
    put(service, "SSH root", end=SnoozeEnd(duration=3 * DAY))
    assert count_standing(service) == 1
    check_counts(service)

    (result,) = unsnooze_findings(service.inbox, [finding_id(NODE, "SSH root")], FIRST)
    assert result.result is Result.ENDED
    assert list_states(service)["SSH root"] == "open"


def test_what_was_reworded_fixed_and_fails_again_stays_snoozed() -> None:
    service = Service()
    service.report_numbered("run-1", [OLD], ["P"])
    service.run()
    put(service, OLD, end=SnoozeEnd(duration=DAY))
    for run, failed, passed in (
        ("run-2", [NEW], ["P"]),
        ("run-3", [], ["P", NEW]),
        ("run-4", [NEW], ["P"]),
    ):
        service.clock.forward(MINUTE)
        service.report_numbered(run, failed, passed)
        service.run()

    assert list_states(service) == {NEW: "snoozed"}
    check_counts(service)
    assert NEW in end_snoozes(service)


def test_a_pair_made_ahead_in_another_spelling_follows_a_rewording() -> None:
    service = Service()
    service.report_numbered("run-1", ["B"], ["P"])
    service.run()
    scope = Scope(NODE, "process 11 SHOULD not run")
    post(service, scope, make_terms(end=SnoozeEnd(duration=DAY)))
    for run, title in (("run-2", OLD), ("run-3", NEW)):
        service.clock.forward(MINUTE)
        service.report_numbered(run, ["B", title], ["P"])
        service.run()

    assert list_states(service)[NEW] == "snoozed"
    check_counts(service)
    assert NEW in end_snoozes(service)


def test_what_is_reworded_and_worse_at_once_is_followed() -> None:
    service = Service()
    service.report_numbered("run-1", [OLD], ["P"], severity="LOW")
    service.run()
    put(service, OLD, end=SnoozeEnd(duration=DAY))
    for run, severity in (("run-2", "HIGH"), ("run-3", "LOW")):
        service.clock.forward(MINUTE)
        service.report_numbered(run, [NEW], ["P"], severity=severity)
        service.run()

    assert list_states(service) == {NEW: "snoozed"}
    check_counts(service)


@pytest.mark.parametrize("title", [OLD, NEW])
def test_a_pair_made_while_its_finding_is_not_checked_takes_it_when_it_is_back(title: str) -> None:
    service = Service()
    service.report_numbered("run-1", [OLD, "B"], ["P"])
    service.run()
    for number, failed in enumerate(([NEW, "B"], ["B"]), 2):
        service.clock.forward(MINUTE)
        service.report_numbered(f"run-{number}", failed, ["P"])
        service.run()
    post(service, Scope(NODE, title), make_terms(end=SnoozeEnd(duration=DAY)))
    service.clock.forward(MINUTE)
    service.report_numbered("run-4", [NEW, "B"], ["P"])
    service.run()

    (snooze,) = service.ledger.snoozes.values()
    assert snooze.max_severity is Severity.HIGH
    assert list_states(service)[NEW] == "snoozed"
    check_counts(service)


def test_an_unknown_severity_caps_nothing() -> None:
    service = Service()
    scan(service, "run-1", "A", "B", severity="UNSPECIFIED")
    put(service, "A", end=SnoozeEnd(duration=DAY))
    scan(service, "run-2", "A", "B", severity="CRITICAL")

    assert list_states(service)["A"] == "snoozed"
    assert "A" in end_snoozes(service)


@pytest.mark.parametrize("title", ["A", None])
def test_what_was_muted_and_is_not_checked_when_the_snooze_ends_is_told_when_it_is_back(
    title: str | None,
) -> None:
    service = Service()
    scan(service, "run-1", "B")
    scope = Scope(NODE, title, control_id=None if title else "ssh-01")
    post(service, scope, make_terms(end=SnoozeEnd(duration=HOUR)))
    assert "A" not in " ".join(scan(service, "run-2", "A", "B"))
    service.clock.forward(2 * HOUR)
    scan(service, "run-3", "B", passed=[])

    assert "A" in " ".join(scan(service, "run-4", "A", "B"))
