"""The snoozes in DynamoDB: one partition of the ledger, every write checks the version."""

from typing import TYPE_CHECKING

from chalicelib.aws.dynamodb_pages import partition
from chalicelib.aws.errors import in_our_words
from chalicelib.aws.snooze_rows import PARTITION, next_version, snooze_of, snooze_row

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

    from chalicelib.domain.snooze import Snooze


class DynamoSnoozes:
    """`Snoozes`; the ledger table comes from a boto3 resource."""

    def __init__(self, table: "Table") -> None:
        self._table = table

    def all(self) -> "tuple[Snooze, ...]":
        """Every snooze, consistently."""
        return tuple(map(snooze_of, partition(self._table, "pk", PARTITION)))

    def add(self, snooze: "Snooze") -> None:
        """Write a new snooze; `Conflict` where its id is taken."""
        with in_our_words("DynamoDB", self._table.name):
            self._table.put_item(
                Item=snooze_row(snooze), ConditionExpression="attribute_not_exists(pk)"
            )

    def end(self, snooze: "Snooze") -> None:
        """Write an ended snooze over the version before it, else `Conflict`."""
        with in_our_words("DynamoDB", self._table.name):
            self._table.put_item(**next_version(snooze))
