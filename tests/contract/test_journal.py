import pytest

from chalicelib.domain.history import EventKind, HistoryEvent
from tests.contract.samples import MINUTE, NOW, make_finding, make_scan_record
from tests.contract.stores import Stores


def event(number: int, *, minutes: int = 0, kind: EventKind = EventKind.NEW) -> HistoryEvent:
    return HistoryEvent(make_finding(number).finding_id, NOW + minutes * MINUTE, kind, "scan-1")


@pytest.mark.parametrize("size", [0, 1, 26, 130])
def test_every_event_is_written_to_the_history_of_its_finding(stores: Stores, size: int) -> None:
    events = [event(number) for number in range(size)]
    stores.journal.write(iter(events))

    for number in range(size + 1):
        found = stores.archive.events_of(make_finding(number).finding_id)
        assert list(found) == events[number : number + 1]


def test_the_same_event_twice_is_one_event(stores: Stores) -> None:
    stores.journal.write([event(1), event(1)])
    stores.journal.write([event(1)])

    assert list(stores.archive.events_of(make_finding(1).finding_id)) == [event(1)]


def test_a_pass_leaves_the_unfinished_part_alone(stores: Stores) -> None:
    before = stores.work.open()
    stores.journal.record(make_scan_record(1))
    stores.journal.write([event(1)])

    assert stores.work.open() == before
