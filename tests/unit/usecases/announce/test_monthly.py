"""The monthly report: staged once a month, apart from what scans announce."""

from collections.abc import Iterable

import pytest

from chalicelib.domain.errors import DeliveryError, Unavailable
from chalicelib.domain.finding import Finding, finding_id
from tests.fakes import MemorySorter, PassThrough
from tests.fleet import FILE, POST, STORE, Service, kind_of
from tests.unit.usecases.broken_ports import BrokenCompliance

DOWN = DeliveryError("service_unavailable", retryable=True)
KEY = "monthly/2026/11/non-compliant-2026-11-23.csv"


@pytest.fixture
def service() -> Service:
    """A service whose only node has one finding that no scan has read."""
    service = Service()
    service.report("i-1", "A")
    return service


def test_the_monthly_report_is_posted_while_ssm_is_down(service: Service) -> None:
    service.run()
    service.enqueue_month()

    report = service.run(compliance=BrokenCompliance(Unavailable("SSM did not answer")))

    assert isinstance(report.failure, Unavailable)
    assert service.messages[-1] == "monthly: 1"
    assert service.files.objects[KEY] == b"A"


def test_a_monthly_report_that_cannot_be_staged_stays_enqueued(service: Service) -> None:
    class UnreadableTable(PassThrough):
        def all(self) -> object:
            raise Unavailable("the table did not answer")

    service.compliance.remove("i-1")
    service.enqueue_month()

    report = service.run(findings=UnreadableTable(service.findings))

    assert isinstance(report.failure, Unavailable)

    service.run()

    assert service.messages == ["monthly: 0"]


def test_slack_and_s3_do_not_stop_each_other(service: Service) -> None:
    service.run()
    service.enqueue_month()
    service.channel.fail_attach(DOWN)
    service.files.fail(DOWN)

    report = service.run()

    assert [kind_of(each) for each in report.undelivered] == [STORE, FILE]
    assert service.messages[-1] == "monthly: 1"

    service.run()

    assert KEY in service.files.objects
    assert service.messages == ["new: A", "monthly: 1"]
    assert service.channel.attachments[-1].name == "non-compliant-2026-11-23.csv"


def test_a_month_that_is_enqueued_again_keeps_its_first_file(service: Service) -> None:
    service.enqueue_month()
    service.run()
    stored = service.files.objects[KEY]
    service.ledger.completed.clear()
    service.report("i-1", "A", "B", run="run-2")
    service.enqueue_month()

    report = service.run()

    assert report.failure is None
    assert service.files.objects[KEY] == stored
    assert service.list_jobs() == ()


def test_an_alert_does_not_wait_for_a_slow_month(service: Service) -> None:
    posted_before: list[str] = []

    class SlowSorter:
        def worst_first(self, findings: Iterable[Finding]) -> Iterable[Finding]:
            posted_before.extend(service.messages)
            return MemorySorter().worst_first(findings)

    service.enqueue_month()

    service.run(sorter=SlowSorter())

    assert posted_before == ["new: A"]
    assert service.messages == ["new: A", "monthly: 1"]


def test_while_the_channel_is_down_a_month_is_stored_and_its_post_is_not_tried(
    service: Service,
) -> None:
    service.enqueue_month()
    service.channel.fail_post(DOWN)

    report = service.run()

    assert [kind_of(each) for each in report.undelivered] == [POST]
    assert len(service.files.objects) == 2
    assert service.messages == []

    service.run()

    assert service.messages == ["new: A", "monthly: 1"]


def test_a_month_notices_that_the_findings_table_is_not_what_the_nodes_list() -> None:
    service = Service()
    service.report("i-1", "A", "B")
    service.run()
    service.findings.delete([finding_id("i-1", "A")])
    service.enqueue_month()

    assert service.run().monthly.differing == 1
