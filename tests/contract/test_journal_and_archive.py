from itertools import chain

import pytest
from msgspec.structs import replace

from chalicelib.domain.finding import Severity
from chalicelib.domain.history import EventKind, HistoryEvent
from chalicelib.domain.message import CsvFile, Message, Source
from chalicelib.domain.scan import ScanRecord
from chalicelib.usecases.ports import Staged
from tests.contract.samples import (
    FILE,
    MINUTE,
    NOW,
    POST,
    STORE,
    make_finding,
    make_job,
    make_message,
    make_scan_record,
    make_snooze,
    make_snooze_event,
)
from tests.contract.stores import Stores, read_pages
from tests.fakes import MemoryArchive
from tests.fleet import Service

ID = make_finding(1).finding_id


def make_event(number: int, *, minutes: int = 0, kind: EventKind = EventKind.NEW) -> HistoryEvent:
    return HistoryEvent(make_finding(number).finding_id, NOW + minutes * MINUTE, kind, "scan-1")


def make_monthly(day: str, *, minutes: int = 0) -> Message:
    file = CsvFile(f"monthly/{day}.csv", "All findings", Source.EVERYTHING)
    return replace(make_message(1, minutes=minutes), id=f"monthly-{day}", files=(file,))


def store(report: Message) -> Message:
    """Returns the report with its file in the bucket."""
    (file,) = report.files
    return report.with_receipt(STORE, file.key)


def send(stores: Stores, report: Message) -> None:
    """Takes the report through every step."""
    stores.work.stage(Staged(message=report), NOW)
    stores.work.record(store(report).with_receipt(POST, "1").with_receipt(FILE, "F1"), NOW)


@pytest.mark.parametrize("size", [0, 1, 26, 130])
def test_every_event_is_in_the_history_of_its_finding(stores: Stores, size: int) -> None:
    events = [make_event(number) for number in range(size)]
    stores.journal.write(iter(events))

    for number in range(size + 1):
        found = stores.archive.events_of(make_finding(number).finding_id)
        assert list(found) == events[number : number + 1]


def test_an_event_written_twice_is_stored_once(stores: Stores) -> None:
    stores.journal.write([make_event(1), make_event(1)])
    stores.journal.write([make_event(1)])

    assert list(stores.archive.events_of(make_finding(1).finding_id)) == [make_event(1)]


def test_history_does_not_change_the_open_work(stores: Stores) -> None:
    before = stores.work.open()
    stores.journal.record(make_scan_record(1))
    stores.journal.write([make_event(1)])

    assert stores.work.open() == before


def test_an_unknown_finding_has_no_history(stores: Stores) -> None:
    assert not stores.archive.events_of(ID)


def test_history_is_read_oldest_first_in_any_order_of_writing(stores: Stores) -> None:
    events = [
        HistoryEvent(ID, NOW + minutes * MINUTE, kind, f"scan-{minutes}")
        for minutes in (-1, 0, 60 * 24 * 365)
        for kind in (EventKind.NEW, EventKind.FIXED, EventKind.GONE)
    ]
    stores.journal.write(reversed(events))
    stores.journal.write([HistoryEvent(make_finding(2).finding_id, NOW, EventKind.NEW, "scan-1")])

    assert list(stores.archive.events_of(ID)) == events


def test_a_history_longer_than_a_page_is_read_completely(stores: Stores) -> None:
    events = [
        HistoryEvent(ID, NOW + number * MINUTE, EventKind.NEW, "scan" * 1_000)
        for number in range(300)
    ]
    stores.journal.write(events)

    assert list(stores.archive.events_of(ID)) == events


@pytest.mark.parametrize(
    "scan",
    [
        make_scan_record(1),
        replace(make_scan_record(1), message_id=None, braked=False, open={}),
        replace(make_scan_record(1), open={each: each.rank for each in Severity}),
    ],
)
def test_a_scan_record_is_read_unchanged(stores: Stores, scan: ScanRecord) -> None:
    stores.journal.record(scan)

    (read,) = stores.archive.scans(None, 2)
    assert read == scan
    numbers = [*read.open.values(), read.findings_new, read.nodes_gone, read.untitled_items]
    assert {type(number) for number in numbers} == {int}
    assert all(type(severity) is Severity for severity in read.open)


def test_recording_a_scan_again_replaces_its_record(stores: Stores) -> None:
    stores.journal.record(make_scan_record(1))
    stores.journal.record(replace(make_scan_record(1), findings_new=9))

    assert [each.findings_new for each in stores.archive.scans(None, 9)] == [9]


@pytest.mark.parametrize("size", [1, 4, 12, 13])
def test_pages_list_every_scan_newest_first(stores: Stores, size: int) -> None:
    scans = [make_scan_record(number) for number in range(12)]
    for scan in [*scans[5:], *scans[:5]]:
        stores.journal.record(scan)
    # rows beside them in the table are no scans
    stores.work.enqueue(make_job("a"))
    stores.snoozes.add(make_snooze(1), make_snooze_event(make_snooze(1)))

    pages = read_pages(
        lambda after: stores.archive.scans(after, size), lambda scan: scan.scan_id, size
    )
    assert list(chain(*pages)) == scans[::-1]
    assert all(len(page) <= size for page in pages)


def test_a_list_continues_after_a_scan_that_is_no_longer_stored(stores: Stores) -> None:
    for number in (1, 2, 4):
        stores.journal.record(make_scan_record(number))

    found = stores.archive.scans(make_scan_record(3).scan_id, 9)
    assert list(found) == [make_scan_record(2), make_scan_record(1)]


def test_the_requested_number_of_scans_is_read_over_several_pages(stores: Stores) -> None:
    # three rows of 390 KB exceed the megabyte at which DynamoDB ends a page
    scans = [replace(make_scan_record(number), message_id="m" * 390_000) for number in range(7)]
    for scan in scans:
        stores.journal.record(scan)

    assert list(stores.archive.scans(None, 6)) == scans[:0:-1]


def test_without_a_monthly_report_there_is_no_latest_one(stores: Stores) -> None:
    stores.work.stage(Staged(message=make_message(1)), NOW)
    send(stores, make_message(2))

    assert stores.archive.latest_monthly() is None


def test_the_newest_monthly_report_is_the_latest_one(stores: Stores) -> None:
    for day in ("2040-02-01", "2040-03-01", "2039-12-01"):
        send(stores, make_monthly(day))
    send(stores, replace(make_message(3), id="n"))

    assert stores.archive.latest_monthly() == "monthly/2040-03-01.csv"


def test_a_monthly_report_counts_once_it_is_in_the_bucket(stores: Stores) -> None:
    send(stores, make_monthly("2040-02-01"))
    stores.work.stage(Staged(message=make_monthly("2040-03-01", minutes=2)), NOW)
    assert stores.archive.latest_monthly() == "monthly/2040-02-01.csv"

    stores.work.record(store(make_monthly("2040-03-01", minutes=2)), NOW)
    stores.work.stage(Staged(message=store(replace(make_message(4), id="n"))), NOW)
    assert stores.archive.latest_monthly() == "monthly/2040-03-01.csv"


def test_an_old_pending_report_does_not_hide_a_newer_one(stores: Stores) -> None:
    stores.work.stage(Staged(message=store(make_monthly("2040-02-01", minutes=9))), NOW)
    send(stores, make_monthly("2040-03-01"))

    assert stores.archive.latest_monthly() == "monthly/2040-03-01.csv"


def test_the_report_of_a_scan_is_the_latest_one() -> None:
    service = Service()
    service.enqueue_month()
    service.run()

    (key,) = service.files.objects
    assert MemoryArchive(service.ledger).latest_monthly() == key
