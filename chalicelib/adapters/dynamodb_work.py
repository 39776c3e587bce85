"""The unfinished part of the ledger in DynamoDB.

Everything unfinished lives in one partition, pk `OPEN`, so that one consistent
query reads it, however much is finished and kept beside it:

    JOB#<key>                     a job
    UNANNOUNCED#<scan id>         a scan that stored findings nobody was told of
    MESSAGE#<created at>#<id>     a message that is not delivered
    CHANNEL                       what people know

What is finished moves to a row of its own that expires: a completed job to pk
`JOB`, sk its key, a sent message to pk `MESSAGE`, sk its id.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from chalicelib.aws.dynamodb_pages import Row, query_partition
from chalicelib.aws.dynamodb_times import expiry, to_text
from chalicelib.aws.dynamodb_transactions import MAX_ACTIONS, Action, transact
from chalicelib.aws.errors import translate_errors
from chalicelib.aws.snooze_rows import next_version
from chalicelib.aws.work_rows import (
    channel_state_of,
    channel_state_row,
    job_of,
    job_row,
    message_of,
    message_row,
)
from chalicelib.domain.alert import ChannelState
from chalicelib.domain.errors import Conflict
from chalicelib.domain.job import Job
from chalicelib.domain.message import Message
from chalicelib.usecases.ports import MAX_SETTLED_SNOOZES, OpenWork, Staged

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

KEEP_COMPLETED = timedelta(days=7)
KEEP_SENT = timedelta(days=90)

_ABSENT = {"ConditionExpression": "attribute_not_exists(pk)"}
_PRESENT = "attribute_exists(pk)"


class DynamoWork:
    """`Work`; the ledger table comes from a boto3 resource."""

    def __init__(self, table: "Table") -> None:
        self._table = table

    def enqueue(self, job: Job) -> bool:
        """Write a job down, unless it is or was."""
        owed = {**_open("JOB", job.key), **job_row(job)}
        return transact(
            self._table,
            [
                {"Put": {"Item": owed, **_ABSENT}},
                {"ConditionCheck": {"Key": _completed(job), **_ABSENT}},
            ],
        )

    def open(self) -> OpenWork:
        """Read the partition; the keys of its rows say what they are."""
        rows: dict[str, list[Row]] = defaultdict(list)
        for row in query_partition(self._table, "pk", "OPEN"):
            rows[row["sk"].partition("#")[0]].append(row)
        jobs = sorted(map(job_of, rows["JOB"]), key=lambda job: (job.enqueued_at, job.key))
        return OpenWork(
            jobs=tuple(jobs),
            unannounced_scans=tuple(row["scan_id"] for row in rows["UNANNOUNCED"]),
            messages=tuple(map(message_of, rows["MESSAGE"])),
            channel_state=next(map(channel_state_of, rows["CHANNEL"]), ChannelState()),
        )

    def mark_unannounced(self, scan_id: str) -> None:
        """Mark a scan whose findings no message tells yet."""
        with translate_errors("DynamoDB", self._table.name):
            self._table.put_item(Item={**_open("UNANNOUNCED", scan_id), "scan_id": scan_id})

    def stage(self, staged: Staged, now: datetime) -> None:
        """Write the decision in one transaction, and what that cannot hold in further ones."""
        if len(staged.settled_snoozes) > MAX_SETTLED_SNOOZES:
            raise ValueError(f"more than {MAX_SETTLED_SNOOZES} told snoozes in one decision")
        for actions in _transactions(staged, now):
            if not transact(self._table, actions):
                raise Conflict(f"DynamoDB {self._table.name}: somebody else wrote first")

    def record(self, message: Message, now: datetime) -> None:
        """Write the steps; a sent message leaves the partition, and never comes back to it."""
        if message.sent:
            sent = {**_sent(message), **message_row(message), "expires_at": expiry(now, KEEP_SENT)}
            transact(self._table, [{"Delete": {"Key": _pending(message)}}, {"Put": {"Item": sent}}])
            return
        with translate_errors("DynamoDB", self._table.name):
            self._table.put_item(
                Item={**_pending(message), **message_row(message)}, ConditionExpression=_PRESENT
            )


def _open(*sort_key: str) -> Row:
    return {"pk": "OPEN", "sk": "#".join(sort_key)}


def _pending(message: Message) -> Row:
    return _open("MESSAGE", to_text(message.created_at), message.id)


def _sent(message: Message) -> Row:
    return {"pk": "MESSAGE", "sk": message.id}


def _completed(job: Job) -> Row:
    return {"pk": "JOB", "sk": job.key}


def _transactions(staged: Staged, now: datetime) -> Iterator[list[Action]]:
    """The first holds the decision and what fits beside it; nothing to write makes none."""
    actions = _decision(staged)
    for settled in _settlements(staged, now):
        if len(actions) + len(settled) > MAX_ACTIONS:
            yield actions
            actions = []
        actions.extend(settled)
    if actions:
        yield actions


def _decision(staged: Staged) -> list[Action]:
    """What must not come apart: the message, the snoozes it tells of, what people know then."""
    actions: list[Action] = [{"Put": next_version(snooze)} for snooze in staged.settled_snoozes]
    if staged.message:
        pending = {**_pending(staged.message), **message_row(staged.message)}
        actions.append({"Put": {"Item": pending, **_ABSENT}})
        actions.append({"ConditionCheck": {"Key": _sent(staged.message), **_ABSENT}})
    if staged.channel_state is not None:
        actions.append(
            {"Put": {"Item": {**_open("CHANNEL"), **channel_state_row(staged.channel_state)}}}
        )
    return actions


def _settlements(staged: Staged, now: datetime) -> Iterator[list[Action]]:
    """What the decision settles, each with the actions that belong together."""
    for scan_id in dict.fromkeys(staged.unannounced_scans):
        yield [{"Delete": {"Key": _open("UNANNOUNCED", scan_id)}}]
    for job in {job.key: job for job in staged.completed}.values():
        completed = {**_completed(job), **job_row(job), "expires_at": expiry(now, KEEP_COMPLETED)}
        yield [{"Delete": {"Key": _open("JOB", job.key)}}, {"Put": {"Item": completed}}]
