"""The snoozes: one partition of the ledger. Every write checks the version.

`SNOOZE` / `<snooze id>` is a snooze, `SNOOZE#<snooze id>` /
`<time>#<version>#<kind>` its history.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Attr, Key
from msgspec import Struct

from chalicelib.adapters.dynamodb.tables import (
    Action,
    Row,
    expiry,
    from_row,
    query_table,
    to_row,
    to_text,
    transact,
)
from chalicelib.aws import translate_errors
from chalicelib.domain.errors import Conflict
from chalicelib.domain.history import SnoozeEvent
from chalicelib.domain.snooze import Snooze, id_prefix

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

PARTITION = "SNOOZE"
# Kept this long: a snooze after it was settled, an event after it happened.
KEEP = timedelta(days=400)


class DynamoSnoozes(Struct, frozen=True):
    """`Snoozes`. The ledger table comes from a boto3 resource."""

    table: "Table"

    def all(self) -> tuple[Snooze, ...]:
        """Returns every snooze, consistently."""
        return tuple(map(_read_snooze, query_table(self.table, Key("pk").eq(PARTITION))))

    def unsettled(self) -> tuple[Snooze, ...]:
        """Returns the snoozes that are not settled, consistently."""
        unsettled = Attr("settled_at").not_exists()
        rows = query_table(self.table, Key("pk").eq(PARTITION), FilterExpression=unsettled)
        return tuple(map(_read_snooze, rows))

    def about(self, scope_ids: Iterable[str]) -> tuple[Snooze, ...]:
        """Returns the snoozes with one of these scopes; a snooze's id begins with its scope."""
        return tuple(
            snooze
            for scope_id in scope_ids
            for row in query_table(
                self.table, Key("pk").eq(PARTITION) & Key("sk").begins_with(id_prefix(scope_id))
            )
            if (snooze := _read_snooze(row)).scope.id == scope_id
        )

    def get(self, snooze_id: str) -> Snooze | None:
        """Returns one snooze, consistently."""
        with translate_errors("DynamoDB", self.table.name):
            answer = self.table.get_item(
                Key={"pk": PARTITION, "sk": snooze_id}, ConsistentRead=True
            )
        row = answer.get("Item")
        return _read_snooze(row) if row else None

    def add(self, snooze: Snooze, event: SnoozeEvent) -> None:
        """Writes a new snooze and its history; `Conflict` if its id is taken."""
        new = {"Item": _write_snooze(snooze), "ConditionExpression": "attribute_not_exists(pk)"}
        self._write({"Put": new}, event)

    def save(self, snooze: Snooze, event: SnoozeEvent | None = None) -> None:
        """Writes a snooze over its previous version, and its history, else `Conflict`."""
        self._write({"Put": put_next_version(snooze)}, event)

    def events(self, snooze_id: str) -> tuple[SnoozeEvent, ...]:
        """Returns a snooze's history, ordered by time and version."""
        rows = query_table(self.table, Key("pk").eq(_events_partition(snooze_id)))
        return tuple(from_row(row, SnoozeEvent) for row in rows)

    def _write(self, put: Action, event: SnoozeEvent | None) -> None:
        """Puts the snooze and its event, both or none, always in a transaction.

        If the answer is lost, boto3 tries again. A conditional put would then fail
        on its own write; a transaction has a token against that.
        """
        history: list[Action] = [{"Put": {"Item": _write_event(event)}}] if event else []
        if not transact(self.table, [put, *history]):
            raise Conflict(f"DynamoDB {self.table.name}: another writer was first")


def put_next_version(snooze: Snooze) -> dict[str, Any]:
    """Returns the arguments of a put that replaces exactly the previous version."""
    return {
        "Item": _write_snooze(snooze),
        "ConditionExpression": "#version = :before",
        "ExpressionAttributeNames": {"#version": "version"},
        "ExpressionAttributeValues": {":before": snooze.version - 1},
    }


def _write_snooze(snooze: Snooze) -> Row:
    """Builds the row. Only a settled snooze expires."""
    row = to_row(snooze, pk=PARTITION, sk=snooze.id)
    if snooze.settled_at is not None:
        row["expires_at"] = expiry(snooze.settled_at, KEEP)
    return row


def _read_snooze(row: Row) -> Snooze:
    return from_row(row, Snooze)


def _events_partition(snooze_id: str) -> str:
    return f"{PARTITION}#{snooze_id}"


def _write_event(event: SnoozeEvent) -> Row:
    """Builds the row. The version is padded, so that keys sort by it."""
    row = to_row(
        event,
        pk=_events_partition(event.snooze_id),
        sk=f"{to_text(event.at)}#{event.version:06}#{event.kind}",
        expires_at=expiry(event.at, KEEP),
    )
    return {name: value for name, value in row.items() if value != {}}
