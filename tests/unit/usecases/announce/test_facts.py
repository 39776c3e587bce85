"""Announcements follow from facts: what no message has said yet is in the next one."""

import pytest

from chalicelib.domain.history import NO_FACTS
from tests.fleet import DAY, HOUR, MINUTE, Service
from tests.reliability.crashing import CrashPoint, Fuse, Moment
from tests.reliability.stories import run_until_crash


def list_counts(service: Service) -> list[tuple[str, int, int]]:
    """Lists the topic of each message, and the findings that it counts as fixed and as gone."""
    messages = [*service.ledger.messages.values(), *service.ledger.sent.values()]
    return [
        (each.alert.topic, each.alert.fixed, each.alert.gone)
        for each in sorted(messages, key=lambda each: each.created_at)
        if each.alert
    ]


def test_a_fix_is_counted_by_the_next_message_and_by_no_other(service: Service) -> None:
    service.report("i-1", "A", "B")
    service.run()
    service.report("i-1", "B", run="run-2")
    service.run()
    service.report("i-1", "B", "C", run="run-3")
    service.run()
    service.report("i-1", "B", "C", "D", run="run-4")
    service.run()

    assert list_counts(service) == [("new", 0, 0), ("new", 1, 0), ("new", 0, 0)]


def test_findings_that_went_with_their_node_are_counted_by_the_next_message(
    service: Service,
) -> None:
    service.report("i-1", "A")
    service.report("i-2", "A", "B")
    service.run()
    service.compliance.remove("i-2")
    service.run()
    service.clock.forward(HOUR)
    service.run()
    service.report("i-1", "A", "C", run="run-2")
    service.run()

    assert list_counts(service) == [("new", 0, 0), ("new", 0, 2)]


def test_a_fix_is_answered_at_once_although_the_hour_is_not_over(service: Service) -> None:
    service.report("i-1", "A")
    service.enqueue()
    service.run()
    for run in ("run-2", "run-3"):
        service.clock.forward(MINUTE)
        service.enqueue()
        service.report("i-1", "A", run=run)
        service.run()
    service.clock.forward(MINUTE)
    service.enqueue()
    service.report("i-1", run="run-4")
    service.run()

    assert list_counts(service) == [("new", 0, 0), ("nothing new", 0, 0), ("nothing new", 1, 0)]


@pytest.mark.parametrize("call", ["findings.delete", "facts.settle", "work.stage"])
@pytest.mark.parametrize("moment", [Moment.BEFORE, Moment.AFTER])
def test_a_fix_survives_the_death_of_its_scan(call: str, moment: Moment) -> None:
    service = Service()
    service.report("i-1", "A", "B")
    calls = run_until_crash(service, Fuse())
    service.clock.forward(DAY)
    service.enqueue()
    service.report("i-1", "B", run="run-2")

    run_until_crash(service, Fuse(CrashPoint(calls.index(call) + 1, moment)))
    service.clock.forward(DAY)
    service.run()

    assert list_counts(service)[1:] == [("nothing new", 1, 0)]


def test_if_facts_are_lost_what_was_stored_since_is_announced_again(service: Service) -> None:
    service.report("i-1", "A")
    service.run()
    service.clock.forward(MINUTE)
    service.report("i-1", "A", "B", run="run-2")
    before = service.ledger.channel_state
    service.run()
    service.ledger.channel_state = before
    service.ledger.facts.clear()
    service.clock.forward(MINUTE)

    announcement = service.run().announcement

    assert announcement.lost_facts == 1
    assert service.messages == ["new: A", "new: B", "new: B"]
    assert service.run().announcement.lost_facts == 0


def test_a_receipt_ahead_of_the_facts_counts_them_as_lost_once(service: Service) -> None:
    service.report("i-1", "A")
    service.run()
    service.ledger.last_fact = NO_FACTS

    assert service.run().announcement.lost_facts == 1
    assert service.run().announcement.lost_facts == 0
    assert service.messages == ["new: A"]


def test_a_scan_of_an_older_version_that_died_is_announced_once(service: Service) -> None:
    service.report("i-1", "A", "B")
    service.run()
    (scan_id,) = {each.scan_id for each in service.findings.all()}
    service.ledger.unannounced_scans.add(scan_id)

    service.run()
    service.run()

    assert service.messages == ["new: A,B", "new: A,B"]
    assert service.ledger.unannounced_scans == set()
