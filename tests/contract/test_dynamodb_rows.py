"""What lies in the tables: names people may rely on, and what expires when."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib.aws.dynamodb_pages import whole_table
from chalicelib.domain.alert import Coverage, Outcome, Told
from chalicelib.domain.finding import Severity, title_id
from chalicelib.domain.history import EventKind, HistoryEvent
from chalicelib.domain.message import Step
from chalicelib.usecases.ports import ScanRecord, Staged
from tests.contract.conftest import Tables, stores_of
from tests.contract.samples import MINUTE, NOW, debt, finding, message, snooze


def ledger(tables: Tables) -> dict[tuple[str, str], dict[str, Any]]:
    return {(row["pk"], row["sk"]): row for row in whole_table(tables.ledger)}


def epoch(at: datetime, days: int) -> int:
    return int((at + timedelta(days=days)).timestamp())


def test_a_finding_row_has_the_names_that_others_read(tables: Tables) -> None:
    stores_of(tables).findings.put([finding(1)])

    assert list(whole_table(tables.findings)) == [
        {
            "finding_id": finding(1).finding_id,
            "instance_id": "i-0123456789abcdef0",
            "title": "control 1",
            "title_id": title_id("control 1"),
            "severity": "HIGH",
            "control_id": "control-1",
            "first_seen": "2040-02-29T23:59:59.123456+00:00",
            "scan_id": "scan-1",
        }
    ]


def test_a_title_that_only_shares_the_hash_is_left_out(tables: Tables) -> None:
    stores = stores_of(tables)
    stores.findings.put([finding(1)])
    tables.findings.update_item(
        Key={"finding_id": finding(1).finding_id},
        UpdateExpression="SET title = :title",
        ExpressionAttributeValues={":title": "another with this md5"},
    )

    assert stores.findings.of_title("control 1") == ()


def test_nothing_unfinished_expires_and_it_is_one_partition(tables: Tables) -> None:
    stores = stores_of(tables)
    stores.lease.acquire("a", NOW, NOW + MINUTE)
    stores.work.owe(debt("association#1"))
    stores.work.mark_opened("scan-1")
    stores.work.stage(Staged(message=message(1), told=Told(left=True)), NOW)
    stores.work.record(message(1).after(Step.POST, "1700000000.000100"), NOW)
    stores.snoozes.add(snooze(1))
    stores.snoozes.add(snooze(2))
    stores.snoozes.end(replace(snooze(2), ended_at=NOW, version=2))

    rows = ledger(tables)
    assert set(rows) == {
        ("LEASE", "writer"),
        ("OPEN", "EXECUTION#association#1"),
        ("OPEN", "OPENED#scan-1"),
        ("OPEN", "MESSAGE#2040-02-29T23:59:59.123456+00:00#message-1"),
        ("OPEN", "TOLD"),
        ("SNOOZE", "snooze-1"),
        ("SNOOZE", "snooze-2"),
    }
    assert not any("expires_at" in row for row in rows.values())


def test_what_is_finished_moves_and_expires(tables: Tables) -> None:
    stores = stores_of(tables)
    stores.work.owe(debt("association#1"))
    stores.work.mark_opened("scan-1")
    stores.snoozes.add(snooze(1))
    told = replace(snooze(1), told_at=NOW - MINUTE, version=2)
    pending = message(1, csv=False)
    stores.work.stage(Staged(pending, ("scan-1",), (debt("association#1"),), (told,)), NOW)
    stores.work.record(pending.after(Step.POST, "1700000000.000100"), NOW + MINUTE)

    assert {key: row["expires_at"] for key, row in ledger(tables).items()} == {
        ("EXECUTION", "association#1"): epoch(NOW, 7),
        ("MESSAGE", "message-1"): epoch(NOW + MINUTE, 90),
        ("SNOOZE", "snooze-1"): epoch(NOW - MINUTE, 400),
    }


def test_history_is_in_order_of_time_and_expires(tables: Tables) -> None:
    opened = HistoryEvent(finding(1).finding_id, NOW, EventKind.OPENED, "scan-1")
    stores_of(tables).journal.write([opened])

    time = "2040-02-29T23:59:59.123456+00:00"
    key = (f"FINDING#{finding(1).finding_id}", f"{time}#opened")
    assert ledger(tables) == {
        key: {
            "pk": key[0],
            "sk": key[1],
            "at": time,
            "kind": "opened",
            "scan_id": "scan-1",
            "expires_at": epoch(NOW, 400),
        }
    }


def test_a_pass_is_kept_in_numbers_and_expires(tables: Tables) -> None:
    coverage = Coverage(
        known=9, reports={"i-1": NOW, "i-2": NOW}, read=2, left=1, unproven={"i-1": "why"},
        untitled=3, missing=4, braked=True, gone=5,
    )  # fmt: skip
    outcome = Outcome("scan-1", NOW, (finding(1),), 7, {Severity.HIGH: 8}, coverage)
    record = ScanRecord(outcome, NOW + MINUTE, message_id="message-1")
    stores_of(tables).journal.record(record)
    stores_of(tables).journal.record(record)
    silent = replace(record, outcome=replace(outcome, scan_id="scan-2"), message_id=None)
    stores_of(tables).journal.record(silent)

    rows = ledger(tables)
    assert rows["SCAN", "scan-1"] == {
        "pk": "SCAN",
        "sk": "scan-1",
        "at": "2040-02-29T23:59:59.123456+00:00",
        "finished_at": "2040-03-01T00:00:59.123456+00:00",
        "opened": 1,
        "resolved": 7,
        "open": {"HIGH": 8},
        "nodes": {
            "known": 9, "listed": 2, "read": 2, "left": 1, "unproven": 1,
            "untitled": 3, "missing": 4, "braked": True, "gone": 5,
        },
        "message_id": "message-1",
        "expires_at": epoch(NOW + MINUTE, 90),
    }  # fmt: skip
    assert "message_id" not in rows["SCAN", "scan-2"]
