"""A snooze's history as rows of the ledger: pk `SNOOZE#<id>`, sk `<time>#<version>#<kind>`."""

from datetime import timedelta

from chalicelib.aws.dynamodb_pages import Row
from chalicelib.aws.dynamodb_times import expiry, from_optional, from_text, present, to_text
from chalicelib.domain.history import SnoozeEvent, SnoozeEventKind

KEEP = timedelta(days=400)
_PARTITION = "SNOOZE#"


def events_partition(snooze_id: str) -> str:
    """The partition key of a snooze's history."""
    return f"{_PARTITION}{snooze_id}"


def snooze_event_row(event: SnoozeEvent) -> Row:
    """The row; the version is padded, so that keys sort as it counts."""
    return {
        "pk": events_partition(event.snooze_id),
        "sk": f"{to_text(event.at)}#{event.version:06}#{event.kind}",
        "at": to_text(event.at),
        "kind": event.kind.value,
        "by": event.by,
        "via": event.via,
        "version": event.version,
        "reason": event.reason,
        "comment": event.comment,
        "expires_at": expiry(event.at, KEEP),
        **present(ends_at=event.ends_at),
    }


def snooze_event_of(row: Row) -> SnoozeEvent:
    """The event of a row."""
    return SnoozeEvent(
        snooze_id=row["pk"].removeprefix(_PARTITION),
        at=from_text(row["at"]),
        kind=SnoozeEventKind(row["kind"]),
        by=row["by"],
        via=row["via"],
        version=int(row["version"]),
        ends_at=from_optional(row.get("ends_at")),
        reason=row["reason"],
        comment=row["comment"],
    )
