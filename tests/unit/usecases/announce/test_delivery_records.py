"""The record of a delivery step, also while the ledger does not take it."""

import pytest

from chalicelib.domain.errors import DeliveryError, Unavailable
from chalicelib.domain.message import Message
from tests.fakes import PassThrough
from tests.fleet import FILE, MINUTE, POST, Service, kind_of

DOWN = DeliveryError("service_unavailable", retryable=True)


class FailsToRecord(PassThrough):
    """The ledger of a service. It refuses to record `times` steps."""

    def __init__(self, service: Service, times: int) -> None:
        super().__init__(service.context.work)
        self._times = times

    def record(self, *step: object) -> None:
        """Records a step or raises `Unavailable`."""
        if self._times > 0:
            self._times -= 1
            raise Unavailable("the ledger did not answer")
        self.port.record(*step)


@pytest.fixture
def service() -> Service:
    """A service whose only node has one finding that no scan has read."""
    service = Service()
    service.report("i-1", "A")
    return service


def test_a_post_that_is_not_recorded_at_once_is_recorded_before_the_scan_ends(
    service: Service,
) -> None:
    report = service.run(work=FailsToRecord(service, times=1))

    assert [(kind_of(each), bool(each.error)) for each in report.deliveries] == [
        (POST, True),
        (POST, False),
    ]

    service.run()

    assert (service.messages, len(service.channel.attachments)) == (["new: A"], 1)


def test_while_the_ledger_records_nothing_no_further_message_is_posted(service: Service) -> None:
    service.channel.fail_post(DOWN)
    service.run()
    service.clock.forward(MINUTE)
    service.report("i-1", "A", "B", run="run-2")

    service.run(work=FailsToRecord(service, times=1))

    assert service.messages == ["new: A"]

    service.run()

    assert service.messages == ["new: A", "new: B"]


def test_a_step_that_is_never_recorded_stays_pending_and_is_repeated(service: Service) -> None:
    report = service.run(work=FailsToRecord(service, times=99))

    assert {type(each.error) for each in report.undelivered} == {Unavailable}
    assert len(report.pending) == 1

    service.run()

    assert service.messages == ["new: A", "new: A"]


def test_a_file_that_is_not_recorded_stops_later_posts_of_this_scan(service: Service) -> None:
    class FailsOnFiles(PassThrough):
        def record(self, message: Message, *now: object) -> None:
            if any(step.startswith(FILE) for step in message.done):
                raise Unavailable("the ledger did not answer")
            self.port.record(message, *now)

    service.enqueue_month()

    service.run(work=FailsOnFiles(service.context.work))

    assert service.messages == ["new: A"]

    service.run()

    assert service.messages == ["new: A", "monthly: 1"]
