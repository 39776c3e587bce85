"""Nodes that SSM does not list any more, and the brake that protects their findings."""

import pytest

from chalicelib.domain.errors import Unavailable
from chalicelib.domain.history import EventKind
from chalicelib.usecases.context import Options
from tests.fakes import PassThrough
from tests.fleet import HOUR, MINUTE, TYPE, Service
from tests.unit.usecases.broken_ports import UnreadableSnoozes


@pytest.fixture
def service() -> Service:
    """A service that has scanned two nodes with one finding each."""
    service = Service()
    service.report("i-1", "A")
    service.report("i-2", "B")
    service.run()
    return service


def test_a_node_missing_for_an_hour_is_removed_with_its_findings(service: Service) -> None:
    service.compliance.remove("i-1")
    service.run()

    assert service.list_titles() == ["A", "B"]

    service.clock.forward(HOUR)
    outcome = service.run_to_outcome()

    assert service.list_titles() == ["B"]
    assert [node.instance_id for node in service.nodes.all()] == ["i-2"]
    assert outcome.coverage.gone == 1


def test_findings_that_go_with_their_node_are_not_counted_as_fixed(service: Service) -> None:
    service.compliance.remove("i-1")
    service.run()
    service.clock.forward(HOUR)
    service.report("i-2", run="run-2")

    outcome = service.run_to_outcome()

    assert (outcome.fixed, outcome.gone) == (1, 1)
    service.report("i-2", "C", run="run-3")
    service.run()
    service.report("i-2", run="run-4")
    outcome = service.run_to_outcome()
    assert (outcome.fixed, outcome.gone) == (1, 0)


def test_a_node_that_returns_within_the_hour_is_read_again(service: Service) -> None:
    service.compliance.remove("i-1")
    service.run()

    service.clock.forward(HOUR)
    service.report("i-1", "A", "C", run="run-2")
    service.run()

    assert service.list_titles("i-1") == ["A", "C"]
    assert all(node.missing_since is None for node in service.nodes.all())


def test_an_empty_list_brakes_until_a_person_accepts_it() -> None:
    service = Service()
    service.report("i-1", "A")
    service.run()
    service.compliance.remove("i-1")

    for _ in range(3):
        service.run()
        service.clock.forward(HOUR)

    assert service.list_titles() == ["A"]
    assert service.messages[1:] == ["incomplete: "]

    service.run(Options(accept_missing=True))

    assert service.list_titles() == []
    assert service.nodes.all() == ()
    assert service.messages[2:] == ["complete again: "]


def test_the_brake_engages_when_half_of_a_large_fleet_is_missing() -> None:
    service = Service()
    for number in range(22):
        service.report(f"i-{number}", "A")
    service.run()
    for number in range(11):
        service.compliance.remove(f"i-{number}")

    service.run()
    service.clock.forward(HOUR)
    service.run()

    assert len(service.list_titles()) == 22
    assert service.messages[1:] == ["incomplete: "]


def test_under_the_brake_unverified_nodes_stay_as_well() -> None:
    service = Service()
    service.report("i-1", "A")
    service.compliance.change_summary("i-1", TYPE, count=2)
    service.run()
    (node,) = service.nodes.all()
    assert node.unverified_since is not None
    service.compliance.remove("i-1")

    for _ in range(3):
        service.run()
        service.clock.forward(HOUR)

    assert service.list_titles() == ["A"]


@pytest.mark.parametrize("waits", [True, False], ids=["missing for an hour", "accepted at once"])
def test_findings_of_a_gone_node_end_when_it_was_seen_last(
    service: Service, *, waits: bool
) -> None:
    """That is when it was missing first, or else when it was scanned last."""
    scanned = service.clock.now
    service.clock.forward(MINUTE)
    service.compliance.remove("i-1")
    missing = service.clock.now
    if waits:
        service.run()
        service.clock.forward(HOUR)

    service.run(Options(accept_missing=not waits))

    (event,) = service.journal.events
    assert (event.kind, event.at) == (EventKind.GONE, missing if waits else scanned)


def test_findings_of_a_gone_node_that_was_never_verified_end_when_that_is_accepted() -> None:
    service = Service()
    service.report("i-1", "A")
    service.compliance.change_summary("i-1", TYPE, count=2)
    service.run()
    service.clock.forward(MINUTE)
    service.compliance.remove("i-1")

    service.run(Options(accept_missing=True))

    (event,) = service.journal.events
    assert (event.kind, event.at) == (EventKind.GONE, service.clock.now)


def test_gone_nodes_stay_while_snoozes_cannot_be_read(service: Service) -> None:
    service.compliance.remove("i-1")
    service.run()
    service.clock.forward(HOUR)

    service.run(snoozes=UnreadableSnoozes())

    assert service.list_titles() == ["A", "B"]

    service.run()

    assert service.list_titles() == ["B"]


def test_gone_nodes_are_deferred_when_the_time_is_up() -> None:
    service = Service()
    for number in range(250):
        service.report(f"i-{number}", "A")
    service.run()
    for number in range(200):
        service.compliance.remove(f"i-{number}")

    late = service.run_to_outcome(Options(accept_missing=True), minutes=0.75)

    assert late.coverage.gone == 0
    assert len(service.list_titles()) == 250

    outcome = service.run_to_outcome(Options(accept_missing=True))

    assert outcome.coverage.gone == 200
    assert len(service.list_titles()) == 50


def test_what_a_dead_scan_stored_of_a_new_node_leaves_with_it() -> None:
    class CrashesAfterPut(PassThrough):
        """A findings table that stores what it is given and then fails."""

        def put(self, findings: object) -> None:
            self.port.put(findings)
            raise Unavailable("the table did not answer")

    service = Service()
    service.report("i-1", "A")

    service.run(findings=CrashesAfterPut(service.findings))
    service.compliance.remove("i-1")
    service.report("i-2")
    service.run()
    service.clock.forward(HOUR)
    service.run()

    assert service.list_titles() == []
