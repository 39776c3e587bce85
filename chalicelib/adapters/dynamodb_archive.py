"""The finished part of the ledger in DynamoDB, looked up by people.

Rows that the journal has written, and monthly messages wherever they are: sent
ones at pk `MESSAGE`, sk the id, the others at pk `OPEN`, sk
`MESSAGE#<created at>#<id>`.
"""

from functools import partial
from typing import TYPE_CHECKING

from chalicelib.aws.dynamodb_pages import query_partition, read_page, where
from chalicelib.aws.journal_rows import SCANS, event_of, history_partition, scan_of
from chalicelib.aws.work_rows import message_of
from chalicelib.domain.history import oldest_first
from chalicelib.domain.message import Step
from chalicelib.domain.monthly import MESSAGE_PREFIX

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

    from chalicelib.domain.history import HistoryEvent
    from chalicelib.domain.scan_record import ScanRecord


class DynamoArchive:
    """`Archive`; the ledger table comes from a boto3 resource."""

    def __init__(self, table: "Table") -> None:
        self._table = table

    def events_of(self, finding_id: str) -> "tuple[HistoryEvent, ...]":
        """A finding's history in order of time."""
        rows = query_partition(self._table, "pk", history_partition(finding_id))
        return tuple(sorted(map(event_of, rows), key=oldest_first))

    def scans(self, after: str | None, limit: int) -> "tuple[ScanRecord, ...]":
        """At most `limit` passes behind `after`, by id backwards."""
        newest_first = partial(self._table.query, ScanIndexForward=False, **where("pk", SCANS))
        start = None if after is None else {"pk": SCANS, "sk": after}
        return tuple(map(scan_of, read_page(limit, start, newest_first, self._table)))

    def latest_monthly(self) -> str | None:
        """The bucket key of the newest monthly report that is stored, sent or not.

        Unfinished messages are read first: one that is sent meanwhile is seen
        twice, where the other order would miss it.
        """
        unfinished = query_partition(self._table, "pk", "OPEN", begins=("sk", "MESSAGE#"))
        rows = [row for row in unfinished if row["id"].startswith(MESSAGE_PREFIX)]
        newest_sent = partial(
            self._table.query,
            ScanIndexForward=False,
            ConsistentRead=True,
            **where("pk", "MESSAGE", begins=("sk", MESSAGE_PREFIX)),
        )
        rows += read_page(1, None, newest_sent, self._table)
        stored = {
            message.id: message.done[Step.STORE]
            for message in map(message_of, rows)
            if Step.STORE in message.done
        }
        return stored[max(stored)] if stored else None
