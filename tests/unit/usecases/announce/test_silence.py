"""Nodes that fall silent, leave or report again: what people are told, and how often."""

from collections.abc import Iterable
from datetime import timedelta
from itertools import pairwise

import pytest
from msgspec.structs import replace

from chalicelib.domain.compliance import NEVER, Doubt
from chalicelib.domain.errors import DeliveryError
from chalicelib.domain.history import EventKind
from chalicelib.domain.summary import AlertSummary
from chalicelib.usecases.context import Options
from tests.fleet import DAY, HOUR, MINUTE, TYPE, Service
from tests.reliability.crashing import Fuse, Moment, list_points
from tests.reliability.stories import run_until_crash


@pytest.fixture
def service(service: Service) -> Service:
    """A service that gives no quiet answers."""
    service.quiet_answers = False
    return service


def list_alerts(service: Service) -> list[AlertSummary]:
    """Lists what was announced, oldest first."""
    ledger = service.ledger
    messages = (*ledger.messages.values(), *ledger.sent.values())
    ordered = sorted(messages, key=lambda each: each.created_at)
    return [each.alert for each in ordered if each.alert]


def list_told(service: Service) -> list[tuple[str, list[str], list[str], list[str], int]]:
    """Lists the messages that say something of silence: topic, silent, gone, returned, findings."""
    return [
        (
            each.topic,
            [node.instance_id for node in each.silent],
            list(each.gone_nodes.names),
            list(each.returned.names),
            each.gone,
        )
        for each in list_alerts(service)
        if each.silent_count or each.gone_nodes.count or each.returned.count or each.gone
    ]


def live(
    service: Service,
    days: Iterable[int],
    nodes: Iterable[str],
    *,
    every: int = 1,
    on: tuple[int, ...] = range(7),  # type: ignore[assignment] # any numbers
) -> None:
    """Lets these nodes report on these days, and scans each hour of them."""
    for day in days:
        if day % every == 0 and day % 7 in on:
            for node in nodes:
                service.report(node, "A", run=f"{node} {service.clock.now}")
        scan_for(service, DAY)


def scan_for(service: Service, time: timedelta) -> None:
    """Scans each hour."""
    end = service.clock.now + time
    while service.clock.now < end:
        service.run()
        service.clock.forward(HOUR)


def test_a_node_that_is_silent_for_thirty_days_is_told_once(service: Service) -> None:
    live(service, range(3), ["i-1", "i-2"])
    live(service, range(30), ["i-2"])

    assert list_told(service) == [("silent", ["i-1"], [], [], 0)]
    (alert,) = (each for each in list_alerts(service) if each.silent)
    assert alert.at - alert.silent[0].since == 2 * DAY


def test_a_node_that_sleeps_at_weekends_is_told_after_six_days(service: Service) -> None:
    live(service, range(7), ["i-1", "i-2"], on=(0, 1, 2, 3, 4))
    # nobody could know of the first weekend
    assert list_told(service) == [("silent", ["i-1", "i-2"], [], [], 0)]

    live(service, range(28), ["i-1", "i-2"], on=(0, 1, 2, 3, 4))
    assert len(list_told(service)) == 1

    live(service, range(6), ["i-2"], on=(0, 1, 2, 3, 4))
    # the last report was on a Friday
    assert list_told(service)[1:] == [("silent", ["i-1"], [], ["i-2"], 0)]
    alert = list_alerts(service)[-1]
    assert alert.at - alert.silent[0].since == 6 * DAY


def test_a_node_that_was_seen_once_is_told_after_twice_the_usual_gap_of_the_fleet(
    service: Service,
) -> None:
    live(service, range(5), ["i-1", "i-2"])
    service.report("i-new")
    live(service, range(5), ["i-1", "i-2"])

    assert list_told(service) == [("silent", ["i-new"], [], [], 0)]


def test_a_monthly_association_beside_a_daily_one_is_not_silent_once_it_is_known(
    service: Service,
) -> None:
    daily = [f"i-{number}" for number in range(5)]
    for _ in range(2):
        service.report("i-monthly", run=f"{service.clock.now}")
        live(service, range(30), daily)
    service.report("i-monthly", run="third")
    before = len(list_told(service))

    live(service, range(31), daily)

    assert list_told(service)[before:] == []

    live(service, range(10), daily)

    assert [told[1] for told in list_told(service)[before:]] == [["i-monthly"]]


def test_types_of_a_node_count_together(service: Service) -> None:
    """A node with a daily type is not silent because its monthly one rests."""
    service.compliance.put("i-1", "Custom:Other", "monthly", service.clock.now, [])
    live(service, range(20), ["i-1"])

    assert list_told(service) == []


def test_a_node_whose_row_names_no_execution_is_unverified_and_not_silent(
    service: Service,
) -> None:
    live(service, range(6), ["i-1", "i-2"])
    service.compliance.change_summary(
        "i-1", TYPE, flaw=Doubt.NO_EXECUTION, execution_id="no execution", executed_at=NEVER
    )
    live(service, range(10), ["i-2"])

    assert list_told(service) == []


def test_a_node_whose_clock_was_set_back_is_not_silent_while_its_execution_is_ignored(
    service: Service,
) -> None:
    live(service, range(6), ["i-1", "i-2"])
    service.clock.forward(4 * DAY)
    service.report("i-1", run="set back", ahead=-9 * DAY)
    service.report("i-2", run="right")
    service.run()
    service.clock.forward(HOUR)
    service.run()

    assert list_told(service) == []


@pytest.mark.parametrize("wrong", [-365 * DAY, 365 * DAY])
def test_a_node_whose_clock_is_a_year_off_is_told_like_any_other(
    service: Service, wrong: timedelta
) -> None:
    for day in range(6):
        live(service, [day], ["i-2"])
        service.compliance.put("i-1", TYPE, f"run-{day}", service.clock.now + wrong, [])
        service.run()
    assert list_told(service) == []

    live(service, range(4), ["i-2"])

    assert list_told(service) == [("silent", ["i-1"], [], [], 0)]


def test_a_return_rides_in_the_next_message(service: Service) -> None:
    live(service, range(3), ["i-1", "i-2"])
    live(service, range(3), ["i-2"])
    live(service, range(2), ["i-1", "i-2"])
    before = len(list_told(service))
    service.report("i-2", "A", "new", run="last")

    service.run()

    assert before == 1
    assert list_told(service)[before:] == [("new", [], [], ["i-1"], 0)]
    scan_for(service, DAY)
    assert len(list_told(service)) == 2


def test_a_hundred_nodes_that_fall_silent_together_are_one_message(service: Service) -> None:
    nodes = [f"i-{number:03}" for number in range(100)]
    for _ in range(3):
        for number, node in enumerate(nodes):
            service.report(node, run=f"{service.clock.now}")
            if number % 10 == 9:
                # they report over some hours
                service.run()
                service.clock.forward(30 * MINUTE)
        scan_for(service, DAY - 300 * MINUTE)

    scan_for(service, 5 * DAY)

    (alert,) = (each for each in list_alerts(service) if each.silent_count)
    assert alert.silent_count == 100
    assert len(alert.silent) == 10


def test_at_most_one_message_a_day_is_about_silence(service: Service) -> None:
    nodes = [f"i-{number}" for number in range(30)]
    live(service, range(3), nodes)
    for number in range(0, 30, 2):
        service.compliance.remove(f"i-{number}")
        scan_for(service, 4 * HOUR)
        for node in nodes[number + 2 :]:
            service.report(node, "A", run=f"{service.clock.now}")
    scan_for(service, 2 * DAY)

    times = [each.at for each in list_alerts(service) if each.topic == "silent"]
    gone = [node for told in list_told(service) for node in told[2]]
    assert all(later - earlier >= DAY for earlier, later in pairwise(times))
    assert sorted(gone) == sorted(f"i-{number}" for number in range(0, 30, 2))


@pytest.mark.parametrize("quiet_answers", [True, False])
@pytest.mark.parametrize("findings", [6, 0])
def test_a_node_that_leaves_between_two_scans_is_told_with_its_findings(
    service: Service, findings: int, quiet_answers: bool
) -> None:
    service.quiet_answers = quiet_answers
    titles = [f"title {number}" for number in range(findings)]
    service.report("i-1", "A")
    service.report("i-2", *titles)
    service.run()

    service.compliance.remove("i-2")
    scan_for(service, 6 * HOUR)

    assert list_told(service) == [("silent", [], ["i-2"], [], findings)]


def test_a_node_that_a_small_association_no_longer_reaches_is_told_as_well(
    service: Service,
) -> None:
    service.quiet_answers = True
    for number in range(10):
        service.report(f"i-{number}", "A")
    service.run()
    service.compliance.remove("i-9")
    for number in range(4):
        service.clock.forward(30 * MINUTE)
        service.report("i-1", "A", run=f"small-{number}")
        service.enqueue("a-small", nodes={"Success": 1})
        service.run()

    assert list_told(service) == [("nothing new", [], ["i-9"], [], 1)]


def test_a_person_who_accepts_missing_nodes_reads_their_names(service: Service) -> None:
    service.report("i-1", "A")
    service.report("i-2", "A", "B")
    service.run()
    service.compliance.remove("i-2")

    service.run(Options(accept_missing=True))
    scan_for(service, 2 * DAY)

    assert list_told(service) == [("silent", [], ["i-2"], [], 2)]


def test_a_node_that_is_listed_again_within_the_hour_is_not_mentioned(service: Service) -> None:
    live(service, range(3), ["i-1", "i-2"])
    service.compliance.remove("i-2")
    service.run()
    service.clock.forward(30 * MINUTE)
    live(service, range(2), ["i-1", "i-2"])

    assert list_told(service) == []


def test_a_fleet_that_ssm_does_not_list_for_twenty_days_is_one_notice(service: Service) -> None:
    nodes = [f"i-{number}" for number in range(12)]
    live(service, range(4), nodes)
    for node in nodes:
        service.compliance.remove(node)
    scan_for(service, 20 * DAY)

    assert list_told(service) == []
    assert service.messages[1:] == ["incomplete: "]

    live(service, range(3), nodes)

    assert list_told(service) == []
    assert service.messages[2:] == ["complete again: "]


def test_a_node_that_was_told_silent_and_then_leaves_is_told_with_its_findings(
    service: Service,
) -> None:
    live(service, range(3), ["i-1", "i-2"])
    live(service, range(10), ["i-2"])
    service.compliance.remove("i-1")
    live(service, range(3), ["i-2"])

    assert list_told(service) == [
        ("silent", ["i-1"], [], [], 0),
        ("silent", [], ["i-1"], [], 1),
    ]


def test_a_channel_that_is_down_for_a_week_gets_every_silent_node(service: Service) -> None:
    live(service, range(3), ["i-1", "i-2", "i-3"])
    service.channel.fail_post(DeliveryError("service_unavailable", retryable=True), times=10)
    live(service, range(4), ["i-2", "i-3"])
    live(service, range(8), ["i-3"])

    assert [told[1] for told in list_told(service)] == [["i-1"], ["i-2"]]
    sent = service.ledger.sent.values()
    assert "superseded" not in {receipt for each in sent for receipt in each.done.values()}
    assert service.messages[1:] == ["silent: ", "silent: "]


def test_a_crash_anywhere_forgets_no_node_that_left() -> None:
    def make_story() -> Service:
        service = Service(quiet_answers=False)
        service.report("i-1", "A")
        service.report("i-2", "A", "B")
        service.report("i-3")
        service.run()
        service.compliance.remove("i-2")
        service.compliance.remove("i-3")
        service.run()
        service.clock.forward(HOUR)
        return service

    wrong = {}
    for point in list_points(run_until_crash(make_story(), Fuse()), tuple(Moment)):
        service = make_story()
        run_until_crash(service, Fuse(point))
        service.clock.forward(HOUR)
        scan_for(service, 5 * HOUR)
        told = list_told(service)
        if told != [("silent", [], ["i-2", "i-3"], [], 2)]:
            wrong[point] = told

    assert wrong == {}


def test_a_notice_that_says_something_once_is_not_replaced() -> None:
    service = Service()
    service.report("i-1")
    service.enqueue()
    service.run()
    (message,) = service.ledger.sent.values()
    assert message.alert is not None
    silent = replace(message.alert, changes={EventKind.GONE: 1})

    assert message.is_notice
    assert not replace(message, alert=silent).is_notice
    assert replace(message, alert=None).is_notice
