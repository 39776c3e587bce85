"""Several events of one execution: the latest counts, and a worse one is answered at once."""

from typing import TYPE_CHECKING, Any

import pytest

from tests.fakes import PassThrough
from tests.fleet import MINUTE, Service

if TYPE_CHECKING:
    from chalicelib.domain.message import Message

SUCCESS = {"Success": 3}
FAILURE = {"Success": 1, "Failed": 2}


@pytest.fixture
def service() -> Service:
    """A service with three nodes that report for the execution that has just begun."""
    service = Service()
    for number in range(3):
        service.report(f"i-{number}")
    return service


def list_answers(service: Service) -> list[tuple[int, int]]:
    """Lists the messages: how many nodes succeeded, of how many."""
    sent: list[Message] = sorted(service.ledger.sent.values(), key=lambda each: each.created_at)
    jobs = [each.alert.jobs[0] for each in sent if each.alert]
    return [(job.succeeded, job.targets) for job in jobs]


def test_the_later_event_of_an_execution_that_waits_is_answered(service: Service) -> None:
    service.enqueue(nodes=SUCCESS)
    service.enqueue(nodes=FAILURE, status="Failed", later=MINUTE)
    service.run()

    assert list_answers(service) == [(1, 3)]


@pytest.mark.parametrize("times", [1, 2])
def test_an_answer_that_a_later_event_makes_wrong_is_given_again_at_once(
    service: Service, times: int
) -> None:
    service.enqueue(nodes=SUCCESS)
    service.run()
    service.clock.forward(MINUTE)
    for _ in range(times):
        service.enqueue(nodes=FAILURE, status="Failed", ago=MINUTE, later=MINUTE)
    service.run()
    service.run()

    assert list_answers(service) == [(3, 3), (1, 3)]
    assert service.list_jobs() == ()


def test_events_in_the_wrong_order_are_answered_once(service: Service) -> None:
    service.enqueue(nodes=FAILURE, status="Failed", later=MINUTE)
    service.run()
    service.clock.forward(MINUTE)
    service.enqueue(nodes=SUCCESS, ago=MINUTE)
    service.run()

    assert list_answers(service) == [(1, 3)]


def test_an_event_that_comes_while_its_execution_is_answered_is_in_the_answer(
    service: Service,
) -> None:
    class EventArrives(PassThrough):
        """Other events arrive before the decision is written."""

        arrived = False

        def stage(self, *decision: Any) -> None:
            if not self.arrived:
                self.arrived = True
                service.enqueue(nodes=FAILURE, status="Failed", later=MINUTE)
                service.enqueue("a-2", nodes=SUCCESS)
            self.port.stage(*decision)

    service.enqueue(nodes=SUCCESS)

    report = service.run(work=EventArrives(service.context.work))

    assert report.failure is None
    assert list_answers(service) == [(1, 3)]
    assert [job.association_id for job in service.list_jobs()] == ["a-2"]
