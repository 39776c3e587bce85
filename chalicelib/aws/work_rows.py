"""Jobs, messages and what people know as rows of the ledger, without their keys."""

from typing import Any

import msgspec

from chalicelib.aws.dynamodb_pages import Row
from chalicelib.aws.dynamodb_times import from_optional, from_text, present, to_text
from chalicelib.domain.alert import ChannelState
from chalicelib.domain.job import Job, JobKind
from chalicelib.domain.message import CsvFile, Message, Rendered, Source, Step


def job_row(job: Job) -> Row:
    """The row of a job."""
    return {
        "key": job.key,
        "kind": job.kind.value,
        "event_at": to_text(job.event_at),
        "enqueued_at": to_text(job.enqueued_at),
        "association_id": job.association_id,
        "status": job.status,
        "nodes": dict(job.nodes),
        **present(executed_at=job.executed_at),
    }


def job_of(row: Row) -> Job:
    """The job of a row."""
    return Job(
        key=row["key"],
        kind=JobKind(row["kind"]),
        event_at=from_text(row["event_at"]),
        enqueued_at=from_text(row["enqueued_at"]),
        association_id=row["association_id"],
        status=row["status"],
        executed_at=from_optional(row.get("executed_at")),
        nodes={status: int(count) for status, count in row["nodes"].items()},
    )


def message_row(message: Message) -> Row:
    """The row of a message; its blocks are JSON text, so that their numbers stay as they are."""
    row: Row = {
        "id": message.id,
        "created_at": to_text(message.created_at),
        "text": message.rendered.text,
        "blocks": msgspec.json.encode(message.rendered.blocks).decode(),
        "scan_ids": list(message.scan_ids),
        "snooze_ids": list(message.snooze_ids),
        "done": {step.value: receipt for step, receipt in message.done.items()},
    }
    if message.csv:
        csv = message.csv
        row["csv"] = {"key": csv.key, "title": csv.title, "source": csv.source.value}
    return row


def message_of(row: Row) -> Message:
    """The message of a row."""
    blocks = msgspec.json.decode(row["blocks"], type=tuple[dict[str, Any], ...])
    csv = row.get("csv")
    return Message(
        id=row["id"],
        created_at=from_text(row["created_at"]),
        rendered=Rendered(row["text"], blocks),
        csv=CsvFile(csv["key"], csv["title"], Source(csv["source"])) if csv else None,
        scan_ids=tuple(row["scan_ids"]),
        snooze_ids=tuple(row["snooze_ids"]),
        done={Step(step): receipt for step, receipt in row["done"].items()},
    )


def channel_state_row(state: ChannelState) -> Row:
    """The row of what people know; pairs, since DynamoDB takes no empty name in a map."""
    return {
        "unverified": sorted(state.unverified),
        "deferred": state.deferred,
        "braked": state.braked,
        "answered": [[association, to_text(at)] for association, at in state.answered.items()],
        **present(deferred_since=state.deferred_since, last_alert_at=state.last_alert_at),
    }


def channel_state_of(row: Row) -> ChannelState:
    """What people know, by its row."""
    return ChannelState(
        unverified=frozenset(row["unverified"]),
        deferred=row["deferred"],
        deferred_since=from_optional(row.get("deferred_since")),
        braked=row["braked"],
        last_alert_at=from_optional(row.get("last_alert_at")),
        answered={association: from_text(at) for association, at in row["answered"]},
    )
