"""The rows of the tables: attributes that people may rely on, and when each row expires."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from chalicelib.adapters.dynamodb.tables import scan_table
from chalicelib.domain.announcement import ChannelState
from chalicelib.domain.errors import BadRow
from chalicelib.domain.finding import Title, title_id
from chalicelib.domain.history import NO_FACTS, EventKind, FactRow, HistoryEvent, Mark, NodeFacts
from chalicelib.domain.scan import Day
from chalicelib.usecases.ports import Selection, Settlement, Staged
from tests.contract.samples import (
    MINUTE,
    NOW,
    POST,
    make_finding,
    make_job,
    make_message,
    make_scan_record,
    make_snooze,
    make_snooze_event,
)
from tests.contract.stores import Tables, build_stores, list_by_title

# In keys times have a fixed width, so that texts sort as instants do.
TIME = "2040-02-29T23:59:59.123456+00:00"
AT = "2040-02-29T23:59:59.123456Z"
HISTORY = {"SNOOZE#snooze-1", "SNOOZE#snooze-2"}


def read_ledger(tables: Tables) -> dict[tuple[str, str], dict[str, Any]]:
    return {(row["pk"], row["sk"]): row for row in scan_table(tables.ledger)}


def compute_expiry(at: datetime, days: int) -> int:
    return int((at + timedelta(days=days)).timestamp())


def test_a_finding_row_has_the_documented_attributes(tables: Tables) -> None:
    build_stores(tables).findings.put([make_finding(1)])

    assert list(scan_table(tables.findings)) == [
        {
            "finding_id": make_finding(1).finding_id,
            "instance_id": "i-0123456789abcdef0",
            "title": "control 1",
            "title_id": title_id("control 1"),
            "severity": "HIGH",
            "control_id": "control-1",
            "first_seen": AT,
            "scan_id": "scan-1",
        }
    ]


def test_another_title_with_the_same_hash_is_not_listed(tables: Tables) -> None:
    stores = build_stores(tables)
    found = [make_finding(1, node=f"i-{number}") for number in range(6)]
    found.sort(key=lambda each: each.finding_id)
    stores.findings.put(found)
    for each in found[:5:2]:
        tables.findings.update_item(
            Key={"finding_id": each.finding_id},
            UpdateExpression="SET title = :title",
            ExpressionAttributeValues={":title": "another with this md5"},
        )

    listed = tuple(found[1::2])
    assert list_by_title(stores, "control 1") == listed
    by_title = Selection(title="control 1")
    assert stores.findings.page(by_title, None, 2) == listed[:2]
    assert stores.findings.page(by_title, listed[1].finding_id, 2) == listed[2:]


def test_open_work_never_expires_and_is_one_partition(tables: Tables) -> None:
    stores = build_stores(tables)
    stores.lease.acquire("a", NOW, NOW + MINUTE)
    stores.work.enqueue(make_job("association#1"))
    stores.facts.mark(Mark("scan-1#00001", "scan-1", ()))
    stores.facts.settle(Settlement((), (), NO_FACTS))
    stores.work.stage(
        Staged(message=make_message(1), channel_state=ChannelState(deferred=True)), NOW
    )
    stores.work.record(make_message(1).with_receipt(POST, "1700000000.000100"), NOW)
    for snooze in (make_snooze(1), replace(make_snooze(2), ends_at=None)):
        stores.snoozes.add(snooze, make_snooze_event(snooze))
    stores.snoozes.save(replace(make_snooze(2), ended_at=NOW, version=2))

    rows = {key: row for key, row in read_ledger(tables).items() if key[0] not in HISTORY}
    assert set(rows) == {
        ("LEASE", "writer"),
        ("OPEN", "JOB#association#1"),
        ("OPEN", "FACTS"),
        ("OPEN", "MARK#scan-1#00001"),
        ("OPEN", "MESSAGE#2040-02-29T23:59:59.123456+00:00#message-1"),
        ("OPEN", "CHANNEL"),
        ("SNOOZE", "snooze-1"),
        ("SNOOZE", "snooze-2"),
    }
    assert not any("expires_at" in row for row in rows.values())


def test_finished_work_leaves_the_partition_and_expires(tables: Tables) -> None:
    stores = build_stores(tables)
    stores.work.enqueue(make_job("association#1"))
    stores.snoozes.add(make_snooze(1), make_snooze_event(make_snooze(1)))
    settled = replace(make_snooze(1), settled_at=NOW - MINUTE, version=2)
    pending = make_message(1, csv=False)
    stores.work.stage(Staged(pending, (make_job("association#1"),), (settled,)), NOW)
    stores.work.record(pending.with_receipt(POST, "1700000000.000100"), NOW + MINUTE)

    rows = {key: row for key, row in read_ledger(tables).items() if key[0] not in HISTORY}
    assert {key: row["expires_at"] for key, row in rows.items()} == {
        ("JOB", "association#1"): compute_expiry(NOW, 7),
        ("MESSAGE", "message-1"): compute_expiry(NOW + MINUTE, 90),
        ("SNOOZE", "snooze-1"): compute_expiry(NOW - MINUTE, 400),
    }


def test_a_title_and_a_line_of_history_that_cannot_be_read_stop_nothing(tables: Tables) -> None:
    stores = build_stores(tables)
    left = HistoryEvent(make_finding(1).finding_id, NOW, EventKind.FIXED, "scan-1")
    other = HistoryEvent(make_finding(2).finding_id, NOW, EventKind.FIXED, "scan-1")
    stores.titles.put([Title("A", ""), Title("B", "")], NOW)
    stores.journal.write([left, other])
    for key, row in read_ledger(tables).items():
        if "A" in row.values() or left.finding_id in row.values():
            damaged = {"text": {"not": "a text"}} if key[0] == "TITLE" else {"kind": "unknown"}
            tables.ledger.put_item(Item={**row, **damaged})

    assert [each.text for each in stores.titles.all().values()] == ["B"]
    assert stores.journal.find([left.key, other.key]) == (other,)


def test_a_day_is_kept_beside_the_work_and_by_its_date_which_expires(tables: Tables) -> None:
    stores = build_stores(tables)
    stores.work.stage(Staged(day=Day("2026-11-28", nodes_known=1)), NOW)

    rows = read_ledger(tables)
    assert rows.keys() == {("OPEN", "DAY"), ("DAY", "2026-11-28")}
    assert "expires_at" not in rows["OPEN", "DAY"]
    midnight = datetime.fromisoformat("2026-11-28T00:00:00+00:00")
    assert rows["DAY", "2026-11-28"]["expires_at"] == compute_expiry(midnight, 400)


@pytest.mark.parametrize("damage", [{"content": "{"}, {"row_version": 99}])
def test_a_day_that_cannot_be_read_stops_nothing(tables: Tables, damage: dict[str, Any]) -> None:
    stores = build_stores(tables)
    stores.work.stage(Staged(day=Day("2026-11-27")), NOW)
    stores.work.stage(Staged(day=Day("2026-11-28")), NOW)
    rows = read_ledger(tables)
    for key in (("OPEN", "DAY"), ("DAY", "2026-11-28")):
        tables.ledger.put_item(Item={**rows[key], **damage})

    assert stores.work.open().day is None
    assert list(stores.archive.days("2020-01-01")) == [Day("2026-11-27")]


def test_history_is_sorted_by_time_and_expires(tables: Tables) -> None:
    event = HistoryEvent(make_finding(1).finding_id, NOW, EventKind.NEW, "scan-1")
    build_stores(tables).journal.write([event])

    key = (f"FINDING#{make_finding(1).finding_id}", f"{TIME}#new")
    assert read_ledger(tables) == {
        key: {
            "pk": key[0],
            "sk": key[1],
            "finding_id": make_finding(1).finding_id,
            "at": AT,
            "kind": "new",
            "scan_id": "scan-1",
            "expires_at": compute_expiry(NOW, 400),
        }
    }


def test_the_history_of_a_snooze_expires_even_if_the_snooze_does_not(tables: Tables) -> None:
    snooze = replace(make_snooze(1), version=12, ends_at=None, comment="ticket 42")
    build_stores(tables).snoozes.add(snooze, make_snooze_event(snooze))

    rows = read_ledger(tables)
    assert "expires_at" not in rows["SNOOZE", "snooze-1"]
    assert rows["SNOOZE#snooze-1", f"{TIME}#000012#created"] == {
        "pk": "SNOOZE#snooze-1",
        "sk": f"{TIME}#000012#created",
        "snooze_id": "snooze-1",
        "at": AT,
        "kind": "created",
        "by": "oncall",
        "via": "api",
        "version": 12,
        "reason": "fix_scheduled",
        "comment": "ticket 42",
        "expires_at": compute_expiry(NOW, 400),
    }


def test_a_scan_record_holds_numbers_and_expires(tables: Tables) -> None:
    journal = build_stores(tables).journal
    journal.record(make_scan_record(1))
    journal.record(make_scan_record(1))
    journal.record(replace(make_scan_record(2), message_id=None))

    rows = read_ledger(tables)
    assert rows["SCAN", "scan-001"] == {
        "pk": "SCAN",
        "sk": "scan-001",
        "scan_id": "scan-001",
        "at": AT,
        "finished_at": "2040-03-01T00:00:59.123456Z",
        "findings_new": 1,
        "findings_fixed": 2,
        "findings_gone": 3,
        "open": {"HIGH": 3, "UNSPECIFIED": 4},
        "nodes_known": 5,
        "nodes_listed": 6,
        "nodes_read": 7,
        "nodes_deferred": 8,
        "nodes_unverified": 9,
        "nodes_missing": 10,
        "nodes_gone": 11,
        "braked": True,
        "untitled_items": 12,
        "message_id": "message-1",
        "findings_worse": 0,
        "findings_reworded": 0,
        "findings_unchecked": 0,
        "findings_checked_again": 0,
        "expires_at": compute_expiry(NOW + MINUTE, 90),
    }
    assert "message_id" not in rows["SCAN", "scan-002"]


@pytest.mark.parametrize(
    ("content", "first_seen"), [("no JSON", "yesterday"), (1, 1), ({}, ["2026"]), ("", {})]
)
def test_a_row_that_cannot_be_read_is_named(tables: Tables, content: Any, first_seen: Any) -> None:
    tables.ledger.put_item(Item={"pk": "SNOOZE", "sk": "s-1", "id": "s-1"})
    tables.ledger.put_item(Item={"pk": "OPEN", "sk": "CHANNEL", "content": content})
    tables.findings.put_item(Item={"finding_id": "f-1", "first_seen": first_seen})
    stores = build_stores(tables)

    for read, named in (
        (stores.snoozes.unsettled, "SNOOZE / s-1 is not a Snooze"),
        (stores.work.open, "OPEN / CHANNEL is not a ChannelState"),
        (lambda: list(stores.findings.all()), "f-1 is not a Finding"),
    ):
        with pytest.raises(BadRow, match=f"the row {named}"):
            read()


@pytest.mark.parametrize("damage", [{"content": "no JSON"}, {"row_version": 3}])
def test_a_row_of_facts_that_cannot_be_read_is_left_out(
    tables: Tables, damage: dict[str, Any]
) -> None:
    facts = build_stores(tables).facts
    ids = {EventKind.NEW: (make_finding(1).finding_id,)}
    rows = [
        FactRow(first, "2040-02-29", "scan-1", (NodeFacts("i-1", NOW, ids),)) for first in (1, 2, 3)
    ]
    facts.settle(Settlement((), tuple(rows), NO_FACTS))
    second = read_ledger(tables)["FACTS#2040-02-29", f"{2:012}"]
    tables.ledger.put_item(Item={**second, **damage})

    assert list(facts.rows(NO_FACTS, rows[-1].receipt)) == [rows[0], rows[2]]


def test_equal_times_and_titles_of_findings_are_one_object(tables: Tables) -> None:
    stores = build_stores(tables)
    stores.findings.put(make_finding(1, node=f"i-{number}") for number in range(2))

    one, other = stores.findings.all()

    # 100,000 findings of a fleet share few of them, and must fit into memory
    assert one.first_seen is other.first_seen
    assert one.title is other.title
