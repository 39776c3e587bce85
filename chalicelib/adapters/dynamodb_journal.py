"""The journal in DynamoDB: rows of the ledger that are finished when written, kept for people.

`FINDING#<finding id>` / `<time>#<kind>` is history, `SCAN` / `<scan id>` a pass.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING

from chalicelib.aws.dynamodb_batches import put_all
from chalicelib.aws.dynamodb_pages import Row
from chalicelib.aws.dynamodb_times import expiry, to_text
from chalicelib.aws.errors import in_our_words
from chalicelib.domain.alert import Coverage
from chalicelib.domain.history import HistoryEvent
from chalicelib.usecases.ports import ScanRecord

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

KEEP_HISTORY = timedelta(days=400)
KEEP_SCANS = timedelta(days=90)


class DynamoJournal:
    """`Journal`; the ledger table comes from a boto3 resource."""

    def __init__(self, table: "Table") -> None:
        self._table = table

    def write(self, events: Iterable[HistoryEvent]) -> None:
        """Append history; the key says what happened when, so a repeat is no second line."""
        put_all(self._table, map(_event_row, events), key=("pk", "sk"))

    def record(self, scan: ScanRecord) -> None:
        """Keep what a pass did, in numbers."""
        with in_our_words("DynamoDB", self._table.name):
            self._table.put_item(Item=_scan_row(scan))


def _event_row(event: HistoryEvent) -> Row:
    return {
        "pk": f"FINDING#{event.finding_id}",
        "sk": f"{to_text(event.at)}#{event.kind}",
        "at": to_text(event.at),
        "kind": event.kind.value,
        "scan_id": event.scan_id,
        "expires_at": expiry(event.at, KEEP_HISTORY),
    }


def _scan_row(scan: ScanRecord) -> Row:
    outcome = scan.outcome
    row: Row = {
        "pk": "SCAN",
        "sk": outcome.scan_id,
        "at": to_text(outcome.at),
        "finished_at": to_text(scan.finished_at),
        "opened": len(outcome.opened),
        "resolved": outcome.resolved,
        "open": {severity.value: count for severity, count in outcome.by_severity.items()},
        "nodes": _coverage_numbers(outcome.coverage),
        "expires_at": expiry(scan.finished_at, KEEP_SCANS),
    }
    if scan.message_id is not None:
        row["message_id"] = scan.message_id
    return row


def _coverage_numbers(coverage: Coverage) -> Row:
    return {
        "known": coverage.known,
        "listed": len(coverage.reports),
        "read": coverage.read,
        "left": coverage.left,
        "unproven": len(coverage.unproven),
        "untitled": coverage.untitled,
        "missing": coverage.missing,
        "braked": coverage.braked,
        "gone": coverage.gone,
    }
