"""What scans leave: history, the facts that outputs follow, the titles that facts name, numbers.

`FINDING#<finding id>` / `<time>#<kind>` is history, `SCAN` / `<scan id>` a scan.
`FACTS#<day>` / `<number of the first>` is a row of facts, `OPEN` / `FACTS` the
receipt of the last one, `OPEN` / `MARK#<scan id>#<n>` a mark. `TITLE` /
`<reference>` is a title, `UNCHECKED` / `<instance id>#<finding id>` a finding that is not
checked any more. Monthly messages are where work.py keeps them: at `MESSAGE`
if sent, else at `OPEN`.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import ConditionBase, Key
from msgspec import Struct

from chalicelib.adapters.dynamodb.inventory import DynamoFindings, DynamoNodes
from chalicelib.adapters.dynamodb.tables import (
    Action,
    Row,
    delete_all,
    expiry,
    from_content,
    from_row,
    get_all,
    put_all,
    query_table,
    read_all,
    read_page,
    to_content,
    to_row,
    to_text,
    transact,
)
from chalicelib.adapters.dynamodb.work import (
    DAYS,
    SCANS,
    open_key,
    read_days,
    read_message,
    write_scan,
)
from chalicelib.aws import translate_errors
from chalicelib.domain.errors import BadRow, Conflict
from chalicelib.domain.finding import Title, UncheckedFinding, title_reference
from chalicelib.domain.history import EventKey, FactRow, HistoryEvent, Mark, Receipt, oldest_first
from chalicelib.domain.monthly import MESSAGE_PREFIX
from chalicelib.domain.scan import Day, ScanRecord
from chalicelib.usecases.ports import Selection, Settlement, UncheckedKey

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

KEEP_HISTORY = timedelta(days=400)


class DynamoJournal(Struct, frozen=True):
    """`Journal` and `Archive`. The ledger table comes from a boto3 resource."""

    table: "Table"

    def write(self, events: Iterable[HistoryEvent]) -> None:
        """Appends history. The same event twice is one row."""
        put_all(self.table, map(_write_event, events), key=("pk", "sk"))

    def find(self, keys: Iterable[EventKey]) -> tuple[HistoryEvent, ...]:
        """Returns the events that are stored under these keys, consistently, in no order.

        One that cannot be read is left out: it must not keep a message back.
        """
        rows = get_all(self.table, map(_event_key, keys))
        return tuple(read_all(rows, HistoryEvent))

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

    def days(self, since: str) -> tuple[Day, ...]:
        """Returns the days with numbers since a date, oldest first."""
        condition = Key("pk").eq(DAYS) & Key("sk").gte(since)
        return tuple(read_days(query_table(self.table, condition)))

    def facts_of(self, day: str) -> Iterator[FactRow]:
        """Yields the facts of a day, newest first."""
        rows = query_table(self.table, Key("pk").eq(f"FACTS#{day}"), ScanIndexForward=False)
        for row in rows:
            with suppress(BadRow):
                yield from_content(row, FactRow)

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


KEEP_FACTS = timedelta(days=90)
# A title that no new finding had for this long. An open finding of it is named by its own row then.
KEEP_TITLES = timedelta(days=400)
_TITLES = "TITLE"
_UNCHECKED = "UNCHECKED"


class DynamoFacts(Struct, frozen=True):
    """`FactLog`. The tables come from a boto3 resource."""

    ledger: "Table"
    nodes: DynamoNodes
    findings: DynamoFindings

    def mark(self, mark: Mark) -> None:
        """Records what is about to be written."""
        with translate_errors("DynamoDB", self.ledger.name):
            self.ledger.put_item(Item=to_content(mark, open_key("MARK", mark.id)))

    def settle(self, settlement: Settlement) -> None:
        """Writes all of it in one transaction."""
        actions = [
            *self._list_node_actions(settlement),
            *self.findings.list_actions(settlement.rows.findings, settlement.rows.removed),
            *({"Put": {"Item": _write_unchecked(each)}} for each in settlement.rows.unchecked),
            *({"Delete": {"Key": _unchecked_key(each)}} for each in settlement.rows.settled),
            *({"Put": {"Item": _write_event(each)}} for each in settlement.rows.events),
            *({"Put": {"Item": _write_facts(each)}} for each in settlement.facts),
            *({"Delete": {"Key": open_key("MARK", each)}} for each in settlement.marks),
            _move_receipt(settlement),
        ]
        if not transact(self.ledger, actions):
            raise Conflict(f"DynamoDB {self.ledger.name}: another scan has written facts")

    def rows(self, after: Receipt, until: Receipt) -> Iterator[FactRow]:
        """Yields the rows of facts, one partition a day.

        A row that cannot be read is left out. It must not stop every scan until it
        expires, and the number of its first fact shows that it is missing.
        """
        first, last = f"{after.number + 1:012}", f"{until.number:012}"
        if first > last:
            return
        for day in _list_days(after, until):
            between = Key("pk").eq(f"FACTS#{day}") & Key("sk").between(first, last)
            for row in query_table(self.ledger, between):
                with suppress(BadRow):
                    yield from_content(row, FactRow)

    def _list_node_actions(self, settlement: Settlement) -> Iterator[Action]:
        name, key = self.nodes.table.name, "instance_id"
        for before, after in settlement.nodes:
            written = {row[key]: row for row in self.nodes.list_rows(after)} if after else {}
            for row in written.values():
                yield {"Put": {"TableName": name, "Item": row}}
            for row in self.nodes.list_rows(before):
                if row[key] not in written:
                    yield {"Delete": {"TableName": name, "Key": {key: row[key]}}}


class DynamoUnchecked(Struct, frozen=True):
    """`UncheckedStore`. The ledger table comes from a boto3 resource."""

    table: "Table"

    def all(self) -> Iterator[UncheckedFinding]:
        """Yields every one, consistently. One that cannot be read is left out."""
        return _read_unchecked(query_table(self.table, Key("pk").eq(_UNCHECKED)))

    def page(
        self, selection: Selection, after: UncheckedKey | None, limit: int
    ) -> tuple[UncheckedFinding, ...]:
        """Returns at most `limit` after a key. A node's follow each other."""
        condition: ConditionBase = Key("pk").eq(_UNCHECKED)
        if selection.instance_id is not None:
            condition = condition & Key("sk").begins_with(f"{selection.instance_id}#")
        call = partial(self.table.query, KeyConditionExpression=condition)
        start = None if after is None else _unchecked_key(after)

        def keep(row: Row) -> bool:
            found = tuple(_read_unchecked([row]))
            return bool(found) and selection.title in (None, found[0].finding.title)

        return tuple(_read_unchecked(read_page(limit, start, call, self.table, keep)))

    def get(self, keys: Iterable[UncheckedKey]) -> dict[str, UncheckedFinding]:
        """Returns what is stored under these keys, consistently, by finding id."""
        rows = get_all(self.table, map(_unchecked_key, keys))
        return {each.finding.finding_id: each for each in _read_unchecked(rows)}

    def put(self, findings: Iterable[UncheckedFinding]) -> None:
        """Inserts or replaces."""
        put_all(self.table, map(_write_unchecked, findings), key=("pk", "sk"))

    def delete(self, keys: Iterable[UncheckedKey]) -> None:
        """Deletes. Keys that are not stored are ignored."""
        delete_all(self.table, map(_unchecked_key, keys))


def _unchecked_key(key: UncheckedKey) -> dict[str, str]:
    return {"pk": _UNCHECKED, "sk": f"{key.instance_id}#{key.finding_id}"}


def _write_unchecked(unchecked: UncheckedFinding) -> Row:
    finding = unchecked.finding
    return to_content(
        unchecked, _unchecked_key(UncheckedKey(finding.instance_id, finding.finding_id))
    )


def _read_unchecked(rows: Iterable[Row]) -> Iterator[UncheckedFinding]:
    for row in rows:
        with suppress(BadRow):
            yield from_content(row, UncheckedFinding)


class DynamoTitles(Struct, frozen=True):
    """`Titles`. The ledger table comes from a boto3 resource."""

    table: "Table"

    def all(self) -> Mapping[str, Title]:
        """Returns every title, by its reference.

        One that cannot be read is left out, as if it had expired.
        """
        rows = query_table(self.table, Key("pk").eq(_TITLES), Title.__struct_fields__)
        return {title_reference(each.text): each for each in read_all(rows, Title)}

    def put(self, titles: Iterable[Title], now: datetime) -> None:
        """Inserts or replaces. The last one of the same text counts."""
        expires_at = expiry(now, KEEP_TITLES)
        rows = (
            to_row(each, pk=_TITLES, sk=title_reference(each.text), expires_at=expires_at)
            for each in titles
        )
        put_all(self.table, rows, key=("pk", "sk"))


def _write_facts(row: FactRow) -> Row:
    key = {"pk": f"FACTS#{row.day}", "sk": f"{row.first:012}"}
    at = datetime.fromisoformat(f"{row.day}T00:00:00+00:00")
    return {**to_content(row, key), "expires_at": expiry(at, KEEP_FACTS)}


def _move_receipt(settlement: Settlement) -> Action:
    """Moves the receipt to the last fact, if nobody else has moved it."""
    last = settlement.facts[-1].receipt if settlement.facts else settlement.last
    condition = "#number = :before"
    if not settlement.last.number:
        condition += " OR attribute_not_exists(pk)"
    put: dict[str, Any] = {
        "Item": to_row(last, **open_key("FACTS")),
        "ConditionExpression": condition,
        "ExpressionAttributeNames": {"#number": "number"},
        "ExpressionAttributeValues": {":before": settlement.last.number},
    }
    return {"Put": put}


def _list_days(after: Receipt, until: Receipt) -> Iterator[str]:
    """Yields the days of two receipts and those between them, as far back as facts are kept."""
    end = date.fromisoformat(until.day)
    day = max(date.fromisoformat(after.day), end - KEEP_FACTS) if after.day else end - KEEP_FACTS
    while day <= end:
        yield day.isoformat()
        day += timedelta(days=1)
