"""What vanishes without proof of a fix is not called fixed: it is named once, and remembered."""

from collections import Counter

import pytest
from msgspec.structs import replace

from chalicelib.domain.announcement import Topic
from chalicelib.domain.compliance import ItemList
from chalicelib.domain.finding import Severity
from chalicelib.domain.history import EventKind
from chalicelib.domain.snooze import follow_pair
from chalicelib.domain.summary import AlertSummary
from chalicelib.usecases.context import Acceptance, Options
from chalicelib.usecases.inbox.findings import FindingFilter, list_findings
from chalicelib.usecases.inbox.overview import summarize
from chalicelib.usecases.ports import UncheckedKey
from tests.fleet import DAY, START, TYPE, Service, make_item, make_snooze
from tests.reliability.consistency import find_inconsistencies, find_list_errors
from tests.reliability.crashing import Faults, Fuse
from tests.reliability.stories import run_until_crash

PASSED = tuple(f"passes {number}" for number in range(40))


@pytest.fixture
def service() -> Service:
    return Service()


def run_day(service: Service) -> AlertSummary | None:
    """Runs a scan on the next day. Returns what its message shows; None if it is silent."""
    service.clock.forward(DAY)
    service.run()
    assert find_inconsistencies(service) == []
    message = service.ledger.sent.get(max(service.ledger.scans))
    return message.alert if message else None


def list_unchecked(service: Service) -> list[str]:
    return sorted(each.finding.title for each in service.unchecked.all())


def list_history(service: Service, title: str) -> list[EventKind]:
    return [
        each.kind for each in service.journal.events if each.finding and each.finding.title == title
    ]


def get_csv(service: Service) -> list[str]:
    """Returns the rows of the last CSV of changes."""
    key = max(key for key in service.files.objects if key.endswith("-changes.csv"))
    return sorted(service.files.objects[key].decode().splitlines())


def test_a_run_with_fewer_checks_fixes_nothing_and_the_next_whole_one_is_no_news(
    service: Service,
) -> None:
    """40 passed and 4 failed; then a run without root in which one check ran."""
    service.report("i-1", "A", "B", "C", "D", passed=PASSED)
    service.run()
    first_seen = {each.title: each.first_seen for each in service.findings.all()}

    service.report("i-1", passed=PASSED[:1], run="run-2", control="another")
    alert = run_day(service)

    assert alert
    assert (alert.topic, alert.fixed) == (Topic.UNCHECKED, 0)
    assert [each.title.title for each in alert.vanished] == ["A", "B", "C", "D"]
    assert (service.list_titles(), list_unchecked(service)) == ([], ["A", "B", "C", "D"])
    assert get_csv(service) == [f"no longer checked {title}" for title in "ABCD"]

    service.report("i-1", "A", "B", "C", "D", passed=PASSED, run="run-3")
    messages = len(service.messages)

    assert run_day(service) is None
    assert len(service.messages) == messages
    assert {each.title: each.first_seen for each in service.findings.all()} == first_seen
    assert list_unchecked(service) == []
    assert service.ledger.channel_state.changes == {EventKind.CHECKED_AGAIN: 4}


def test_a_real_fix_is_confirmed_by_the_very_next_scan(service: Service) -> None:
    service.report("i-1", "A", "B", passed=PASSED)
    service.run()

    service.report("i-1", "B", passed=(*PASSED, "A"), run="run-2")
    service.enqueue()
    alert = run_day(service)

    assert alert
    assert (alert.fixed, service.list_titles(), list_unchecked(service)) == (1, ["B"], [])
    assert list_history(service, "A") == [EventKind.FIXED]


def test_a_control_that_still_runs_no_longer_finds(service: Service) -> None:
    """One result for each world-writable file: the file is gone, the control has run."""
    service.report("i-1", "/srv/a", "/srv/b", passed=PASSED)
    service.run()

    service.report("i-1", "/srv/b", passed=PASSED, run="run-2")
    alert = run_day(service)

    assert alert
    assert [(each.kind, each.title.title) for each in alert.vanished] == [
        (EventKind.NOT_FOUND, "/srv/a")
    ]


def test_two_profiles_on_one_node_announce_each_finding_once_and_fix_nothing(
    service: Service,
) -> None:
    def run_profile(number: int, *titles: str) -> AlertSummary | None:
        service.report("i-1", *titles, passed=PASSED[:10], run=f"run-{number}")
        return run_day(service)

    alerts = [
        run_profile(number, *(("A", "B") if number % 2 else ("C", "D"))) for number in range(1, 13)
    ]

    told = [each for each in alerts if each]
    assert [each.topic for each in told] == [Topic.NEW, Topic.NEW, Topic.UNCHECKED]
    assert [[title.title for title in each.titles] for each in told[:2]] == [["A", "B"], ["C", "D"]]
    assert sorted(title.title.title for each in told for title in each.vanished) == [
        "A",
        "B",
        "C",
        "D",
    ]
    assert [each.alternating.names for each in told] == [(), (), ("i-1",)]
    assert not any(each.fixed for each in told)
    assert (service.list_titles(), list_unchecked(service)) == (["C", "D"], ["A", "B"])
    first = {each.finding.title: each.finding.first_seen for each in service.unchecked.all()}
    assert first == dict.fromkeys("AB", START)


def test_alternating_profiles_leave_no_history_after_the_first_time(service: Service) -> None:
    for number in range(1, 12):
        service.report("i-1", "AB"[number % 2], passed=PASSED, run=f"run-{number}")
        run_day(service)

    kinds = [each.kind for each in service.journal.events]
    assert sorted(kinds) == [EventKind.CHECKED_AGAIN] * 2 + [EventKind.NOT_FOUND] * 2


def test_a_fix_in_the_other_profile_is_a_fix(service: Service) -> None:
    for number in range(1, 6):
        service.report("i-1", "AB"[number % 2], passed=PASSED, run=f"run-{number}")
        run_day(service)

    service.report("i-1", passed=(*PASSED, "A"), run="run-9")
    service.enqueue()
    alert = run_day(service)

    assert alert
    assert alert.fixed == 1
    assert list_unchecked(service) == ["B"]


def test_without_any_passed_check_ever_a_missing_title_is_fixed(service: Service) -> None:
    service.report("i-1", "A", "B", passed=(), compliant=0)
    service.run()

    service.report("i-1", "B", passed=(), compliant=0, run="run-2")
    service.enqueue()
    alert = run_day(service)

    assert alert
    assert (alert.fixed, list_unchecked(service)) == (1, [])


def test_a_type_that_has_shown_a_passed_check_on_any_node_needs_proof(service: Service) -> None:
    service.report("i-1", "A", "B", passed=(), compliant=0)
    service.report("i-2", passed=PASSED[:1])
    service.run()
    service.compliance.remove("i-2")

    service.report("i-1", "B", passed=(), compliant=0, run="run-2")
    alert = run_day(service)

    assert alert
    assert (alert.topic, list_unchecked(service)) == (Topic.UNCHECKED, ["A"])


def test_passed_items_are_read_only_where_something_vanished_or_is_remembered(
    service: Service,
) -> None:
    service.report("i-1", "A", passed=PASSED)
    service.report("i-2", "A", passed=PASSED)
    service.report("i-3", "A", passed=(), compliant=0)
    service.run()
    assert list(service.compliance.reads_of_passed) == []

    service.report("i-1", "A", "B", passed=PASSED, run="run-2")
    service.report("i-2", "A", passed=PASSED[:3], run="run-2")
    service.report("i-3", "B", passed=(), compliant=0, run="run-2")
    service.run()
    assert list(service.compliance.reads_of_passed) == []

    service.report("i-2", "B", passed=PASSED, run="run-3")
    service.report("i-3", "C", passed=(), compliant=0, run="run-3")
    service.run()
    assert list(service.compliance.reads_of_passed) == ["i-2"]

    service.report("i-1", "A", "B", "C", passed=PASSED, run="run-4")
    service.report("i-2", "B", passed=PASSED, run="run-4")
    service.run()
    assert list(service.compliance.reads_of_passed) == ["i-2", "i-2"]


def test_passed_items_of_another_execution_or_number_leave_the_node_unverified(
    service: Service,
) -> None:
    service.report("i-1", "A", passed=PASSED)
    service.run()

    passed = [make_item(title) for title in PASSED]
    service.compliance.put("i-1", TYPE, "run-2", service.clock.now, [], compliant=1, passed=passed)

    class LosesOne:
        def __getattr__(self, name: str) -> object:
            return getattr(service.compliance, name)

        def passed_items(self, instance_id: str, types: list[str]) -> ItemList:
            return ItemList(service.compliance.passed_items(instance_id, types).items[1:])

    report = service.run(compliance=LosesOne())

    assert report.outcome
    assert list(report.outcome.coverage.unverified) == ["i-1"]
    assert (service.list_titles(), list_unchecked(service)) == (["A"], [])


def test_what_nobody_checks_is_forgotten_in_the_end(service: Service) -> None:
    service.report("i-1", "A", passed=PASSED)
    service.run()

    for day in range(1, 60):
        service.report("i-1", passed=PASSED, run=f"run-{day + 1}")
        run_day(service)

    assert list_unchecked(service) == []
    assert list_history(service, "A") == [EventKind.NOT_FOUND, EventKind.FORGOTTEN]
    assert len(service.messages) == 2


def test_a_node_that_never_runs_again_forgets_nothing(service: Service) -> None:
    service.report("i-1", "A", passed=PASSED)
    service.run()
    service.report("i-1", passed=PASSED, run="run-2")

    for _ in range(60):
        run_day(service)

    assert list_unchecked(service) == ["A"]


@pytest.mark.parametrize(
    ("acceptance", "left"),
    [
        (Acceptance(), []),
        (Acceptance(instance_id="i-1"), ["C"]),
        (Acceptance(control_id="c_b"), ["A", "C"]),
        (Acceptance(instance_id="i-2", control_id="c_b"), ["A", "B", "C"]),
        (Acceptance(instance_id="i-9"), ["A", "B", "C"]),
    ],
)
def test_a_person_accepts_what_is_not_checked_any_more(
    service: Service, acceptance: Acceptance, left: list[str]
) -> None:
    def report(run: str, **nodes: list[tuple[str, str]]) -> None:
        for node, found in nodes.items():
            items = [make_item(title, execution=run, item_id=control) for title, control in found]
            service.compliance.put(
                node.replace("_", "-"), TYPE, run, service.clock.now, items, passed=[make_item("P")]
            )

    report("run-1", i_1=[("A", "c_a"), ("B", "c_b")], i_2=[("C", "c_a")])
    service.run()
    report("run-2", i_1=[], i_2=[])
    run_day(service)
    assert list_unchecked(service) == ["A", "B", "C"]

    service.run(Options(accept_unchecked=acceptance))

    assert list_unchecked(service) == left
    assert find_inconsistencies(service) == []
    # what was accepted is news again
    report("run-3", i_1=[("A", "c_a"), ("B", "c_b")], i_2=[("C", "c_a")])
    alert = run_day(service)
    titles = sorted(title.title for title in alert.titles) if alert else []
    assert titles == sorted({"A", "B", "C"} - set(left))


def test_a_finding_that_was_snoozed_and_comes_back_after_its_snooze_is_news(
    service: Service,
) -> None:
    service.report("i-1", "A", passed=PASSED)
    service.run()
    service.add_snooze(title="A", ends_at=START + 3 * DAY)
    service.report("i-1", passed=PASSED, run="run-2")
    run_day(service)
    for day in range(4):
        service.report("i-1", passed=PASSED, run=f"day-{day}")
        run_day(service)
    assert service.messages[2:] == []

    service.report("i-1", "A", passed=PASSED, run="run-3")
    alert = run_day(service)

    assert alert
    assert alert.topic is Topic.NEW
    assert [(each.title, each.findings) for each in alert.snoozes] == [("A", 1)]
    assert run_day(service) is None


def test_a_snooze_until_it_is_resolved_outlives_that_nothing_is_checked(service: Service) -> None:
    service.report("i-1", "A", passed=PASSED)
    service.add_snooze(title="A", until_resolved=True, ends_at=None)
    service.run()
    service.report("i-1", passed=PASSED, run="run-2")
    run_day(service)

    assert service.ledger.snoozes["s-1"].end is None

    service.report("i-1", passed=(*PASSED, "A"), run="run-3")
    run_day(service)

    assert service.ledger.snoozes["s-1"].end == service.clock.now


def test_what_is_worse_is_announced_once_also_under_a_pair_snooze(service: Service) -> None:
    service.report("i-1", "A", severity="LOW")
    service.run()
    service.add_snooze(title="A", ends_at=None)

    service.report("i-1", "A", severity="CRITICAL", run="run-2")
    alert = run_day(service)

    assert alert
    assert (alert.new, alert.worse) == ({}, {Severity.CRITICAL: 1})
    assert [each.title for each in alert.titles] == ["A"]
    service.report("i-1", "A", severity="CRITICAL", run="run-3")
    assert run_day(service) is None


def test_a_snooze_of_the_whole_node_mutes_also_what_is_worse(service: Service) -> None:
    service.report("i-1", "A", severity="LOW")
    service.run()
    service.add_snooze(title=None, ends_at=None)

    service.report("i-1", "A", severity="CRITICAL", run="run-2")

    assert run_day(service) is None


def test_a_title_with_another_pid_is_the_same_finding(service: Service) -> None:
    service.report_numbered("run-1", ["Process 11 should not run"], ["P"])
    service.run()
    snooze = service.add_snooze(title="Process 11 should not run", ends_at=START + 9 * DAY)

    for number in range(2, 6):
        title = f"Process {number} is expected not to run"
        service.report_numbered(f"run-{number}", [title], ["P"])
        assert run_day(service) is None

    (finding,) = service.findings.all()
    assert finding.first_seen == START
    assert finding.former_ids[0] == snooze.scope.id
    assert list_unchecked(service) == []
    assert service.ledger.channel_state.changes == {EventKind.REWORDED: 4}
    # its snooze mutes it by its first name, and ends for the one that it has now
    service.clock.forward(9 * DAY)
    alert = run_day(service)
    assert alert
    assert [each.title for each in alert.titles] == ["Process 5 is expected not to run"]
    assert get_csv(service) == [
        f"reworded Process {number} is expected not to run" for number in range(2, 6)
    ]


def test_the_fix_of_a_reworded_finding_ends_the_snooze_of_its_former_name(
    service: Service,
) -> None:
    service.report_numbered("run-1", ["A should be B"], ["P"])
    service.run()
    service.add_snooze(title="A should be B", until_resolved=True, ends_at=None)
    service.report_numbered("run-2", ["A is expected to be B"], ["P"])
    run_day(service)

    service.report_numbered("run-3", [], ["P", "A is expected to be B"])
    run_day(service)

    assert service.ledger.snoozes["s-1"].end == service.clock.now


def test_another_file_is_another_finding(service: Service) -> None:
    service.report_numbered("run-1", ["/srv/a should not be writable"], ["P"])
    service.run()

    service.report_numbered("run-2", ["/srv/b should not be writable"], ["P"])
    alert = run_day(service)

    assert alert
    assert [each.title for each in alert.titles] == ["/srv/b should not be writable"]
    assert [(each.kind, each.title.title) for each in alert.vanished] == [
        (EventKind.NOT_FOUND, "/srv/a should not be writable")
    ]


def test_not_checked_is_said_also_if_quiet_answers_are_off() -> None:
    service = Service(quiet_answers=False)
    service.report("i-1", "A", passed=PASSED)
    service.run()
    service.report("i-1", passed=PASSED, run="run-2")

    assert run_day(service)


def test_a_gone_node_takes_what_is_remembered_with_it(service: Service) -> None:
    service.report("i-1", "A", "B", passed=PASSED)
    service.report("i-2", passed=PASSED)
    service.run()
    service.report("i-1", "B", passed=PASSED, run="run-2")
    run_day(service)
    service.compliance.remove("i-1")
    run_day(service)

    run_day(service)

    assert (service.list_titles(), list_unchecked(service)) == ([], [])
    assert list_history(service, "A")[-1] is EventKind.FORGOTTEN
    assert list_history(service, "B")[-1] is EventKind.GONE


def test_a_full_scan_mends_what_is_remembered(service: Service) -> None:
    service.report("i-1", "A", "B", passed=PASSED)
    service.run()
    service.report("i-1", passed=PASSED, run="run-2")
    run_day(service)
    stored = {each.finding.title: each for each in service.unchecked.all()}
    (node,) = service.nodes.all()
    # the ledger lost A; B came back by a backup of the findings table
    lost = stored["A"].finding
    service.unchecked.delete([UncheckedKey(lost.instance_id, lost.finding_id)])
    service.findings.put([stored["B"].finding])
    service.nodes.put([replace(node, severities={})])

    service.run(Options(full=True))

    # B has no proof of a fix either
    assert list_unchecked(service) == ["B"]
    assert find_list_errors(service) == []


def test_a_finding_without_row_and_without_name_is_not_remembered(service: Service) -> None:
    service.report("i-1", "A", passed=PASSED)
    service.run()
    service.findings.delete([each.finding_id for each in service.findings.all()])
    service.titles.expire("A")
    service.report("i-1", passed=PASSED, run="run-2")

    service.run(Options(full=True))

    assert list_unchecked(service) == []
    assert find_list_errors(service) == []


def test_what_a_dead_scan_found_again_is_announced_if_its_snooze_has_ended(
    service: Service,
) -> None:
    service.report("i-1", "A", "B", passed=PASSED)
    service.run()
    service.add_snooze(title="A", ends_at=START + DAY)
    service.report("i-1", passed=PASSED, run="run-2")
    run_day(service)
    run_day(service)
    service.report("i-1", "A", "B", passed=PASSED, run="run-3")
    fuse = Fuse(faults=Faults(failing=Counter({"work.stage": 1})))

    run_until_crash(service, fuse)
    alert = run_day(service)

    assert alert
    assert [each.title for each in alert.snoozes] == ["A"]


def test_the_api_lists_what_is_not_checked_any_more(service: Service) -> None:
    service.report("i-1", "A", "B", passed=PASSED)
    service.report("i-2", "A", passed=PASSED)
    service.run()
    service.report("i-1", "B", passed=PASSED, run="run-2")
    service.report("i-2", passed=PASSED, run="run-2")
    run_day(service)

    first = list_findings(service.inbox, FindingFilter(state="unchecked"), None, 1)
    second = list_findings(service.inbox, FindingFilter(state="unchecked"), first.after, 1)

    rows = [*first.rows, *second.rows]
    assert [each.finding.instance_id for each in rows] == ["i-1", "i-2"]
    assert {each.state for each in rows} == {"unchecked"}
    assert second.after is None
    usual = list_findings(service.inbox, FindingFilter(), None, 9)
    assert [each.finding.title for each in usual.rows] == ["B"]
    assert summarize(service.inbox).unchecked == 2


def test_the_month_counts_what_is_not_checked_apart_and_lists_it_at_its_end(
    service: Service,
) -> None:
    service.report("i-1", "A", "B", passed=PASSED)
    service.run()
    service.report("i-1", "B", passed=PASSED, run="run-2")
    run_day(service)
    service.enqueue_month()
    service.run()

    month = next(each.month for each in service.ledger.sent.values() if each.month)
    assert (month.total, month.unchecked, month.unchecked_nodes) == (1, 1, 1)
    key = next(each for each in service.files.objects if each.startswith("monthly/"))
    assert service.files.objects[key].decode().splitlines() == ["B", "A"]


def test_a_snooze_of_a_node_covers_no_further_ids() -> None:
    snooze = make_snooze(title=None)

    assert follow_pair(snooze, [], []) is snooze
