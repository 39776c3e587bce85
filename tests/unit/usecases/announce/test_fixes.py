"""Fixes and gone findings are counted and named by the next message, whoever has read them."""

from datetime import timedelta

import pytest

from chalicelib.domain.errors import DeliveryError
from chalicelib.domain.finding import finding_id
from chalicelib.domain.summary import AlertSummary
from chalicelib.usecases.context import Bounds
from chalicelib.usecases.run import ScanReport
from tests.fleet import HOUR, MINUTE, Service
from tests.reliability.crashing import CrashPoint, Fuse, Moment, list_points
from tests.reliability.stories import run_until_crash

LETTERS = "ABCDEF"


@pytest.fixture
def service(service: Service) -> Service:
    """Two nodes with six findings each, which were announced."""
    service.report("i-1", *LETTERS)
    service.report("i-2", *LETTERS)
    service.enqueue(nodes={"Success": 2})
    service.run()
    return service


def get_alert(report: ScanReport) -> AlertSummary:
    assert report.announcement.message is not None
    assert report.announcement.message.alert is not None
    return report.announcement.message.alert


def read_changes(service: Service) -> list[str]:
    """Returns the lines of every CSV of changes that a message names, oldest file first.

    A scan that dies before it has written its message leaves a file that nobody names.
    """
    ledger, objects = service.ledger, service.files.objects
    messages = (*ledger.messages.values(), *ledger.sent.values())
    keys = sorted(file.key for each in messages for file in each.files)
    changes = [key for key in keys if key.endswith("-changes.csv") and key in objects]
    return [line for key in changes for line in objects[key].decode().splitlines()]


@pytest.mark.parametrize("passed", [2 * HOUR, 10 * MINUTE])
def test_fixes_that_a_silent_scan_has_read_are_in_the_answer(
    service: Service, passed: timedelta
) -> None:
    service.clock.forward(5 * MINUTE)
    service.enqueue("a-1", nodes={"Success": 2})
    for node in ("i-1", "i-2"):
        service.report(node, *LETTERS, run="run-2")
    service.run()
    service.clock.forward(passed)
    job_began = service.clock.now
    service.report("i-1", run="run-3", compliant=7)
    service.report("i-2", *LETTERS, run="run-3")

    silent = service.run()
    service.clock.forward(MINUTE)
    service.enqueue("a-1", nodes={"Success": 2}, ago=service.clock.now - job_began)
    answer = service.run()

    assert silent.announcement.message is None
    assert get_alert(answer).fixed == 6
    assert read_changes(service) == [f"fixed {letter}" for letter in LETTERS]
    assert service.messages[-1] == "nothing new: "


def test_an_association_without_fixes_is_still_answered_once_an_hour(service: Service) -> None:
    for minutes in (5, 10):
        service.clock.forward(minutes * MINUTE)
        for node in ("i-1", "i-2"):
            service.report(node, *LETTERS, run=f"run-{minutes}")
        service.enqueue("a-1", nodes={"Success": 2})
        service.run()

    assert [text for text in service.messages if text.startswith("nothing new")] == [
        "nothing new: "
    ]


def test_the_alert_has_its_own_file_and_counts_each_fix_once(service: Service) -> None:
    service.clock.forward(HOUR)
    service.report("i-1", "A", "new", run="run-2")
    alert = get_alert(service.run())
    service.clock.forward(2 * HOUR)
    service.report("i-1", "A", "new", run="run-3")
    service.report("i-2", *LETTERS, run="run-3")
    service.enqueue(nodes={"Success": 2})
    answer = get_alert(service.run())

    assert (alert.fixed, answer.fixed) == (5, 0)
    assert read_changes(service) == [f"fixed {letter}" for letter in "BCDEF"]
    (csv,) = (each for key, each in service.files.objects.items() if b"new" in each)
    assert csv == b"new"
    assert [each.name[-12:] for each in service.channel.attachments[-2:]][1] == "-changes.csv"


def test_findings_that_go_with_their_node_are_announced_and_named(service: Service) -> None:
    service.compliance.remove("i-2")
    service.run()
    service.clock.forward(HOUR)

    alert = get_alert(service.run())
    service.clock.forward(HOUR)
    service.report("i-1", *LETTERS, run="run-2")
    service.enqueue(nodes={"Success": 1})
    answer = get_alert(service.run())

    assert (alert.topic, alert.gone, alert.gone_nodes.names) == ("silent", 6, ("i-2",))
    assert (answer.gone, answer.fixed) == (0, 0)
    assert read_changes(service) == [f"gone {letter}" for letter in LETTERS]


def test_without_quiet_answers_fixes_wait_for_the_next_alert(service: Service) -> None:
    service.quiet_answers = False
    service.clock.forward(2 * HOUR)
    service.report("i-1", *"ABC", run="run-2")
    service.enqueue(nodes={"Success": 2})
    assert service.run().announcement.message is None
    service.clock.forward(48 * HOUR)
    service.report("i-1", *"ABC", "new", run="run-3")

    alert = get_alert(service.run())

    assert alert.fixed == 3
    assert read_changes(service) == ["fixed D", "fixed E", "fixed F"]


def test_a_bucket_that_refuses_delays_the_changes_and_loses_no_name(service: Service) -> None:
    service.clock.forward(2 * HOUR)
    service.report("i-1", *"ABC", run="run-2")
    service.report("i-2", *LETTERS, run="run-2")
    service.enqueue(nodes={"Success": 2})
    service.files.fail(DeliveryError("SlowDown", retryable=True), times=2)

    service.run()
    assert read_changes(service) == []
    service.clock.forward(HOUR)
    service.run()

    assert read_changes(service) == ["fixed D", "fixed E", "fixed F"]


def test_a_crash_anywhere_loses_no_fix() -> None:
    def make_story() -> Service:
        service = Service()
        service.report("i-1", *LETTERS)
        service.report("i-2", *LETTERS)
        service.run()
        service.clock.forward(2 * HOUR)
        service.report("i-1", run="run-2")
        service.report("i-2", "A", run="run-2")
        service.enqueue(nodes={"Success": 2})
        return service

    calls = run_until_crash(make_story(), Fuse())
    wrong = {}
    for point in list_points(calls, (Moment.BEFORE, Moment.DURING, Moment.AFTER)):
        service = make_story()
        run_until_crash(service, Fuse(point))
        for _ in range(4):
            service.clock.forward(HOUR)
            service.run()
        ledger = service.ledger
        messages = (*ledger.messages.values(), *ledger.sent.values())
        fixed = sum(each.alert.fixed for each in messages if each.alert)
        if fixed != 11 or sorted(read_changes(service)) != sorted(
            [f"fixed {letter}" for letter in [*LETTERS, *"BCDEF"]]
        ):
            wrong[point] = (fixed, read_changes(service))

    assert wrong == {}
    assert CrashPoint(1, Moment.BEFORE) in list_points(calls)


def test_a_fix_whose_name_nobody_knows_any_more_is_counted_and_not_named() -> None:
    """Its row is lost with a restored table, and its title has expired."""
    service = Service()
    service.report("i-1", "A", "B")
    service.run()
    service.findings.delete([finding_id("i-1", "A")])
    service.titles.expire("A")
    service.clock.forward(2 * HOUR)
    service.report("i-1", run="run-2")
    service.run()
    service.clock.forward(MINUTE)
    service.enqueue(nodes={"Success": 1}, ago=MINUTE)

    answer = get_alert(service.run())

    assert answer.fixed == 2
    assert read_changes(service) == ["fixed B"]


def test_what_a_dead_scan_stored_and_is_fixed_already_is_not_announced_as_new() -> None:
    service = Service(bounds=Bounds(unmarked_rows=0))
    service.report("i-1", "A")
    calls = run_until_crash(service, Fuse())
    service.clock.forward(HOUR)
    service.report("i-1", "A", "B", run="run-2")
    run_until_crash(service, Fuse(CrashPoint(calls.index("facts.settle") + 1, Moment.BEFORE)))
    service.clock.forward(HOUR)
    service.report("i-1", "A", run="run-3")

    outcome = service.run_to_outcome()

    assert (outcome.new, outcome.fixed) == ((), 1)
    assert service.list_titles() == ["A"]
