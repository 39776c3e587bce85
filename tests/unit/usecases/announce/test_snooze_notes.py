"""People read of wide and permanent snoozes when they are made, and before they end."""

import pytest
from msgspec.structs import replace

from chalicelib.domain.announcement import Topic
from chalicelib.domain.snooze import Reason, Scope, Snooze
from chalicelib.domain.snooze_rules import SnoozeChange, SnoozeEnd, SnoozeTerms
from chalicelib.usecases.context import Author, Bounds
from chalicelib.usecases.inbox.snoozes import change_snooze, create_snooze
from tests.fleet import DAY, HOUR, MINUTE, Service
from tests.reliability.crashing import Fuse, Moment, list_points
from tests.reliability.stories import run_until_crash

ONCALL = Author("oncall")


@pytest.fixture
def service(service: Service) -> Service:
    """A service that has announced A on i-1."""
    service.report("i-1", "A")
    service.run()
    service.clock.forward(HOUR)
    return service


def snooze(service: Service, scope: Scope, *, days: int | None = 30) -> Snooze:
    """Makes a snooze; None days for ever."""
    end = SnoozeEnd(duration=days * DAY) if days else SnoozeEnd(permanent=True)
    return create_snooze(service.inbox, scope, SnoozeTerms(end, Reason.OTHER, "ticket 42"), ONCALL)


def list_notes(service: Service) -> list[tuple[Topic, int, int]]:
    """Lists the messages that mention snoozes: topic, snoozes made, snoozes that end soon."""
    messages = [*service.ledger.sent.values(), *service.ledger.messages.values()]
    alerts = [each.alert for each in messages if each.alert]
    alerts.sort(key=lambda each: each.scan_id)
    return [
        (each.topic, each.made.count, each.ending.count)
        for each in alerts
        if each.made.count or each.ending.count
    ]


@pytest.mark.parametrize(
    ("scope", "days"),
    [
        (Scope("i-1"), 30),
        (Scope(title="B"), 30),
        (Scope(title_pattern="SSH*"), 30),
        (Scope(control_id="ssh-01"), 30),
        (Scope("i-1", "A"), None),
    ],
)
def test_a_wide_or_permanent_snooze_is_announced_once(
    service: Service, scope: Scope, days: int | None
) -> None:
    service.quiet_answers = False
    snooze(service, scope, days=days)
    service.run()
    service.clock.forward(HOUR)
    service.run()

    assert list_notes(service) == [(Topic.SNOOZED, 1, 0)]


def test_a_snooze_of_one_finding_with_an_end_is_not_announced(service: Service) -> None:
    snooze(service, Scope("i-1", "A"))
    service.run()

    assert list_notes(service) == []


def test_a_snooze_that_becomes_permanent_is_announced(service: Service) -> None:
    made = snooze(service, Scope("i-1", "A"))
    service.run()
    change = SnoozeChange(SnoozeEnd(permanent=True))
    change_snooze(service.inbox, made.id, change, None, ONCALL)
    service.run()

    assert list_notes(service) == [(Topic.SNOOZED, 1, 0)]


def test_an_alert_mentions_the_snoozes_that_were_made_since_the_last_message(
    service: Service,
) -> None:
    snooze(service, Scope(title="B"))
    service.report("i-1", "A", "C", run="run-2")
    service.run()

    assert list_notes(service) == [(Topic.NEW, 1, 0)]


def test_a_snooze_that_ended_before_a_scan_saw_it_is_not_announced(service: Service) -> None:
    made = snooze(service, Scope(title="B"))
    ended = replace(made, ended_at=service.clock.now, version=2)
    service.ledger.snoozes[made.id] = ended
    service.run()

    assert list_notes(service) == []


def test_many_snoozes_are_announced_in_several_messages(service: Service) -> None:
    service.bounds = Bounds(settled_snoozes=4)
    for number in range(6):
        snooze(service, Scope(title=f"T{number}"))
    service.run()
    service.clock.forward(MINUTE)
    service.run()
    service.run()

    assert list_notes(service) == [(Topic.SNOOZED, 4, 0), (Topic.SNOOZED, 2, 0)]


def test_the_next_message_reminds_of_a_snooze_that_ends_in_three_days(service: Service) -> None:
    snooze(service, Scope("i-1", "A"))
    service.clock.forward(27 * DAY - MINUTE)
    service.report("i-1", "A", "B", run="run-2")
    service.run()
    service.clock.forward(MINUTE)
    service.run()
    assert list_notes(service) == []

    service.report("i-1", "A", "B", "C", run="run-3")
    service.run()
    service.clock.forward(HOUR)
    service.report("i-1", "A", "B", "C", "D", run="run-4")
    service.run()

    assert list_notes(service) == [(Topic.NEW, 0, 1)]


def test_a_snooze_that_is_extended_is_reminded_of_again(service: Service) -> None:
    made = snooze(service, Scope("i-1", "A"), days=4)
    service.clock.forward(2 * DAY)
    service.report("i-1", "A", "B", run="run-2")
    service.run()
    change = SnoozeChange(SnoozeEnd(duration=10 * DAY))
    change_snooze(service.inbox, made.id, change, None, ONCALL)
    service.report("i-1", "A", "B", "C", run="run-3")
    service.run()
    service.clock.forward(8 * DAY)
    service.report("i-1", "A", "B", "C", "D", run="run-4")
    service.run()

    assert list_notes(service) == [(Topic.NEW, 0, 1), (Topic.NEW, 0, 1)]


def test_nobody_is_reminded_of_a_short_snooze(service: Service) -> None:
    snooze(service, Scope("i-1", "A"), days=3)
    service.report("i-1", "A", "B", run="run-2")
    service.run()

    assert list_notes(service) == []


def test_a_snooze_that_somebody_changes_meanwhile_is_announced_as_it_is_then(
    service: Service,
) -> None:
    made = snooze(service, Scope(title="B"))

    def run(fuse: Fuse) -> None:
        run_until_crash(service, fuse)

    def change() -> None:
        end = SnoozeChange(SnoozeEnd(duration=2 * DAY))
        change_snooze(service.inbox, made.id, end, None, ONCALL)

    fuse = Fuse()
    other = service.ledger.snoozes.copy()
    run(fuse)
    calls = list(fuse.calls)
    for number in range(1, len(calls) + 1):
        service.ledger.sent.clear()
        service.ledger.snoozes.clear()
        service.ledger.snoozes.update(other)
        service.clock.forward(MINUTE)
        run(Fuse(meanwhile=(number, change)))
        service.run()

        assert list_notes(service) == [(Topic.SNOOZED, 1, 0)]


def test_a_crash_anywhere_loses_no_note(service: Service) -> None:
    snooze(service, Scope(title="B"))
    before = service.ledger.snoozes.copy()
    fuse = Fuse()
    run_until_crash(service, fuse)
    for point in list_points(fuse.calls, (Moment.BEFORE, Moment.AFTER)):
        service.ledger.sent.clear()
        service.ledger.snoozes.clear()
        service.ledger.snoozes.update(before)
        service.clock.forward(HOUR)
        run_until_crash(service, Fuse(point))
        service.clock.forward(HOUR)
        service.run()

        assert list_notes(service) == [(Topic.SNOOZED, 1, 0)], point
