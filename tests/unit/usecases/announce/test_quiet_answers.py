"""The reply to an execution that found nothing new, and the executions that get none."""

from datetime import timedelta

import pytest

from chalicelib.domain.scan import Job, JobKind
from tests.fleet import HOUR, MINUTE, START, TYPE, Service, make_item


def test_an_execution_without_new_findings_gets_one_quiet_answer(service: Service) -> None:
    service.report("i-1", "A")
    service.run()

    service.clock.forward(MINUTE)
    service.enqueue(nodes={"Success": 1})
    service.report("i-1", "A", run="run-2")
    service.run()
    service.run()

    assert service.messages == ["new: A", "nothing new: "]


def test_an_execution_without_a_report_is_answered_after_half_an_hour_without_an_all_clear(
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


def test_an_association_gets_at_most_one_quiet_answer_an_hour(service: Service) -> None:
    service.report("i-1")
    service.run()

    for minute in range(0, 60, 20):
        service.enqueue(nodes={"Success": 1})
        service.report("i-1", run=f"run-{minute}")
        service.run()
        service.clock.forward(20 * MINUTE)

    assert service.messages == ["nothing new: "]

    service.enqueue(nodes={"Success": 1})
    service.report("i-1", run="run-60")
    service.run()

    assert service.messages == ["nothing new: "] * 2
    assert service.list_jobs() == ()


def test_quiet_answers_can_be_turned_off(service: Service) -> None:
    service.quiet_answers = False
    service.enqueue()
    service.report("i-1")

    service.run()

    assert service.messages == []
    assert service.list_jobs() == ()


def test_an_execution_that_an_alert_has_answered_gets_no_quiet_answer(service: Service) -> None:
    service.enqueue()
    service.clock.forward(MINUTE)
    service.report("i-1", "A")
    service.run()

    # another event of the execution that the alert has answered
    service.clock.forward(MINUTE)
    service.context.work.enqueue(
        Job("late", JobKind.EXECUTION, START, service.clock.now, "a-1", "Success", START)
    )
    service.run()

    assert service.messages == ["new: A"]
    assert service.list_jobs() == ()


def test_a_node_clock_in_the_future_answers_no_execution_that_begins_after_it_was_seen(
    service: Service,
) -> None:
    ahead = service.clock.now + timedelta(days=3650)
    service.compliance.put("i-1", TYPE, "run-1", ahead, [make_item("A")])
    service.run()
    service.clock.forward(MINUTE)

    service.enqueue()
    service.run()
    service.clock.forward(30 * MINUTE)
    service.run()

    assert service.messages[1:] == ["no report: "]


@pytest.mark.parametrize("wrong", [timedelta(days=3650), timedelta(days=-3650)])
def test_a_node_has_reported_when_its_execution_is_first_seen_whatever_its_clock_says(
    service: Service, wrong: timedelta
) -> None:
    service.compliance.put("i-1", TYPE, "run-1", service.clock.now + wrong, [make_item("A")])
    service.run()
    service.clock.forward(2 * HOUR)
    service.enqueue(nodes={"Success": 1})
    items = [make_item("A", execution="run-2")]
    later = service.clock.now + wrong
    service.compliance.put("i-1", TYPE, "run-2", later, items)

    service.run()

    assert service.messages[1:] == ["nothing new: "]
