"""The unfinished part of the ledger, and the lease on it.

Everything unfinished is in one partition, pk `OPEN`. One consistent query reads
it, however much is finished and kept beside it:

    JOB#<key>                     a job
    MARK#<scan id>#<n>            what a scan is about to write
    UNANNOUNCED#<scan id>         a scan of an older version, whose findings are not announced
    RECEIPT#<output>              how far an output has followed the facts
    FACTS                         the receipt of the last fact (facts.py)
    MESSAGE#<created at>#<id>     a message that is not delivered
    CHANNEL                       the channel state
    OUTPUT#<name>                 an output that failed last
    DAY                           the last day that has numbers

What is finished moves to a row of its own that expires: a completed job to pk
`JOB`, sk its key, a sent message to pk `MESSAGE`, sk its id. Every day is pk
`DAY`, sk `<date>`, the last one too. The lease is pk `LEASE`, sk `writer`.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from boto3.dynamodb.conditions import Attr, ConditionBase, Key
from msgspec import Struct

from chalicelib.adapters.dynamodb.snoozes import put_next_version
from chalicelib.adapters.dynamodb.tables import (
    MAX_ACTIONS,
    Action,
    Row,
    expiry,
    from_content,
    from_row,
    get_all,
    query_table,
    to_content,
    to_row,
    to_text,
    transact,
)
from chalicelib.aws import translate_errors
from chalicelib.domain.announcement import ChannelState
from chalicelib.domain.errors import BadRow, Conflict
from chalicelib.domain.history import NO_FACTS, Mark, Receipt
from chalicelib.domain.message import Message, OutputState
from chalicelib.domain.scan import MOST_DAYS, Day, Job, ScanRecord
from chalicelib.usecases.ports import MAX_LEASE, MAX_SETTLED_SNOOZES, OpenWork, Staged

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

KEEP_COMPLETED = timedelta(days=7)
KEEP_SENT = timedelta(days=90)
KEEP_SCANS = timedelta(days=90)
SCANS = "SCAN"
KEEP_DAYS = timedelta(days=MOST_DAYS)
DAYS = "DAY"

# The first fails if the job is known. The others fail if another writer comes between.
_ENQUEUE_ATTEMPTS = 4
_ABSENT: Row = {"ConditionExpression": "attribute_not_exists(pk)"}
_LEASE = {"pk": "LEASE", "sk": "writer"}


class DynamoWork(Struct, frozen=True):
    """`Work`. The ledger table comes from a boto3 resource."""

    table: "Table"

    def enqueue(self, job: Job) -> bool:
        """Writes a job, or what a later event of a known one says; False if that is nothing.

        Raises `Conflict` if others change it again and again.
        """
        known: dict[str, Row] = {}
        for _ in range(_ENQUEUE_ATTEMPTS):
            actions = _plan_enqueuing(job, known.get("OPEN"), known.get("JOB"))
            if not actions:
                return False
            if transact(self.table, actions):
                return True
            keys = (open_key("JOB", job.key), _completed_key(job))
            known = {row["pk"]: row for row in get_all(self.table, keys)}
        raise Conflict(f"DynamoDB {self.table.name}: others keep changing the job {job.key}")

    def open(self) -> OpenWork:
        """Reads the partition. The keys of its rows say what they are."""
        rows: dict[str, list[Row]] = defaultdict(list)
        for row in query_table(self.table, Key("pk").eq("OPEN")):
            rows[row["sk"].partition("#")[0]].append(row)
        jobs = (from_row(row, Job) for row in rows["JOB"])
        states = (from_content(row, ChannelState) for row in rows["CHANNEL"])
        last = (from_row(row, Receipt) for row in rows["FACTS"])
        outputs = (from_row(row, OutputState) for row in rows["OUTPUT"])
        days = tuple(read_days(rows["DAY"]))
        return OpenWork(
            jobs=tuple(sorted(jobs, key=lambda job: (job.enqueued_at, job.key))),
            messages=tuple(map(read_message, rows["MESSAGE"])),
            channel_state=next(states, ChannelState()),
            marks=tuple(from_content(row, Mark) for row in rows["MARK"]),
            last_fact=next(last, NO_FACTS),
            receipts={
                row["sk"].removeprefix("RECEIPT#"): from_row(row, Receipt)
                for row in rows["RECEIPT"]
            },
            unannounced_scans=tuple(row["scan_id"] for row in rows["UNANNOUNCED"]),
            outputs={each.name: each for each in outputs},
            day=days[0] if days else None,
        )

    def stage(self, staged: Staged, now: datetime) -> None:
        """Writes the decision in one transaction, and what that cannot hold in further ones."""
        if len(staged.snoozes) > MAX_SETTLED_SNOOZES:
            raise ValueError(f"more than {MAX_SETTLED_SNOOZES} settled snoozes in one decision")
        for number, actions in enumerate(_plan_transactions(staged, now)):
            # after the first the decision is written: jobs with a later event wait for the next
            if not transact(self.table, actions) and not number:
                raise Conflict(f"DynamoDB {self.table.name}: another writer was first")

    def save_receipt(self, output: str, receipt: Receipt) -> None:
        """Writes the row of an output."""
        with translate_errors("DynamoDB", self.table.name):
            self.table.put_item(Item=to_row(receipt, **open_key("RECEIPT", output)))

    def record(self, message: Message, now: datetime) -> None:
        """Writes the steps. A sent message leaves the partition for good."""
        if message.sent:
            sent = _write_message(message, _sent_key(message))
            sent["expires_at"] = expiry(now, KEEP_SENT)
            delete: Action = {"Delete": {"Key": _pending_key(message)}}
            transact(self.table, [delete, {"Put": {"Item": sent}}])
            return
        with translate_errors("DynamoDB", self.table.name):
            self.table.put_item(
                Item=_write_message(message, _pending_key(message)),
                ConditionExpression=Attr("pk").exists(),
            )

    def save_output(self, name: str, state: OutputState | None) -> None:
        """Writes or deletes the row of an output."""
        key = open_key("OUTPUT", name)
        with translate_errors("DynamoDB", self.table.name):
            if state is None:
                self.table.delete_item(Key=key)
            else:
                self.table.put_item(Item=to_row(state, **key))


class DynamoLease(Struct, frozen=True):
    """`Lease`. The ledger table comes from a boto3 resource.

    The clock is the caller's, so `until` must outlast the caller by more than
    clocks differ. TTL does not remove the row: that comes days late.
    """

    table: "Table"

    def acquire(self, owner: str, now: datetime, until: datetime) -> bool:
        """Takes the lease if it is free, has run out, or is held by `owner`; else leaves word."""
        free = (
            Attr("pk").not_exists()
            | Attr("until").lte(to_text(now))
            | Attr("until").gt(to_text(now + MAX_LEASE))
            | Attr("owner").eq(owner)
        )
        lease = {**_LEASE, "owner": owner, "until": to_text(until)}
        # it may be released between the two calls, and then it is free
        return self._put(lease, free) or (not self._leave_word(now) and self._put(lease, free))

    def release(self, owner: str) -> bool:
        """Releases the lease if `owner` still holds it. Returns whether it was wanted."""
        try:
            with translate_errors("DynamoDB", self.table.name):
                answer = self.table.delete_item(
                    Key=_LEASE,
                    ConditionExpression=Attr("owner").eq(owner),
                    ReturnValues="ALL_OLD",
                )
        except Conflict:
            return False
        return bool(answer.get("Attributes", {}).get("wanted"))

    def _put(self, lease: Row, free: ConditionBase) -> bool:
        try:
            with translate_errors("DynamoDB", self.table.name):
                self.table.put_item(Item=lease, ConditionExpression=free)
        except Conflict:
            return False
        return True

    def _leave_word(self, now: datetime) -> bool:
        """Tells the holder that somebody wants the lease; False if nobody holds it any more."""
        try:
            with translate_errors("DynamoDB", self.table.name):
                self.table.update_item(
                    Key=_LEASE,
                    UpdateExpression="SET wanted = :true",
                    ConditionExpression="#until > :now",
                    ExpressionAttributeNames={"#until": "until"},
                    ExpressionAttributeValues={":true": True, ":now": to_text(now)},
                )
        except Conflict:
            return False
        return True


def read_message(row: Row) -> Message:
    """Builds the message of a row."""
    if "row_version" not in row:
        # few deployments ever meet one
        from chalicelib.adapters.dynamodb.earlier_rows import read_earlier_message  # noqa: PLC0415

        return read_earlier_message(from_content(row, dict))
    return from_content(row, Message)


def _write_message(message: Message, key: Row) -> Row:
    """Builds the row. The message is JSON text, so that DynamoDB changes no number in it."""
    return {**to_content(message, key), "id": message.id}


def write_scan(scan: ScanRecord) -> Row:
    """Builds the row of a scan."""
    expires_at = expiry(scan.finished_at, KEEP_SCANS)
    return to_row(scan, pk=SCANS, sk=scan.scan_id, expires_at=expires_at)


def write_day(day: Day) -> Row:
    """Builds the row of a day."""
    at = datetime.fromisoformat(f"{day.day}T00:00:00+00:00")
    return {**to_content(day, {"pk": DAYS, "sk": day.day}), "expires_at": expiry(at, KEEP_DAYS)}


def read_days(rows: Iterable[Row]) -> Iterator[Day]:
    """Yields the days of rows. One that cannot be read is left out: it must not stop a scan."""
    for row in rows:
        with suppress(BadRow):
            yield from_content(row, Day)


def open_key(*sort_key: str) -> Row:
    """Returns the key of a row in the partition of unfinished work."""
    return {"pk": "OPEN", "sk": "#".join(sort_key)}


def _pending_key(message: Message) -> Row:
    return open_key("MESSAGE", to_text(message.created_at), message.id)


def _sent_key(message: Message) -> Row:
    return {"pk": "MESSAGE", "sk": message.id}


def _completed_key(job: Job) -> Row:
    return {"pk": "JOB", "sk": job.key}


def _plan_enqueuing(job: Job, waiting: Row | None, completed: Row | None) -> list[Action]:
    """Returns the transaction that enqueues a job; empty if its event says nothing else.

    `waiting` and `completed` are its rows, as far as they were read.
    """
    changed: Job | None = job
    condition, check = _ABSENT, _ABSENT
    if waiting:
        changed, condition = from_row(waiting, Job).take_event(job), _is_unchanged(waiting)
    elif completed:
        changed, check = from_row(completed, Job).reopen(job), _is_unchanged(completed)
    if changed is None:
        return []
    put: Action = {"Put": {"Item": to_row(changed, **open_key("JOB", job.key)), **condition}}
    return [put] if waiting else [put, {"ConditionCheck": {"Key": _completed_key(job), **check}}]


def _is_unchanged(row: Row) -> Row:
    """The condition that no later event has changed the row of a job."""
    return {
        "ConditionExpression": "event_at = :event_at",
        "ExpressionAttributeValues": {":event_at": row["event_at"]},
    }


def _plan_transactions(staged: Staged, now: datetime) -> Iterator[list[Action]]:
    """Yields transactions: the first holds the decision and what fits beside it."""
    actions = _list_decision(staged)
    for settled in _list_settlements(staged, now):
        if len(actions) + len(settled) > MAX_ACTIONS:
            yield actions
            actions = []
        actions.extend(settled)
    if actions:
        yield actions


def _list_decision(staged: Staged) -> list[Action]:
    """Lists what must stay together: the message, its settled snoozes, the channel state."""
    actions: list[Action] = [{"Put": put_next_version(each)} for each in staged.snoozes]
    if staged.message:
        pending = _write_message(staged.message, _pending_key(staged.message))
        actions.append({"Put": {"Item": pending, **_ABSENT}})
        actions.append({"ConditionCheck": {"Key": _sent_key(staged.message), **_ABSENT}})
    if staged.channel_state is not None:
        # JSON text, because DynamoDB takes no empty name in a map
        actions.append({"Put": {"Item": to_content(staged.channel_state, open_key("CHANNEL"))}})
    if staged.scan is not None:
        actions.append({"Put": {"Item": write_scan(staged.scan)}})
    if staged.day is not None:
        actions.append({"Put": {"Item": write_day(staged.day)}})
        # beside the work, where a scan reads it without a call
        actions.append({"Put": {"Item": to_content(staged.day, open_key("DAY"))}})
    return actions


def _list_settlements(staged: Staged, now: datetime) -> Iterator[list[Action]]:
    """Yields what the decision settles, each with the actions that belong together."""
    for scan_id in dict.fromkeys(staged.unannounced_scans):
        yield [{"Delete": {"Key": open_key("UNANNOUNCED", scan_id)}}]
    for job in {job.key: job for job in staged.completed}.values():
        expires_at = expiry(now, KEEP_COMPLETED)
        completed = to_row(job, **_completed_key(job), expires_at=expires_at)
        delete = {"Key": open_key("JOB", job.key), **_is_unchanged(completed)}
        delete["ConditionExpression"] += " OR attribute_not_exists(pk)"
        yield [{"Delete": delete}, {"Put": {"Item": completed}}]
