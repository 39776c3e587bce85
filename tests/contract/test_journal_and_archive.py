from dataclasses import replace
from itertools import chain

import pytest

from chalicelib.domain.finding import Severity
from chalicelib.domain.history import EventKind, HistoryEvent
from chalicelib.domain.message import CsvFile, Message, Source, Step
from chalicelib.domain.scan import ScanRecord
from chalicelib.usecases.ports import Archive, Staged
from tests.contract.samples import (
    MINUTE,
    NOW,
    make_finding,
    make_message,
    make_scan_record,
    make_snooze,
    make_snooze_event,
)
from tests.contract.stores import Stores
from tests.fakes import MemoryArchive
from tests.fleet import Service

ID = make_finding(1).finding_id


def pages(archive: Archive, size: int) -> list[list[ScanRecord]]:
    """Every page, and the empty one where the last is full."""
    made: list[list[ScanRecord]] = []
    after = None
    while not made or len(made[-1]) == size:
        assert len(made) <= 12, "the pages come to no end"
        made.append(list(archive.scans(after, size)))
        after = made[-1][-1].scan_id if made[-1] else after
    return made


def monthly(day: str, *, minutes: int = 0) -> Message:
    file = CsvFile(f"monthly/{day}.csv", "All findings", Source.EVERYTHING)
    return replace(make_message(1, minutes=minutes), id=f"monthly-{day}", csv=file)


def stored(report: Message) -> Message:
    assert report.csv
    return report.with_receipt(Step.STORE, report.csv.key)


def send(stores: Stores, report: Message) -> None:
    stores.work.stage(Staged(message=report), NOW)
    stores.work.record(
        stored(report).with_receipt(Step.POST, "1").with_receipt(Step.FILE, "F1"), NOW
    )


def test_a_finding_nobody_heard_of_has_no_history(stores: Stores) -> None:
    assert not stores.archive.events_of(ID)


def test_history_comes_oldest_first_in_whatever_order_it_was_written(stores: Stores) -> None:
    events = [
        HistoryEvent(ID, NOW + minutes * MINUTE, kind, f"scan-{minutes}")
        for minutes in (-1, 0, 60 * 24 * 365)
        for kind in (EventKind.NEW, EventKind.FIXED, EventKind.GONE)
    ]
    stores.journal.write(reversed(events))
    stores.journal.write([HistoryEvent(make_finding(2).finding_id, NOW, EventKind.NEW, "scan-1")])

    assert list(stores.archive.events_of(ID)) == events


def test_history_longer_than_a_page_is_read_whole(stores: Stores) -> None:
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
def test_a_pass_comes_back_as_it_was(stores: Stores, scan: ScanRecord) -> None:
    stores.journal.record(scan)

    (read,) = stores.archive.scans(None, 2)
    assert read == scan
    numbers = [*read.open.values(), read.findings_new, read.nodes_gone, read.untitled_items]
    assert {type(number) for number in numbers} == {int}
    assert all(type(severity) is Severity for severity in read.open)


def test_the_same_pass_again_is_one_pass(stores: Stores) -> None:
    stores.journal.record(make_scan_record(1))
    stores.journal.record(replace(make_scan_record(1), findings_new=9))

    assert [each.findings_new for each in stores.archive.scans(None, 9)] == [9]


@pytest.mark.parametrize("size", [1, 4, 12, 13])
def test_pages_of_passes_are_newest_first_and_lose_none(stores: Stores, size: int) -> None:
    scans = [make_scan_record(number) for number in range(12)]
    for scan in [*scans[5:], *scans[:5]]:
        stores.journal.record(scan)
    # Neighbours in the table: nothing of them is a pass.
    stores.work.mark_unannounced("scan-1")
    stores.snoozes.add(make_snooze(1), make_snooze_event(make_snooze(1)))

    made = pages(stores.archive, size)
    assert list(chain(*made)) == scans[::-1]
    assert all(len(page) <= size for page in made)


def test_passes_are_listed_behind_one_that_is_not_kept_any_more(stores: Stores) -> None:
    for number in (1, 2, 4):
        stores.journal.record(make_scan_record(number))

    behind = stores.archive.scans(make_scan_record(3).scan_id, 9)
    assert list(behind) == [make_scan_record(2), make_scan_record(1)]


def test_passes_of_more_than_a_page_are_given_as_many_as_asked_for(stores: Stores) -> None:
    # A row of 390 KB: three of them are more than the megabyte at which a page ends.
    scans = [replace(make_scan_record(number), message_id="m" * 390_000) for number in range(7)]
    for scan in scans:
        stores.journal.record(scan)

    assert list(stores.archive.scans(None, 6)) == scans[:0:-1]


def test_before_the_first_month_there_is_no_report(stores: Stores) -> None:
    stores.work.stage(Staged(message=make_message(1)), NOW)
    send(stores, make_message(2))

    assert stores.archive.latest_monthly() is None


def test_the_newest_of_the_reports_sent_is_found(stores: Stores) -> None:
    for day in ("2040-02-01", "2040-03-01", "2039-12-01"):
        send(stores, monthly(day))
    send(stores, replace(make_message(3), id="n"))

    assert stores.archive.latest_monthly() == "monthly/2040-03-01.csv"


def test_a_report_that_is_stored_counts_before_it_is_sent(stores: Stores) -> None:
    send(stores, monthly("2040-02-01"))
    stores.work.stage(Staged(message=monthly("2040-03-01", minutes=2)), NOW)
    assert stores.archive.latest_monthly() == "monthly/2040-02-01.csv"

    stores.work.record(stored(monthly("2040-03-01", minutes=2)), NOW)
    stores.work.stage(Staged(message=stored(replace(make_message(4), id="n"))), NOW)
    assert stores.archive.latest_monthly() == "monthly/2040-03-01.csv"


def test_an_old_report_that_waits_does_not_hide_a_newer_one(stores: Stores) -> None:
    stores.work.stage(Staged(message=stored(monthly("2040-02-01", minutes=9))), NOW)
    send(stores, monthly("2040-03-01"))

    assert stores.archive.latest_monthly() == "monthly/2040-03-01.csv"


def test_the_report_that_a_pass_makes_is_the_one_that_is_found() -> None:
    service = Service()
    service.enqueue_month()
    service.run()

    (key,) = service.files.objects
    assert MemoryArchive(service.ledger).latest_monthly() == key
