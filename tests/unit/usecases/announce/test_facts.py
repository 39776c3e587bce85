"""What a scan announces where facts are missing, or an older version left none."""

from chalicelib.domain.history import NO_FACTS
from tests.fleet import MINUTE, Service


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
