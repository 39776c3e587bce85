import pytest

from chalicelib.domain.alert import Coverage, Outcome
from chalicelib.domain.history import EventKind, HistoryEvent
from chalicelib.usecases.ports import ScanRecord
from tests.contract.conftest import Stores
from tests.contract.samples import MINUTE, NOW, finding


def event(number: int, *, minutes: int = 0, kind: EventKind = EventKind.OPENED) -> HistoryEvent:
    return HistoryEvent(finding(number).finding_id, NOW + minutes * MINUTE, kind, "scan-1")


@pytest.mark.parametrize("size", [0, 1, 26, 130])
def test_every_event_is_written(stores: Stores, size: int) -> None:
    events = {event(number) for number in range(size)}
    stores.journal.write(iter(events))

    assert len(stores.history()) == size
    assert set(stores.history()) == events


def test_the_same_event_twice_is_one_event(stores: Stores) -> None:
    stores.journal.write([event(1), event(1)])
    stores.journal.write([event(1)])

    assert stores.history() == [event(1)]


def test_a_finding_has_a_line_for_each_time_and_kind(stores: Stores) -> None:
    events = {event(1, minutes=minutes, kind=kind) for minutes in range(3) for kind in EventKind}
    stores.journal.write(events)

    assert set(stores.history()) == events


def test_a_pass_leaves_the_unfinished_part_alone(stores: Stores) -> None:
    before = stores.work.open()
    outcome = Outcome("scan-1", NOW, (), 0, {}, Coverage(known=0))
    stores.journal.record(ScanRecord(outcome, NOW, message_id=None))
    stores.journal.write([event(1)])

    assert stores.work.open() == before
