"""Two people change the same snooze: versions, and writers at the same time."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from chalicelib.domain.errors import AlreadySnoozed, Conflict, RuleBroken, Stale
from chalicelib.domain.snooze import Reason
from chalicelib.domain.snooze_rules import SnoozeChange
from chalicelib.usecases.context import Inbox
from chalicelib.usecases.inbox import snoozes
from tests.fakes import PassThrough
from tests.fleet import Service
from tests.unit.usecases.inbox.requests import (
    FIRST,
    PAIR,
    SECOND,
    make_rule,
    make_terms,
    snooze_pair,
)


class OvertakenWriter(PassThrough):
    """Snoozes where somebody else acts between our reading and our first write."""

    def __init__(self, service: Service, act: Callable[[], object]) -> None:
        super().__init__(service.inbox.snoozes)
        self._act: Callable[[], object] | None = act

    def add(self, *written: object) -> None:
        """Adds a snooze after the other writer."""
        self._overtake()
        self.port.add(*written)

    def save(self, *written: object) -> None:
        """Saves a snooze after the other writer."""
        self._overtake()
        self.port.save(*written)

    def _overtake(self) -> None:
        act, self._act = self._act, None
        if act:
            act()


def overtake(service: Service, act: Callable[[], object]) -> Inbox:
    """Returns the inbox of somebody who is overtaken once by `act`."""
    overtaken: Any = OvertakenWriter(service, act)
    return replace(service.inbox, snoozes=overtaken)


def test_a_change_needs_the_current_version(service: Service) -> None:
    snooze, _ = snooze_pair(service)
    change = SnoozeChange(comment="ticket 43")

    with pytest.raises(Stale, match="its version is 1 now"):
        snoozes.change_snooze(service.inbox, snooze.id, change, frozenset({7}), SECOND)

    changed = snoozes.change_snooze(service.inbox, snooze.id, change, frozenset({1}), SECOND)

    assert (changed.comment, changed.version, changed.ends_at) == ("ticket 43", 2, snooze.ends_at)
    assert snoozes.change_snooze(service.inbox, snooze.id, change, None, SECOND) == changed


def test_an_end_needs_the_current_version_and_then_nothing_can_be_changed(
    service: Service,
) -> None:
    snooze, _ = snooze_pair(service)
    snoozes.change_snooze(service.inbox, snooze.id, SnoozeChange(comment="ticket 43"), None, SECOND)

    with pytest.raises(Stale):
        snoozes.end_snooze(service.inbox, snooze.id, frozenset({1}), SECOND)

    snoozes.end_snooze(service.inbox, snooze.id, frozenset({2}), SECOND)
    snoozes.end_snooze(service.inbox, snooze.id, None, SECOND)

    with pytest.raises(RuleBroken):
        snoozes.change_snooze(service.inbox, snooze.id, SnoozeChange(comment="late"), None, SECOND)


def test_snoozing_and_unsnoozing_a_finding_need_the_current_version(service: Service) -> None:
    def put_for(version: int) -> Any:
        terms = make_terms(comment=f"for {version}")
        return snoozes.snooze_finding(service.inbox, PAIR, terms, frozenset({version}), FIRST)

    with pytest.raises(Stale, match="there is none"):
        put_for(1)

    snooze_pair(service)

    assert put_for(1)[0].version == 2
    with pytest.raises(Stale):
        put_for(1)
    with pytest.raises(Stale):
        snoozes.unsnooze_finding(service.inbox, PAIR, frozenset({1}), FIRST)

    snoozes.unsnooze_finding(service.inbox, PAIR, frozenset({2}), FIRST)
    snoozes.unsnooze_finding(service.inbox, PAIR, frozenset({2}), FIRST)


def test_a_snooze_that_changes_meanwhile_is_read_and_changed_again(service: Service) -> None:
    snooze, _ = snooze_pair(service)
    comment = SnoozeChange(comment="first")
    inbox = overtake(
        service,
        lambda: snoozes.change_snooze(service.inbox, snooze.id, comment, None, SECOND),
    )

    changed = snoozes.change_snooze(
        inbox, snooze.id, SnoozeChange(reason=Reason.OTHER), None, FIRST
    )

    assert (changed.comment, changed.reason, changed.version) == ("first", Reason.OTHER, 3)


def test_of_two_who_snooze_a_finding_at_once_only_one_makes_a_snooze(service: Service) -> None:
    inbox = overtake(service, lambda: snooze_pair(service, SECOND))

    _, is_new = snoozes.snooze_finding(inbox, PAIR, make_terms(), None, FIRST)

    assert not is_new
    (only,) = service.inbox.snoozes.all()
    assert only.created_by == "second"


def test_of_two_who_make_the_same_rule_at_once_only_one_succeeds(service: Service) -> None:
    inbox = overtake(service, lambda: snoozes.create_snooze(service.inbox, *make_rule(), SECOND))

    with pytest.raises(AlreadySnoozed):
        snoozes.create_snooze(inbox, *make_rule(), FIRST)

    (only,) = service.inbox.snoozes.all()
    assert only.created_by == "second"


def test_a_writer_that_always_conflicts_gets_an_error(service: Service) -> None:
    class AlwaysConflicts(PassThrough):
        def save(self, *_: object) -> None:
            raise Conflict("another writer was first")

    snooze, _ = snooze_pair(service)
    conflicting: Any = AlwaysConflicts(service.inbox.snoozes)

    with pytest.raises(Conflict):
        snoozes.end_snooze(replace(service.inbox, snoozes=conflicting), snooze.id, None, FIRST)
