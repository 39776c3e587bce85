"""The journal in DynamoDB: rows of the ledger that are finished when written, kept for people."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from chalicelib.aws.dynamodb_batches import put_all
from chalicelib.aws.errors import translate_errors
from chalicelib.aws.journal_rows import event_row, scan_row
from chalicelib.domain.history import HistoryEvent
from chalicelib.domain.scan_record import ScanRecord

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


class DynamoJournal:
    """`Journal`; the ledger table comes from a boto3 resource."""

    def __init__(self, table: "Table") -> None:
        self._table = table

    def write(self, events: Iterable[HistoryEvent]) -> None:
        """Append history; the same event twice is one row."""
        put_all(self._table, map(event_row, events), key=("pk", "sk"))

    def record(self, scan: ScanRecord) -> None:
        """Keep what a pass did, in numbers."""
        with translate_errors("DynamoDB", self._table.name):
            self._table.put_item(Item=scan_row(scan))
