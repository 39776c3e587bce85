"""An all-clear speaks for all targets of its execution. Any other answer says what was covered."""

from datetime import datetime, timedelta
from threading import Event

import pytest

from chalicelib.domain.announcement import Topic
from chalicelib.domain.errors import Forbidden, Unavailable
from chalicelib.domain.scan import Job, JobKind, Targets
from chalicelib.domain.summary import AlertSummary, NamedNodes
from chalicelib.usecases.run import ScanReport
from chalicelib.usecases.scan.read import read_targets
from tests.fakes import MemoryExecutions
from tests.fleet import DAY, HOUR, MINUTE, Service

SUCCESS, FAILED, RUNNING = "Success", "Failed", "InProgress"
LINUX = [f"i-linux{number}" for number in range(6)]
WINDOWS = [f"i-windows{number}" for number in range(4)]


def report_all(service: Service, *nodes: str) -> None:
    """Lets nodes report nothing non-compliant, each in a run of its own."""
    for node in nodes:
        service.report(node, run=f"run-{service.clock.now}")


def all_succeed(*nodes: str) -> dict[str, str]:
    return dict.fromkeys(nodes, SUCCESS)


def get_alert(report: ScanReport) -> AlertSummary:
    assert report.announcement.message is not None
    assert report.announcement.message.alert is not None
    return report.announcement.message.alert


def summarize(report: ScanReport) -> tuple[Topic, int, int]:
    """Returns the topic of the scan's message, the targets with a result, and all of them."""
    alert = get_alert(report)
    return alert.topic, alert.reported, alert.targets


def send_later_event(service: Service, job: Job, **nodes: int) -> None:
    """Enqueues a later event of the same execution, with other counts."""
    now = service.clock.now
    later = Job(
        key=f"{job.key}#{now}",
        kind=JobKind.EXECUTION,
        event_at=now,
        enqueued_at=now,
        association_id=job.association_id,
        status="Failed",
        executed_at=job.executed_at,
        nodes=nodes,
    )
    service.context.work.enqueue(later)


# what an answer says


def test_an_execution_whose_every_target_reported_is_an_all_clear(service: Service) -> None:
    service.enqueue(targets=all_succeed("i-1", "i-2"))
    report_all(service, "i-1", "i-2")

    assert summarize(service.run()) == (Topic.NOTHING_NEW, 2, 2)


def test_a_target_that_failed_and_never_reported_is_counted(service: Service) -> None:
    service.enqueue(nodes={SUCCESS: 2, FAILED: 1})
    report_all(service, "i-1", "i-2")

    assert summarize(service.run()) == (Topic.PARTLY_CHECKED, 2, 3)


def test_one_of_forty_known_nodes_that_reported_is_no_all_clear(service: Service) -> None:
    nodes = [f"i-{number}" for number in range(40)]
    report_all(service, *nodes)
    service.run()
    service.clock.forward(DAY)
    service.enqueue(nodes={SUCCESS: 1, FAILED: 39})
    report_all(service, "i-0")

    report = service.run()

    assert summarize(report) == (Topic.PARTLY_CHECKED, 1, 40)
    assert not report.finished_a_scan
    assert report.targets_reported == 2


def test_targets_that_gave_no_result_are_named_where_ssm_lists_them(service: Service) -> None:
    service.enqueue(targets={**all_succeed("i-1", "i-2"), "i-3": FAILED, "i-4": "TimedOut"})
    report_all(service, "i-1", "i-2")

    alert = get_alert(service.run())

    assert (alert.topic, alert.reported, alert.targets) == (Topic.PARTLY_CHECKED, 2, 4)
    assert alert.without_result == NamedNodes(2, ("i-3", "i-4"))


def test_an_execution_that_failed_everywhere_is_not_answered_by_reports_of_another(
    service: Service,
) -> None:
    service.enqueue("a-1", nodes={FAILED: 2}, targets={"i-1": FAILED, "i-2": FAILED})
    report_all(service, "i-1", "i-2", "i-3")

    listed = service.run()
    service.clock.forward(2 * HOUR)
    service.enqueue("a-2", nodes={FAILED: 2})
    report_all(service, "i-1", "i-2", "i-3")
    counted = service.run()

    assert summarize(listed) == (Topic.NO_REPORT, 0, 2)
    assert summarize(counted) == (Topic.NO_REPORT, 0, 2)


def test_a_node_of_another_association_does_not_stand_in_for_a_silent_target(
    service: Service,
) -> None:
    service.enqueue(targets=all_succeed("i-1", "i-2"))
    report_all(service, "i-1", "i-9")

    assert service.run().announcement.message is None
    service.clock.forward(30 * MINUTE)
    assert summarize(service.run()) == (Topic.PARTLY_CHECKED, 1, 2)


@pytest.mark.parametrize("targets", [all_succeed("i-1", "i-2"), None])
def test_a_target_on_which_few_of_its_usual_checks_ran_gave_no_result(
    service: Service, targets: dict[str, str] | None
) -> None:
    for node in ("i-1", "i-2"):
        service.report(node, compliant=40)
    service.run()
    service.clock.forward(DAY)
    service.enqueue(nodes={SUCCESS: 2}, targets=targets)
    service.report("i-1", compliant=40, run="run-2")
    service.report("i-2", compliant=1, run="run-2")

    alert = get_alert(service.run())

    assert (alert.topic, alert.reported, alert.targets) == (Topic.PARTLY_CHECKED, 1, 2)
    assert alert.coverage.partial == NamedNodes(1, ("i-2",))


def test_without_any_count_only_the_nodes_that_reported_are_counted(service: Service) -> None:
    service.enqueue()
    report_all(service, "i-1", "i-2")

    assert summarize(service.run()) == (Topic.PARTLY_CHECKED, 2, 0)


def test_more_reports_than_a_count_has_targets_are_an_all_clear(service: Service) -> None:
    """Whose nodes reported is not known: a count has no names."""
    service.enqueue(nodes={SUCCESS: 2})
    report_all(service, "i-1", "i-2", "i-3")

    assert summarize(service.run()) == (Topic.NOTHING_NEW, 2, 2)


def test_a_count_of_no_nodes_is_no_all_clear(service: Service) -> None:
    service.enqueue(nodes={SUCCESS: 0})
    report_all(service, "i-1")

    assert summarize(service.run()) == (Topic.PARTLY_CHECKED, 1, 0)


def test_the_targets_that_ssm_lists_count_and_not_the_event(service: Service) -> None:
    service.enqueue(nodes={SUCCESS: 200}, targets=all_succeed("i-1"))
    report_all(service, "i-1")

    assert summarize(service.run()) == (Topic.NOTHING_NEW, 1, 1)


def test_an_association_that_may_not_be_asked_is_answered_by_its_count(service: Service) -> None:
    error = Forbidden("SSM refuses")
    service.executions.fail(error)
    service.enqueue(nodes={SUCCESS: 2, FAILED: 1}, targets=all_succeed("i-1", "i-2", "i-3"))
    report_all(service, "i-1", "i-2", "i-3")

    report = service.run()

    assert summarize(report) == (Topic.PARTLY_CHECKED, 2, 3)
    assert report.target_errors == (error,)
    assert report.failure is None


def test_one_association_that_fails_does_not_keep_the_others_from_being_asked(
    service: Service,
) -> None:
    service.executions.fail(Unavailable("SSM did not answer"))
    service.enqueue("a-1", nodes={SUCCESS: 1})
    service.enqueue("a-2", targets={"i-2": FAILED, "i-1": SUCCESS})
    report_all(service, "i-1")

    alert = get_alert(service.run())

    assert alert.without_result == NamedNodes(1, ("i-2",))


def test_targets_that_take_too_long_are_not_waited_for(service: Service) -> None:
    class Hanging(MemoryExecutions):
        def targets(self, association_id: str, began: datetime) -> Targets | None:
            released.wait(60)
            return super().targets(association_id, began)

    released = Event()
    jobs = [service.enqueue("a-1"), service.enqueue("a-2")]

    reading = read_targets(Hanging(), jobs, patience=timedelta(milliseconds=50))
    released.set()

    assert reading.by_job == {}
    assert [str(each) for each in reading.errors] == [
        "SSM did not list the targets of an execution in time"
    ] * 2


# when an execution is answered


def test_an_execution_that_still_runs_is_answered_when_its_targets_have_ended(
    service: Service,
) -> None:
    job = service.enqueue(targets={"i-1": SUCCESS, "i-2": RUNNING})
    report_all(service, "i-1")
    assert service.run().announcement.message is None

    service.clock.forward(10 * MINUTE)
    assert job.executed_at is not None
    service.executions.put("a-1", job.executed_at, [("i-1", SUCCESS), ("i-2", SUCCESS)])
    report_all(service, "i-2")

    assert summarize(service.run()) == (Topic.NOTHING_NEW, 2, 2)
    assert service.executions.asked == ["a-1", "a-1"]


def test_an_execution_that_never_ends_is_answered_after_half_an_hour(service: Service) -> None:
    service.enqueue(targets={"i-1": SUCCESS, "i-2": RUNNING})
    report_all(service, "i-1")
    service.run()

    service.clock.forward(30 * MINUTE)

    assert summarize(service.run()) == (Topic.PARTLY_CHECKED, 1, 2)
    assert service.list_jobs() == ()


def test_an_execution_that_may_get_further_targets_is_no_all_clear(service: Service) -> None:
    job = service.enqueue()
    assert job.executed_at is not None
    service.executions.put("a-1", job.executed_at, [("i-1", SUCCESS)], status="InProgress")
    report_all(service, "i-1")
    assert service.run().announcement.message is None

    service.clock.forward(30 * MINUTE)

    assert get_alert(service.run()).topic is Topic.PARTLY_CHECKED


def test_a_count_with_nodes_that_still_run_waits(service: Service) -> None:
    service.enqueue(nodes={SUCCESS: 1, "Pending": 1})
    report_all(service, "i-1")
    assert service.run().announcement.message is None

    service.clock.forward(30 * MINUTE)

    assert summarize(service.run()) == (Topic.PARTLY_CHECKED, 1, 2)


def test_an_execution_is_asked_for_once_if_two_events_of_it_wait(service: Service) -> None:
    job = service.enqueue(targets={"i-1": FAILED})
    send_later_event(service, job, Failed=1)

    service.run()

    assert service.executions.asked == ["a-1"]


def test_a_scan_without_an_execution_asks_for_nothing(service: Service) -> None:
    report_all(service, "i-1")
    service.enqueue_month()

    service.run()

    assert service.executions.asked == []


# an all-clear that does not hold


def test_a_later_event_that_takes_an_all_clear_back_is_told_at_once(service: Service) -> None:
    job = service.enqueue(nodes={SUCCESS: 2})
    report_all(service, "i-1", "i-2")
    assert get_alert(service.run()).topic is Topic.NOTHING_NEW

    service.clock.forward(MINUTE)
    send_later_event(service, job, Success=1, Failed=1)
    taken_back = service.run()
    service.clock.forward(MINUTE)
    send_later_event(service, job, Success=1, Failed=1)
    again = service.run()

    assert summarize(taken_back) == (Topic.PARTLY_CHECKED, 1, 2)
    assert again.announcement.message is None


def test_an_alert_since_then_does_not_hide_that_an_all_clear_is_taken_back(
    service: Service,
) -> None:
    job = service.enqueue(nodes={SUCCESS: 2})
    report_all(service, "i-1", "i-2")
    service.run()
    service.clock.forward(MINUTE)
    service.report("i-3", "A")
    assert get_alert(service.run()).topic is Topic.NEW

    send_later_event(service, job, Success=1, Failed=1)

    assert summarize(service.run()) == (Topic.PARTLY_CHECKED, 1, 2)


def test_an_all_clear_of_a_small_execution_is_taken_back_as_well(service: Service) -> None:
    service.enqueue(nodes={SUCCESS: 3})
    report_all(service, "i-1", "i-2", "i-3")
    service.run()
    service.clock.forward(25 * HOUR)
    small = service.enqueue(nodes={SUCCESS: 1})
    report_all(service, "i-1")
    assert get_alert(service.run()).topic is Topic.NOTHING_NEW

    service.clock.forward(MINUTE)
    send_later_event(service, small, Failed=1)

    assert summarize(service.run()) == (Topic.NO_REPORT, 0, 1)


def test_an_execution_that_fails_soon_after_an_all_clear_is_told_at_once(
    service: Service,
) -> None:
    service.enqueue(nodes={SUCCESS: 2})
    report_all(service, "i-1", "i-2")
    service.run()
    service.clock.forward(20 * MINUTE)

    service.enqueue(nodes={FAILED: 2})

    assert summarize(service.run()) == (Topic.NO_REPORT, 0, 2)


# every association


def test_small_and_large_associations_are_each_answered_every_day(service: Service) -> None:
    report_all(service, *LINUX, *WINDOWS)
    service.run()
    answers = []

    for _ in range(3):
        service.clock.forward(DAY)
        for association, nodes in (("linux", LINUX), ("windows", WINDOWS)):
            service.clock.forward(MINUTE)
            service.enqueue(association, nodes={SUCCESS: len(nodes)})
            report_all(service, *nodes)
            answers.append(summarize(service.run()))

    assert answers == [(Topic.NOTHING_NEW, 6, 6), (Topic.NOTHING_NEW, 4, 4)] * 3


def test_several_associations_share_one_message_that_speaks_for_all_their_targets(
    service: Service,
) -> None:
    service.enqueue("linux", targets=all_succeed(*LINUX))
    service.enqueue("windows", targets=dict.fromkeys(WINDOWS, FAILED))
    report_all(service, *LINUX)

    alert = get_alert(service.run())

    assert (alert.topic, alert.reported, alert.targets) == (Topic.PARTLY_CHECKED, 6, 10)
    assert alert.without_result.names == tuple(WINDOWS)
    assert alert.job_count == 2


def test_several_associations_are_an_all_clear_together_only_if_each_is(service: Service) -> None:
    service.enqueue("linux", nodes={SUCCESS: 6})
    service.enqueue("windows", nodes={SUCCESS: 1, FAILED: 3})
    report_all(service, *LINUX, WINDOWS[0])

    assert summarize(service.run()) == (Topic.PARTLY_CHECKED, 1, 4)


def test_a_node_that_comes_online_gets_no_answer_of_its_own(service: Service) -> None:
    nodes = [f"i-{number}" for number in range(200)]
    service.enqueue(targets=all_succeed(*nodes))
    report_all(service, *nodes)
    service.run()

    service.clock.forward(2 * HOUR)
    service.enqueue(nodes={SUCCESS: 200}, targets=all_succeed("i-7"))
    report_all(service, "i-7")
    report = service.run()

    assert report.announcement.message is None
    assert service.list_jobs() == ()
    assert not report.finished_a_scan


def test_an_association_that_was_not_answered_for_a_day_gets_an_answer_of_a_few_nodes(
    service: Service,
) -> None:
    service.enqueue(nodes={SUCCESS: 3})
    report_all(service, "i-1", "i-2", "i-3")
    service.run()

    service.clock.forward(24 * HOUR)
    service.enqueue(nodes={SUCCESS: 1})
    report_all(service, "i-1")

    assert summarize(service.run()) == (Topic.NOTHING_NEW, 1, 1)


def test_an_alert_counts_as_an_answer_of_the_association(service: Service) -> None:
    service.enqueue(nodes={SUCCESS: 3})
    for node in ("i-1", "i-2", "i-3"):
        service.report(node, "A")
    service.run()

    service.clock.forward(2 * HOUR)
    service.enqueue(nodes={SUCCESS: 1})
    service.report("i-1", "A", run="run-2")

    assert service.run().announcement.message is None


def test_so_does_an_alert_that_came_before_the_event(service: Service) -> None:
    service.clock.forward(MINUTE)
    service.report("i-1", "A")
    report_all(service, "i-2", "i-3")
    service.run()
    service.enqueue(nodes={SUCCESS: 3}, ago=MINUTE)
    assert service.run().announcement.reason == "an alert was sent since the execution began"

    service.clock.forward(2 * HOUR)
    service.enqueue(nodes={SUCCESS: 1})
    report_all(service, "i-2")

    assert service.run().announcement.message is None


def test_an_execution_is_small_by_the_largest_one_of_seven_days(service: Service) -> None:
    nodes = [f"i-{number}" for number in range(10)]
    answered = []

    for hours, size in ((0, 10), (25, 5), (160, 5), (2, 3), (26, 1)):
        service.clock.forward(hours * HOUR)
        service.enqueue(nodes={SUCCESS: size})
        report_all(service, *nodes[:size])
        answered.append(service.run().announcement.message is not None)

    # the ten are forgotten by then, and three is half of five; one is not, but a day has passed
    assert answered == [True, True, True, True, True]
    service.clock.forward(2 * HOUR)
    service.enqueue(nodes={SUCCESS: 2})
    report_all(service, *nodes[:2])
    assert service.run().announcement.message is None


# fixes


def test_a_fix_within_the_hour_is_told_at_once(service: Service) -> None:
    service.report("i-1", "A")
    service.enqueue(nodes={SUCCESS: 1})
    service.run()
    service.clock.forward(10 * MINUTE)
    service.enqueue(nodes={SUCCESS: 1})
    service.report("i-1", "A", run="run-2")
    service.run()

    service.clock.forward(10 * MINUTE)
    service.enqueue(nodes={SUCCESS: 1})
    service.report("i-1", run="run-3")
    alert = get_alert(service.run())

    assert (alert.topic, alert.fixed) == (Topic.NOTHING_NEW, 1)


def test_a_fix_that_reconcile_read_first_is_in_the_answer(service: Service) -> None:
    service.report("i-1", "A")
    service.run()
    service.clock.forward(DAY)
    began = service.clock.now
    service.report("i-1", run="run-2")
    assert service.run().announcement.message is None

    service.clock.forward(MINUTE)
    service.enqueue(nodes={SUCCESS: 1}, ago=service.clock.now - began)
    alert = get_alert(service.run())

    assert (alert.topic, alert.fixed) == (Topic.NOTHING_NEW, 1)


def test_the_fix_of_a_few_nodes_is_in_the_next_message(service: Service) -> None:
    nodes = [f"i-{number}" for number in range(10)]
    service.report("i-0", "A")
    report_all(service, *nodes[1:])
    service.enqueue(nodes={SUCCESS: 10})
    service.run()
    service.clock.forward(2 * HOUR)
    service.enqueue("a-1", nodes={SUCCESS: 1})
    service.report("i-0", run="run-2")
    assert service.run().announcement.message is None

    service.clock.forward(30 * MINUTE)
    service.enqueue("a-1", nodes={SUCCESS: 10})
    report_all(service, *nodes)

    assert get_alert(service.run()).fixed == 1


def test_a_fix_that_no_message_told_for_an_hour_gets_one_of_its_own(service: Service) -> None:
    service.report("i-1", "A", "B")
    service.run()
    service.clock.forward(DAY)
    service.report("i-1", "B", run="run-2")

    told = []
    for _ in range(7):
        report = service.run()
        told.append(get_alert(report).fixed if report.announcement.message else 0)
        service.clock.forward(15 * MINUTE)

    assert told == [0, 0, 0, 0, 1, 0, 0]
    assert service.messages[-1] == "fixed: "


def test_without_quiet_answers_no_message_tells_fixes_only(service: Service) -> None:
    service.quiet_answers = False
    service.report("i-1", "A")
    service.run()
    service.report("i-1", run="run-2")
    service.run()

    service.clock.forward(2 * HOUR)

    assert service.run().announcement.message is None
