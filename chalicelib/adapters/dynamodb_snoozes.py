"""The snoozes in DynamoDB: one partition of the ledger, every write checks the version."""

from typing import TYPE_CHECKING

from chalicelib.aws.dynamodb_pages import query_partition
from chalicelib.aws.dynamodb_transactions import Action, transact
from chalicelib.aws.errors import translate_errors
from chalicelib.aws.snooze_event_rows import events_partition, snooze_event_of, snooze_event_row
from chalicelib.aws.snooze_rows import PARTITION, next_version, snooze_of, snooze_row
from chalicelib.domain.errors import Conflict
from chalicelib.domain.snooze import id_prefix

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mypy_boto3_dynamodb.service_resource import Table

    from chalicelib.domain.history import SnoozeEvent
    from chalicelib.domain.snooze import Snooze


class DynamoSnoozes:
    """`Snoozes`; the ledger table comes from a boto3 resource."""

    def __init__(self, table: "Table") -> None:
        self._table = table

    def all(self) -> "tuple[Snooze, ...]":
        """Every snooze, consistently."""
        return tuple(map(snooze_of, query_partition(self._table, "pk", PARTITION)))

    def unsettled(self) -> "tuple[Snooze, ...]":
        """Those whose end nobody was told of; the others are read, and left where they are."""
        untold = "attribute_not_exists(settled_at)"
        rows = query_partition(self._table, "pk", PARTITION, FilterExpression=untold)
        return tuple(map(snooze_of, rows))

    def about(self, scope_ids: "Iterable[str]") -> "tuple[Snooze, ...]":
        """Those of these scopes, each found by how its id begins."""
        return tuple(
            snooze
            for scope_id in scope_ids
            for row in query_partition(self._table, "pk", PARTITION, ("sk", id_prefix(scope_id)))
            if (snooze := snooze_of(row)).scope_id == scope_id
        )

    def get(self, snooze_id: str) -> "Snooze | None":
        """One snooze, consistently."""
        with translate_errors("DynamoDB", self._table.name):
            answer = self._table.get_item(
                Key={"pk": PARTITION, "sk": snooze_id}, ConsistentRead=True
            )
        row = answer.get("Item")
        return snooze_of(row) if row else None

    def add(self, snooze: "Snooze", event: "SnoozeEvent") -> None:
        """Write a new snooze and its history; `Conflict` where its id is taken."""
        new = {"Item": snooze_row(snooze), "ConditionExpression": "attribute_not_exists(pk)"}
        self._write({"Put": new}, event)

    def save(self, snooze: "Snooze", event: "SnoozeEvent | None" = None) -> None:
        """Write a snooze over the version before it, and its history, else `Conflict`."""
        self._write({"Put": next_version(snooze)}, event)

    def events(self, snooze_id: str) -> "tuple[SnoozeEvent, ...]":
        """A snooze's history in order of time and version."""
        rows = query_partition(self._table, "pk", events_partition(snooze_id))
        return tuple(map(snooze_event_of, rows))

    def _write(self, put: Action, event: "SnoozeEvent | None") -> None:
        """Put the snooze and its event, both or none; in a transaction also where it is alone.

        Where the answer is lost, boto3 tries again: a conditional put would then fail on what it
        has written itself, a transaction has a token for that.
        """
        history: list[Action] = [{"Put": {"Item": snooze_event_row(event)}}] if event else []
        if not transact(self._table, [put, *history]):
            raise Conflict(f"DynamoDB {self._table.name}: somebody else wrote first")
