"""The finished part of the ledger, written by scans and looked up by people.

`FINDING#<finding id>` / `<time>#<kind>` is history, `SCAN` / `<scan id>` a scan.
Monthly messages are where work.py keeps them: at `MESSAGE` if sent, else at `OPEN`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from boto3.dynamodb.conditions import Key

from chalicelib.adapters.dynamodb.tables import (
    Row,
    expiry,
    from_row,
    get_all,
    put_all,
    query_table,
    read_page,
    to_row,
    to_text,
)
from chalicelib.adapters.dynamodb.work import SCANS, read_message, write_scan
from chalicelib.aws import translate_errors
from chalicelib.domain.history import EventKey, HistoryEvent, oldest_first
from chalicelib.domain.monthly import MESSAGE_PREFIX
from chalicelib.domain.scan import ScanRecord

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

KEEP_HISTORY = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class DynamoJournal:
    """`Journal` and `Archive`. The ledger table comes from a boto3 resource."""

    table: "Table"

    def write(self, events: Iterable[HistoryEvent]) -> None:
        """Appends history. The same event twice is one row."""
        put_all(self.table, map(_write_event, events), key=("pk", "sk"))

    def find(self, keys: Iterable[EventKey]) -> tuple[HistoryEvent, ...]:
        """Returns the events that are stored under these keys, consistently, in no order."""
        rows = get_all(self.table, map(_event_key, keys))
        return tuple(from_row(row, HistoryEvent) for row in rows)

    def record(self, scan: ScanRecord) -> None:
        """Keeps the numbers of a scan."""
        with translate_errors("DynamoDB", self.table.name):
            self.table.put_item(Item=write_scan(scan))

    def events_of(self, finding_id: str) -> tuple[HistoryEvent, ...]:
        """Returns a finding's history, oldest first."""
        rows = query_table(self.table, Key("pk").eq(_history_partition(finding_id)))
        return tuple(sorted((from_row(row, HistoryEvent) for row in rows), key=oldest_first))

    def scans(self, after: str | None, limit: int) -> tuple[ScanRecord, ...]:
        """Returns at most `limit` scans, newest first, after the scan id `after`."""
        newest_first = partial(
            self.table.query, ScanIndexForward=False, KeyConditionExpression=Key("pk").eq(SCANS)
        )
        start = None if after is None else {"pk": SCANS, "sk": after}
        rows = read_page(limit, start, newest_first, self.table)
        return tuple(from_row(row, ScanRecord) for row in rows)

    def latest_monthly(self) -> str | None:
        """Returns the bucket key of the newest stored monthly report, sent or not.

        Reads pending messages first: one that is sent meanwhile is then seen twice,
        while the other order would miss it.
        """
        is_pending = Key("pk").eq("OPEN") & Key("sk").begins_with("MESSAGE#")
        pending = query_table(self.table, is_pending)
        rows = [row for row in pending if row["id"].startswith(MESSAGE_PREFIX)]
        newest_sent = partial(
            self.table.query,
            ScanIndexForward=False,
            ConsistentRead=True,
            KeyConditionExpression=Key("pk").eq("MESSAGE") & Key("sk").begins_with(MESSAGE_PREFIX),
        )
        rows += read_page(1, None, newest_sent, self.table)
        stored = {
            message.id: file.key
            for message in map(read_message, rows)
            for file in message.stored_files
        }
        return stored[max(stored)] if stored else None


def _history_partition(finding_id: str) -> str:
    return f"FINDING#{finding_id}"


def _write_event(event: HistoryEvent) -> Row:
    """Builds the row. Its key says what happened when, so a repeat is the same row."""
    return to_row(event, **_event_key(event.key), expires_at=expiry(event.at, KEEP_HISTORY))


def _event_key(key: EventKey) -> dict[str, str]:
    return {"pk": _history_partition(key.finding_id), "sk": f"{to_text(key.at)}#{key.kind}"}
