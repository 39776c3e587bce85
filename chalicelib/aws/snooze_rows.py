"""A snooze as a row of the ledger: pk `SNOOZE`, sk its id."""

from datetime import timedelta
from typing import Any

from chalicelib.aws.dynamodb_pages import Row
from chalicelib.aws.dynamodb_times import expiry, from_optional, from_text, present, to_text
from chalicelib.domain.snooze import Reason, Snooze

PARTITION = "SNOOZE"
# How long an ended snooze is kept once people were told.
KEEP = timedelta(days=400)


def snooze_row(snooze: Snooze) -> Row:
    """The row; what is None is absent, and only a told snooze expires."""
    names = {"instance_id": snooze.instance_id, "title": snooze.title}
    row: Row = {
        "pk": PARTITION,
        "sk": snooze.id,
        "starts_at": to_text(snooze.starts_at),
        "until_resolved": snooze.until_resolved,
        "reason": snooze.reason.value,
        "comment": snooze.comment,
        "created_by": snooze.created_by,
        "created_via": snooze.created_via,
        "created_at": to_text(snooze.created_at),
        "version": snooze.version,
        **{name: value for name, value in names.items() if value is not None},
        **present(ends_at=snooze.ends_at, ended_at=snooze.ended_at, settled_at=snooze.settled_at),
    }
    if snooze.settled_at is not None:
        row["expires_at"] = expiry(snooze.settled_at, KEEP)
    return row


def snooze_of(row: Row) -> Snooze:
    """The snooze of a row."""
    return Snooze(
        id=row["sk"],
        instance_id=row.get("instance_id"),
        title=row.get("title"),
        starts_at=from_text(row["starts_at"]),
        ends_at=from_optional(row.get("ends_at")),
        until_resolved=row["until_resolved"],
        reason=Reason(row["reason"]),
        comment=row["comment"],
        created_by=row["created_by"],
        created_via=row["created_via"],
        created_at=from_text(row["created_at"]),
        ended_at=from_optional(row.get("ended_at")),
        settled_at=from_optional(row.get("settled_at")),
        version=int(row["version"]),
    )


def next_version(snooze: Snooze) -> dict[str, Any]:
    """The arguments of a put that replaces the version before this one, and no other."""
    return {
        "Item": snooze_row(snooze),
        "ConditionExpression": "#version = :before",
        "ExpressionAttributeNames": {"#version": "version"},
        "ExpressionAttributeValues": {":before": snooze.version - 1},
    }
