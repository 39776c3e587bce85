"""Debts, messages and what people know as rows of the ledger, without their keys."""

from typing import Any

import msgspec

from chalicelib.aws.dynamodb_pages import Row
from chalicelib.aws.dynamodb_times import from_optional, from_text, present, to_text
from chalicelib.domain.alert import Told
from chalicelib.domain.debt import Debt, DebtKind
from chalicelib.domain.message import CsvFile, Message, Rendered, Source, Step


def debt_row(debt: Debt) -> Row:
    """The row of a debt."""
    return {
        "key": debt.key,
        "kind": debt.kind.value,
        "event_at": to_text(debt.event_at),
        "owed_at": to_text(debt.owed_at),
        "association_id": debt.association_id,
        "status": debt.status,
        "nodes": dict(debt.nodes),
        **present(executed_at=debt.executed_at),
    }


def debt_of(row: Row) -> Debt:
    """The debt of a row."""
    return Debt(
        key=row["key"],
        kind=DebtKind(row["kind"]),
        event_at=from_text(row["event_at"]),
        owed_at=from_text(row["owed_at"]),
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


def told_row(told: Told) -> Row:
    """The row of what people know; pairs, since DynamoDB takes no empty name in a map."""
    return {
        "unproven": sorted(told.unproven),
        "left": told.left,
        "braked": told.braked,
        "answered": [[association, to_text(at)] for association, at in told.answered.items()],
        **present(left_since=told.left_since, last_alert_at=told.last_alert_at),
    }


def told_of(row: Row) -> Told:
    """What people know, by its row."""
    return Told(
        unproven=frozenset(row["unproven"]),
        left=row["left"],
        left_since=from_optional(row.get("left_since")),
        braked=row["braked"],
        last_alert_at=from_optional(row.get("last_alert_at")),
        answered={association: from_text(at) for association, at in row["answered"]},
    )
