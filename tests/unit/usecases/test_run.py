"""A run: one lease, scans until no job waits, and parts that do not stop each other."""

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from chalicelib.domain.errors import Conflict, DeliveryError, Unavailable
from chalicelib.domain.scan import build_record
from chalicelib.usecases.context import Options
from chalicelib.usecases.run import run_scans
from chalicelib.usecases.snooze_access import CONFLICT_ATTEMPTS
from tests.fakes import PassThrough
from tests.fleet import HOUR, MINUTE, START, Service
from tests.unit.usecases.broken_ports import BrokenCompliance


def test_no_scan_runs_while_somebody_else_holds_the_lease(service: Service) -> None:
    service.report("i-1", "A")
    service.context.lease.acquire("somebody", START, START + HOUR)

    assert run_scans(service.context, START + 15 * MINUTE) == ()
    assert service.messages == []


def test_a_job_that_arrives_during_a_scan_gets_a_scan_of_its_own(service: Service) -> None:
    class EnqueuesJob(PassThrough):
        """Another invocation has an execution while the fleet is listed for the first time."""

        enqueued = False

        def summaries(self) -> Any:
            if not self.enqueued:
                self.enqueued = True
                service.enqueue()
                assert run_scans(service.context, START + 15 * MINUTE) == ()
            return self.port.summaries()

    service.report("i-1", "A")
    context = replace(service.context, compliance=EnqueuesJob(service.compliance))

    reports = run_scans(context, START + 15 * MINUTE)

    assert len(reports) == 2
    assert service.list_jobs() == ()


def test_options_act_only_in_the_first_scan_of_an_invocation(service: Service) -> None:
    class Wanted(PassThrough):
        """Another invocation wants the lease during the first scan, and a node leaves after it."""

        lists = 0

        def summaries(self) -> Any:
            self.lists += 1
            if self.lists == 1:
                assert run_scans(service.context, START + 15 * MINUTE) == ()
            else:
                service.compliance.remove("i-2")
            return self.port.summaries()

    service.report("i-1", "A")
    service.report("i-2", "B")
    service.run()
    compliance: Any = Wanted(service.compliance)
    context = replace(service.context, compliance=compliance)
    options = Options(full=True, accept_missing=True)

    reports = run_scans(context, START + 15 * MINUTE, options)

    read = [report.outcome.coverage.read for report in reports if report.outcome]
    assert read == [2, 0]
    assert service.list_titles() == ["A", "B"]


def test_the_lease_outlives_the_deadline_by_half_a_minute(service: Service) -> None:
    class Looks(PassThrough):
        def summaries(self) -> Any:
            ends.append(service.ledger.lease)
            return self.port.summaries()

    ends: list[Any] = []

    service.run(minutes=15, compliance=Looks(service.compliance))

    assert [until for _, until in ends] == [START + 15 * MINUTE + timedelta(seconds=30)]


def test_pending_messages_are_delivered_even_if_the_scan_fails(service: Service) -> None:
    service.report("i-1", "A")
    service.channel.fail_post(DeliveryError("service_unavailable", retryable=True))
    service.run()

    report = service.run(compliance=BrokenCompliance(OverflowError("date value out of range")))

    assert isinstance(report.failure, OverflowError)
    assert service.messages == ["new: A"]


def test_findings_of_a_scan_that_failed_to_announce_are_announced_by_the_next(
    service: Service,
) -> None:
    class FailsToStage(PassThrough):
        def stage(self, *_: object) -> None:
            raise Unavailable("the ledger did not answer")

    service.report("i-1", "A")

    report = service.run(work=FailsToStage(service.context.work))

    assert isinstance(report.failure, Unavailable)
    assert service.list_titles() == ["A"]
    assert service.messages == []

    service.run()
    service.run()

    assert service.messages == ["new: A"]


def test_a_decision_that_always_conflicts_is_reported_and_repeated_by_the_next_scan(
    service: Service,
) -> None:
    class AlwaysConflicts(PassThrough):
        attempts = 0

        def stage(self, *_: object) -> None:
            self.attempts += 1
            raise Conflict("another writer was first")

    service.report("i-1", "A")
    work = AlwaysConflicts(service.context.work)

    report = service.run(work=work)

    assert isinstance(report.failure, Conflict)
    assert work.attempts == CONFLICT_ATTEMPTS

    service.run()

    assert service.messages == ["new: A"]


def test_each_scan_leaves_a_record(service: Service) -> None:
    service.report("i-1", "A")

    report = service.run()

    assert report.outcome is not None
    (record,) = service.journal.scans
    assert record == build_record(report.outcome, service.clock.now, report.scan_id)


def test_a_scan_that_verifies_every_node_is_finished(service: Service) -> None:
    service.report("i-1", "A")
    service.report("i-2", compliant=1)

    assert service.run().finished_a_scan


def test_a_scan_of_an_unchanged_fleet_is_not_finished(service: Service) -> None:
    service.report("i-1", "A")
    service.run()

    assert not service.run().finished_a_scan


def test_a_scan_of_less_than_half_of_the_fleet_is_not_finished(service: Service) -> None:
    """Without an execution its targets are not known."""
    for node in ("i-1", "i-2", "i-3"):
        service.report(node)
    service.run()
    service.report("i-1", run="run-2")

    assert not service.run().finished_a_scan


def test_a_scan_is_finished_if_half_of_the_targets_reported_whoever_read_them(
    service: Service,
) -> None:
    for node in ("i-1", "i-2", "i-3"):
        service.report(node)
    service.run()
    service.enqueue("a-1", nodes={"Success": 1, "Failed": 1})
    service.enqueue("a-2", nodes={"Success": 1, "Failed": 6})

    report = service.run()

    assert report.finished_a_scan
    assert report.targets_reported == 14


def test_a_scan_of_targets_that_are_all_unverified_is_not_finished(service: Service) -> None:
    service.report("i-1", compliant=0)
    service.enqueue(nodes={"Success": 1})

    report = service.run()

    assert not report.finished_a_scan
    assert report.targets_reported == 100


def test_without_a_number_of_targets_there_is_no_share_of_them(service: Service) -> None:
    service.report("i-1")
    service.enqueue()
    report = service.run()

    assert report.finished_a_scan
    assert report.targets_reported is None
    assert service.run().targets_reported is None


def test_a_scan_that_only_reads_an_unverified_node_is_not_finished(service: Service) -> None:
    service.report("i-1", compliant=0)

    first = service.run()
    second = service.run()

    assert (first.finished_a_scan, second.finished_a_scan) == (False, False)


def test_a_scan_that_defers_nodes_is_not_finished(service: Service) -> None:
    service.report("i-1", "A")
    service.report("i-2", "B")
    report = service.run()
    assert report.outcome is not None

    coverage = replace(report.outcome.coverage, deferred=1)
    partial = replace(report, outcome=replace(report.outcome, coverage=coverage))

    assert report.finished_a_scan
    assert not partial.finished_a_scan


def test_a_scan_with_a_failure_or_without_an_outcome_is_not_finished(service: Service) -> None:
    service.report("i-1", "A")
    report = service.run()

    assert not replace(report, failure=Unavailable("DynamoDB")).finished_a_scan
    assert not replace(report, outcome=None).finished_a_scan
