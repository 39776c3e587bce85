"""The pass, read from outside: what is stored, what is said, what is asked of SSM."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.errors import Conflict, DeliveryError, Unavailable
from chalicelib.domain.job import Job, JobKind
from chalicelib.domain.scan import build_record
from chalicelib.usecases.context import Options
from chalicelib.usecases.ports import MAX_SETTLED_SNOOZES
from chalicelib.usecases.run import run_scans
from chalicelib.usecases.snooze_access import CONFLICT_ATTEMPTS
from tests.fakes import MemoryFindings
from tests.fleet import HOUR, MINUTE, START, TYPE, Service, make_item, make_snooze


@pytest.fixture
def service() -> Service:
    return Service()


class UnreadableSnoozes:
    """A ledger that does not give its snoozes."""

    def unsettled(self) -> tuple[()]:
        raise Unavailable("ledger did not answer")

    def save(self, snooze: object) -> None:
        raise AssertionError(snooze)


def test_the_first_scan_tells_everything_once(service: Service) -> None:
    service.enqueue()
    service.report("i-1", "A", "B")
    service.report("i-2", "A")
    report = service.run()
    assert service.list_titles() == ["A", "A", "B"]
    assert report.announcement.announced == 3
    assert service.messages == ["new: A,B,A"]
    assert len(service.channel.attachments) == 1
    assert service.context.work.open().jobs == ()
    service.run()
    assert len(service.messages) == 1


def test_an_unchanged_node_is_not_listed_again(service: Service) -> None:
    service.report("i-1", "A")
    service.report("i-2", "B")
    service.run()
    service.report("i-2", "B", run="run-2")
    service.run()
    assert service.compliance.reads == ("i-1", "i-2", "i-2")


def test_a_repaired_finding_leaves_the_store_and_a_new_one_is_told(service: Service) -> None:
    service.report("i-1", "A", "B")
    service.run()
    service.clock.forward(HOUR)
    service.report("i-1", "B", "C", run="run-2")
    report = service.run()
    assert service.list_titles("i-1") == ["B", "C"]
    assert report.outcome
    assert report.outcome.fixed == 1
    assert service.messages[-1] == "new: C"


def test_first_seen_and_scan_id_survive_a_changed_severity(service: Service) -> None:
    service.report("i-1", "A", severity="LOW")
    service.run()
    (before,) = service.findings.all()
    service.clock.forward(HOUR)
    service.report("i-1", "A", severity="CRITICAL", run="run-2")
    service.run()
    (after,) = service.findings.all()
    assert (after.first_seen, after.scan_id) == (before.first_seen, before.scan_id)
    assert after.severity == "CRITICAL"
    assert len(service.messages) == 1


def test_nothing_new_answers_an_owed_execution_once(service: Service) -> None:
    service.report("i-1", "A")
    service.run()
    service.clock.forward(MINUTE)
    service.enqueue()
    service.report("i-1", "A", run="run-2")
    service.run()
    service.run()
    assert service.messages == ["new: A", "nothing new: "]


def test_without_a_report_the_answer_waits_half_an_hour_and_is_no_all_clear(
    service: Service,
) -> None:
    service.report("i-1", "A")
    service.run()
    service.clock.forward(MINUTE)
    service.enqueue()
    service.run()
    assert len(service.messages) == 1
    service.clock.forward(30 * MINUTE)
    service.run()
    assert service.messages[1:] == ["no report: "]


def test_quiet_answers_come_at_most_once_an_hour_for_an_association(service: Service) -> None:
    service.report("i-1")
    service.run()
    for minute in range(0, 60, 20):
        service.enqueue()
        service.report("i-1", run=f"run-{minute}")
        service.run()
        service.clock.forward(20 * MINUTE)
    assert service.messages == ["nothing new: "]
    service.enqueue()
    service.report("i-1", run="run-60")
    service.run()
    assert service.messages == ["nothing new: "] * 2
    assert service.context.work.open().jobs == ()


def test_a_few_nodes_of_many_are_answered_with_silence(service: Service) -> None:
    for number in range(5):
        service.report(f"i-{number}")
    service.run()
    service.enqueue(nodes={"Success": 1})
    service.report("i-0", run="run-2")
    service.run()
    assert service.messages == []
    assert service.context.work.open().jobs == ()


def test_quiet_answers_can_be_turned_off(service: Service) -> None:
    service.quiet_answers = False
    service.enqueue()
    service.report("i-1")
    service.run()
    assert service.messages == []
    assert service.context.work.open().jobs == ()


def test_a_doubtful_reading_resolves_nothing_and_is_told_while_it_lasts(
    service: Service,
) -> None:
    service.report("i-1", "A", "B")
    service.run()
    service.report("i-1", "B", "C", run="run-2")
    service.compliance.change_summary("i-1", TYPE, execution_id="run-3")
    report = service.run()
    assert service.list_titles("i-1") == ["A", "B", "C"]
    assert report.outcome
    assert list(report.outcome.coverage.unverified) == ["i-1"]
    (node,) = service.nodes.all()
    assert node.unverified_since == START
    assert node.executions[TYPE.casefold()].execution_id == "run-1"
    service.clock.forward(15 * MINUTE)
    service.run()
    assert service.messages[1:] == ["new: C"]
    service.clock.forward(15 * MINUTE)
    service.run()
    service.run()
    assert service.messages[2:] == ["incomplete: "]
    service.report("i-1", "B", "C", run="run-4")
    service.run()
    assert service.list_titles("i-1") == ["B", "C"]
    assert service.messages[3:] == ["complete again: "]


def test_a_node_that_reports_while_it_is_read_is_no_news(service: Service) -> None:
    service.report("i-1", "A")
    service.run()
    for number in range(48):
        service.clock.forward(30 * MINUTE)
        service.report("i-1", "A", run=f"run-{number}")
        service.compliance.change_summary("i-1", TYPE, execution_id="racing")
        service.run()
        service.clock.forward(15 * MINUTE)
        service.report("i-1", "A", run=f"later-{number}")
        service.run()
    assert service.messages == ["new: A"]


def test_two_passes_that_read_the_same_prove_a_node_whatever_the_summary_counts(
    service: Service,
) -> None:
    service.report("i-1", "A", "B")
    service.run()
    service.report("i-1", "B", run="run-2")
    service.compliance.change_summary("i-1", TYPE, count=7)
    service.run()
    assert service.list_titles("i-1") == ["A", "B"]
    service.run()
    assert service.list_titles("i-1") == ["B"]


def test_a_listing_that_is_cut_short_or_empty_is_never_an_all_clear(service: Service) -> None:
    service.report("i-1", "A", "B")
    service.run()
    service.clock.forward(MINUTE)
    service.enqueue()
    service.report("i-1", run="run-2")
    service.compliance.change_summary("i-1", TYPE, count=3)
    for _ in range(5):
        service.run()
        service.clock.forward(15 * MINUTE)
    assert service.list_titles() == ["A", "B"]
    assert service.messages[1:] == ["incomplete: "]


def test_a_node_where_nothing_was_checked_is_no_proof_of_a_fix(service: Service) -> None:
    service.report("i-1", "A")
    service.run()
    service.clock.forward(MINUTE)
    service.enqueue()
    service.report("i-1", run="run-2", compliant=0)
    service.run()
    assert service.list_titles("i-1") == ["A"]
    assert service.messages[1:] == ["incomplete: "]
    assert service.compliance.reads == ("i-1",)


def test_a_node_that_cannot_be_read_does_not_keep_the_others_from_being_told(
    service: Service,
) -> None:
    service.report("i-1", "A")
    service.report("i-2", "B")
    service.compliance.fail("i-1")
    service.run()
    assert service.messages == ["new: B"]
    service.run()
    assert service.messages == ["new: B", "new: A"]


def test_the_time_being_up_leaves_nodes_for_the_next_pass(service: Service) -> None:
    service.report("i-1", "A")
    report = service.run(minutes=0.75)
    assert report.outcome
    assert report.outcome.coverage.deferred == 1
    assert service.messages == []
    service.clock.forward(30 * MINUTE)
    service.run(minutes=0.75)
    assert service.messages == ["incomplete: "]
    service.run()
    assert service.messages[1:] == ["new: A"]


def test_an_execution_whose_findings_were_announced_in_parts_gets_no_all_clear(
    service: Service,
) -> None:
    service.enqueue()
    service.clock.forward(MINUTE)
    service.report("i-1", "A")
    service.run()
    service.clock.forward(MINUTE)
    service.enqueue("a-2")
    service.ledger.jobs.clear()
    service.context.work.enqueue(
        Job("late", JobKind.EXECUTION, START, service.clock.now, "a-1", "Success", START)
    )
    service.run()
    assert service.messages == ["new: A"]
    assert service.context.work.open().jobs == ()


def test_a_clock_in_the_future_answers_for_nobody(service: Service) -> None:
    service.report("i-1", "A")
    service.run()
    here = service.clock.now
    service.clock.forward(timedelta(days=3650))
    service.report("i-2", run="run-9")
    service.clock.now = here + MINUTE
    service.enqueue()
    service.run()
    service.clock.forward(30 * MINUTE)
    service.run()
    assert service.messages[1:] == ["no report: "]


def test_a_doubtful_node_that_leaves_the_list_is_still_in_doubt(service: Service) -> None:
    service.report("i-1", "A", compliant=0)
    service.report("i-2", "B")
    service.compliance.put("i-1", TYPE, "run-1", START, [], compliant=0)
    service.run()
    service.compliance.remove("i-1")
    report = service.run()
    assert report.outcome
    assert report.outcome.coverage.unverified == {"i-1": "SSM no longer lists the node"}
    assert service.messages == ["new: B"]
    service.clock.forward(HOUR)
    service.run()
    assert service.messages[1:] == ["complete again: "]


def test_items_without_a_title_are_told_whichever_pass_has_read_them(service: Service) -> None:
    service.compliance.put("i-1", TYPE, "run-1", START, [make_item(None)])
    service.run()
    service.enqueue()
    report = service.run()
    assert report.outcome
    assert report.outcome.coverage.untitled == 1


def test_a_new_node_is_known_before_its_first_finding_is_stored(service: Service) -> None:
    service.report("i-1", "A")

    class Torn:
        """A findings table that dies once it has stored what it was given."""

        def __getattr__(self, name: str) -> object:
            return getattr(service.findings, name)

        def put(self, findings: object) -> None:
            service.findings.put(findings)  # type: ignore[arg-type]
            raise Unavailable("the table did not answer")

    context = replace(service.context, findings=Torn())  # type: ignore[arg-type]
    run_scans(context, START + 15 * MINUTE)
    service.compliance.remove("i-1")
    service.report("i-2")
    service.run()
    service.clock.forward(HOUR)
    service.run()
    assert service.list_titles() == []


def test_an_ended_wide_snooze_tells_what_the_index_does_not_show_yet(service: Service) -> None:
    class Lagging(MemoryFindings):
        def page(self, *_: object) -> tuple[()]:
            return ()

    service.findings = Lagging()
    service.ledger.snoozes["s-1"] = make_snooze(title="A", instance_id=None)
    service.report("i-1", "A")
    service.run()
    service.clock.now = START + timedelta(days=1)
    service.run()
    assert service.messages == ["new: A"]


def test_whatever_breaks_in_a_scan_what_is_pending_is_delivered(service: Service) -> None:
    service.report("i-1", "A")
    service.channel.fail_post(DeliveryError("service_unavailable", retryable=True))
    service.run()

    class Broken:
        def summaries(self) -> object:
            raise OverflowError("date value out of range")

        def items(self, *_: object) -> object:
            raise AssertionError

    context = replace(service.context, compliance=Broken())  # type: ignore[arg-type]
    (report,) = run_scans(context, START + 15 * MINUTE)
    assert isinstance(report.failure, OverflowError)
    assert service.messages == ["new: A"]


def test_a_node_missing_for_an_hour_is_resolved_and_its_row_removed(service: Service) -> None:
    service.report("i-1", "A")
    service.report("i-2", "B")
    service.run()
    service.compliance.remove("i-1")
    service.run()
    assert service.list_titles() == ["A", "B"]
    service.clock.forward(HOUR)
    report = service.run()
    assert service.list_titles() == ["B"]
    assert [node.instance_id for node in service.nodes.all()] == ["i-2"]
    assert report.outcome
    assert report.outcome.coverage.gone == 1


def test_a_node_that_comes_back_within_the_hour_is_read_again(service: Service) -> None:
    service.report("i-1", "A")
    service.report("i-2", "B")
    service.run()
    service.compliance.remove("i-1")
    service.run()
    service.clock.forward(HOUR)
    service.report("i-1", "A", "C", run="run-2")
    service.run()
    assert service.list_titles("i-1") == ["A", "C"]
    assert all(node.missing_since is None for node in service.nodes.all())


def test_an_empty_list_brakes_until_a_person_accepts(service: Service) -> None:
    service.report("i-1", "A")
    service.run()
    service.compliance.remove("i-1")
    for _ in range(3):
        service.run()
        service.clock.forward(HOUR)
    assert service.list_titles() == ["A"]
    assert service.messages[1:] == ["incomplete: "]
    service.run(Options(accept_missing=True))
    assert service.list_titles() == []
    assert service.nodes.all() == ()
    assert service.messages[2:] == ["complete again: "]


def test_half_of_a_large_fleet_missing_brakes(service: Service) -> None:
    for number in range(22):
        service.report(f"i-{number}", "A")
    service.run()
    for number in range(11):
        service.compliance.remove(f"i-{number}")
    service.run()
    service.clock.forward(HOUR)
    service.run()
    assert len(service.list_titles()) == 22
    assert service.messages[1:] == ["incomplete: "]


def test_a_snoozed_finding_is_stored_and_not_told(service: Service) -> None:
    service.ledger.snoozes["s-1"] = make_snooze(title="A")
    service.report("i-1", "A", "B")
    report = service.run()
    assert service.list_titles() == ["A", "B"]
    assert service.messages == ["new: B"]
    assert report.announcement.muted == 1


def test_an_ended_snooze_is_told_once_while_its_finding_still_fails(service: Service) -> None:
    service.ledger.snoozes["s-1"] = make_snooze(title="A")
    service.report("i-1", "A")
    service.run()
    assert service.messages == []
    service.clock.now = START + timedelta(days=1)
    service.run()
    service.run()
    assert service.messages == ["new: A"]
    assert service.ledger.snoozes["s-1"].settled_at == service.clock.now


def test_overlapping_snoozes_are_told_when_the_last_one_ends(service: Service) -> None:
    service.ledger.snoozes["s-1"] = make_snooze(title="A")
    service.ledger.snoozes["s-2"] = make_snooze(
        id="s-2", title=None, ends_at=START + timedelta(days=2)
    )
    service.report("i-1", "A")
    service.run()
    service.clock.now = START + timedelta(days=1)
    service.run()
    assert service.messages == []
    service.clock.now = START + timedelta(days=2)
    service.run()
    service.run()
    assert service.messages == ["new: A"]


def test_a_title_wide_snooze_that_ends_is_told_for_every_node(service: Service) -> None:
    service.ledger.snoozes["s-1"] = make_snooze(title="A", instance_id=None)
    service.report("i-1", "A")
    service.report("i-2", "A")
    service.run()
    service.clock.now = START + timedelta(days=1)
    service.run()
    assert service.messages == ["new: A,A"]


def test_a_fix_ends_an_until_resolved_snooze_and_no_other(service: Service) -> None:
    service.ledger.snoozes["s-1"] = make_snooze(title="A", until_resolved=True)
    service.ledger.snoozes["s-2"] = make_snooze(id="s-2", title="B")
    service.report("i-1", "A", "B")
    service.run()
    service.report("i-1", run="run-2")
    service.run()
    service.report("i-1", "A", "B", run="run-3")
    service.run()
    assert service.messages == ["new: A"]


def test_unreadable_snoozes_alert_as_if_there_were_none_and_resolve_nothing(
    service: Service,
) -> None:
    service.ledger.snoozes["s-1"] = make_snooze(title="A", until_resolved=True)
    service.report("i-1", "A")
    service.run()
    service.report("i-1", "B", run="run-2")

    context = replace(service.context, snoozes=UnreadableSnoozes())  # type: ignore[arg-type]
    run_scans(context, service.clock.now + 15 * MINUTE)
    assert service.list_titles() == ["A", "B"]
    assert service.messages == ["new: B"]
    service.run()
    assert service.list_titles() == ["B"]


def test_a_busy_lease_means_no_pass(service: Service) -> None:
    service.report("i-1", "A")
    service.context.lease.acquire("somebody", START, START + HOUR)
    assert run_scans(service.context, START + 15 * MINUTE) == ()
    assert service.messages == []


def test_a_debt_that_came_during_the_pass_gets_a_pass_of_its_own(service: Service) -> None:
    service.report("i-1", "A")

    class Late:
        """Lets an execution become owed while the summaries are read."""

        def __init__(self) -> None:
            self.owed = False

        def summaries(self) -> object:
            if not self.owed:
                self.owed = True
                service.enqueue()
            return service.compliance.summaries()

        def items(self, instance_id: str, types: object) -> object:
            return service.compliance.items(instance_id, types)  # type: ignore[arg-type]

    context = replace(service.context, compliance=Late())  # type: ignore[arg-type]
    reports = run_scans(context, START + 15 * MINUTE)
    assert len(reports) == 2
    assert service.context.work.open().jobs == ()


def test_what_an_unfinished_pass_opened_is_told_by_the_next(service: Service) -> None:
    service.report("i-1", "A")

    class Torn:
        """A ledger that dies before the decision is written."""

        def __getattr__(self, name: str) -> object:
            return getattr(service.context.work, name)

        def stage(self, *_: object) -> None:
            raise Unavailable("ledger did not answer")

    context = replace(service.context, work=Torn())  # type: ignore[arg-type]
    (report,) = run_scans(context, START + 15 * MINUTE)
    assert isinstance(report.failure, Unavailable)
    assert service.list_titles() == ["A"]
    assert service.messages == []
    service.run()
    assert service.messages == ["new: A"]
    service.run()
    assert len(service.messages) == 1


def test_ssm_being_down_does_not_keep_the_monthly_report(service: Service) -> None:
    service.report("i-1", "A")
    service.run()
    service.enqueue_month()

    class Down:
        def summaries(self) -> object:
            raise Unavailable("SSM did not answer")

        def items(self, *_: object) -> object:
            raise AssertionError

    context = replace(service.context, compliance=Down())  # type: ignore[arg-type]
    (report,) = run_scans(context, START + 15 * MINUTE)
    assert isinstance(report.failure, Unavailable)
    assert service.messages[-1] == "monthly: 1"
    assert service.files.objects["monthly/2026/11/non-compliant-2026-11-23.csv"] == b"A"


def test_a_compliance_type_that_is_away_resolves_nothing_for_an_hour(service: Service) -> None:
    service.report("i-1", "A")
    other = [make_item("B", compliance_type="Custom:Other")]
    service.compliance.put("i-1", "Custom:Other", "run-1", START, other)
    service.run()
    service.compliance.remove("i-1")
    service.report("i-1", "A", run="run-2")
    service.run()
    assert service.list_titles() == ["A", "B"]
    service.clock.forward(30 * MINUTE)
    service.run()
    assert service.messages[1:] == ["incomplete: "]
    service.clock.forward(30 * MINUTE)
    service.run()
    assert service.list_titles() == ["A"]
    assert service.messages[2:] == ["complete again: "]


def test_items_without_a_title_are_counted_and_set_aside(service: Service) -> None:
    items = [make_item(None), make_item("  "), make_item("A", item_id=None, severity="DREADFUL")]
    service.compliance.put("i-1", TYPE, "run-1", START, items)
    report = service.run()
    assert report.outcome
    assert report.outcome.coverage.untitled == 2
    (finding,) = service.findings.all()
    assert (finding.severity, finding.control_id) == ("UNSPECIFIED", "")


def test_the_same_title_twice_on_a_node_is_one_finding_of_the_worst_severity(
    service: Service,
) -> None:
    items = [
        make_item("A", severity="LOW"),
        make_item("A", severity="CRITICAL"),
        make_item("A", severity="HIGH"),
    ]
    service.compliance.put("i-1", TYPE, "run-1", START, items)
    service.run()
    (finding,) = service.findings.all()
    assert finding.severity == "CRITICAL"


def test_full_reads_what_the_watermark_says_is_read(service: Service) -> None:
    service.report("i-1", "A")
    service.run()
    (finding,) = service.findings.all()
    service.findings.delete([finding.finding_id])
    service.run()
    assert service.list_titles() == []
    service.run(Options(full=True))
    assert service.list_titles() == ["A"]


def test_history_keeps_what_happened_and_a_repetition_adds_nothing(service: Service) -> None:
    service.report("i-1", "A")
    service.run()
    service.run(Options(full=True))
    service.clock.forward(HOUR)
    service.report("i-1", run="run-2")
    service.run()
    kinds = [event.kind for event in service.context.journal.events]  # type: ignore[attr-defined]
    assert kinds == ["new", "fixed"]


def test_a_snooze_that_changes_while_the_decision_is_written_is_decided_again(
    service: Service,
) -> None:
    service.ledger.snoozes["s-1"] = make_snooze(title="A")
    service.report("i-1", "A")
    service.run()
    service.clock.now = START + timedelta(days=1)

    class Contended:
        """Somebody extends the snooze between the reading and the writing of the decision."""

        extended = False

        def __getattr__(self, name: str) -> object:
            return getattr(service.context.work, name)

        def stage(self, *staged: object) -> None:
            if not self.extended:
                self.extended = True
                longer = START + timedelta(days=2)
                service.ledger.snoozes["s-1"] = make_snooze(title="A", ends_at=longer, version=2)
            service.context.work.stage(*staged)  # type: ignore[arg-type]

    context = replace(service.context, work=Contended())  # type: ignore[arg-type]
    (report,) = run_scans(context, service.clock.now + 15 * MINUTE)
    assert report.failure is None
    assert service.messages == []
    service.clock.now = START + timedelta(days=2)
    service.run()
    assert service.messages == ["new: A"]


def test_a_monthly_report_that_cannot_be_staged_is_reported_and_still_owed(
    service: Service,
) -> None:
    service.enqueue_month()

    class Unreadable:
        def __getattr__(self, name: str) -> object:
            return getattr(service.findings, name)

        def all(self) -> object:
            raise Unavailable("the table did not answer")

    context = replace(service.context, findings=Unreadable())  # type: ignore[arg-type]
    (report,) = run_scans(context, START + 15 * MINUTE)
    assert isinstance(report.failure, Unavailable)
    service.run()
    assert service.messages == ["monthly: 0"]


def test_the_record_of_a_pass_is_kept_for_people(service: Service) -> None:
    service.report("i-1", "A")
    report = service.run()
    (scan,) = service.context.journal.scans  # type: ignore[attr-defined]
    assert report.outcome
    assert scan == build_record(report.outcome, service.clock.now, report.scan_id)


def test_an_unreadable_snooze_store_keeps_gone_nodes_too(service: Service) -> None:
    service.report("i-1", "A")
    service.report("i-2", "B")
    service.run()
    service.compliance.remove("i-1")
    service.run()
    service.clock.forward(HOUR)

    broken = replace(service.context, snoozes=UnreadableSnoozes())  # type: ignore[arg-type]
    run_scans(broken, service.clock.now + 15 * MINUTE)
    assert service.list_titles() == ["A", "B"]
    service.run()
    assert service.list_titles() == ["B"]


def test_many_gone_nodes_wait_for_the_next_pass_when_the_time_is_up(service: Service) -> None:
    for number in range(250):
        service.report(f"i-{number}", "A")
    service.run()
    for number in range(200):
        service.compliance.remove(f"i-{number}")
    report = service.run(Options(accept_missing=True), minutes=0.75)
    assert report.outcome
    assert report.outcome.coverage.gone == 0
    assert len(service.list_titles()) == 250
    report = service.run(Options(accept_missing=True))
    assert report.outcome
    assert report.outcome.coverage.gone == 200
    assert len(service.list_titles()) == 50


def test_a_decision_that_loses_every_time_is_reported_and_made_by_the_next_pass(
    service: Service,
) -> None:
    service.report("i-1", "A")

    class Lost:
        attempts = 0

        def __getattr__(self, name: str) -> object:
            return getattr(service.context.work, name)

        def stage(self, *_: object) -> None:
            self.attempts += 1
            raise Conflict("somebody else wrote first")

    work = Lost()
    (report,) = run_scans(
        replace(service.context, work=work),  # type: ignore[arg-type]
        START + 15 * MINUTE,
    )
    assert isinstance(report.failure, Conflict)
    assert work.attempts == CONFLICT_ATTEMPTS
    service.run()
    assert service.messages == ["new: A"]


def test_more_snoozes_that_end_at_once_than_one_decision_takes_are_announced_in_parts(
    service: Service,
) -> None:
    titles = [f"T{number:02}" for number in range(MAX_SETTLED_SNOOZES + 10)]
    for title in titles:
        service.ledger.snoozes[title] = make_snooze(id=title, title=title)
    service.report("i-1", *titles)
    service.run()
    service.clock.now = START + timedelta(days=1)
    parts = [service.run().announcement.announced for _ in range(3)]
    assert parts == [MAX_SETTLED_SNOOZES, 10, 0]
    assert all(each.settled_at for each in service.ledger.snoozes.values())


def test_a_scan_is_finished_by_the_pass_that_reads_new_reports_to_their_end(
    service: Service,
) -> None:
    service.report("i-1", "A")
    service.report("i-2", compliant=1)
    assert service.run().finished_a_scan


def test_a_pass_that_finds_nothing_changed_finishes_no_scan(service: Service) -> None:
    service.report("i-1", "A")
    service.run()
    assert not service.run().finished_a_scan


def test_a_node_in_doubt_that_is_read_again_by_every_pass_finishes_no_scan(
    service: Service,
) -> None:
    service.report("i-1", compliant=0)
    first = service.run()
    second = service.run()
    assert (first.finished_a_scan, second.finished_a_scan) == (False, False)


def test_a_pass_that_leaves_nodes_to_the_next_finishes_no_scan(service: Service) -> None:
    service.report("i-1", "A")
    service.report("i-2", "B")
    report = service.run()
    assert report.outcome is not None
    coverage = replace(report.outcome.coverage, deferred=1)
    partly = replace(report, outcome=replace(report.outcome, coverage=coverage))
    assert report.finished_a_scan
    assert not partly.finished_a_scan


def test_a_pass_that_could_not_tell_finishes_no_scan(service: Service) -> None:
    service.report("i-1", "A")
    report = service.run()
    assert not replace(report, failure=Unavailable("DynamoDB")).finished_a_scan
    assert not replace(report, outcome=None).finished_a_scan
