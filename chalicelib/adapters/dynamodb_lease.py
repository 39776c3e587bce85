"""The lease in DynamoDB: one row of the ledger, pk `LEASE`, sk `writer`, `owner` and `until`.

The clock is the caller's, so `until` has to outlast the caller by more than
clocks differ; it is never removed by TTL, which comes days late.
"""

from datetime import datetime
from typing import TYPE_CHECKING

from chalicelib.aws.dynamodb_times import to_text
from chalicelib.aws.errors import translate_errors
from chalicelib.domain.errors import Conflict

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

_KEY = {"pk": "LEASE", "sk": "writer"}


class DynamoLease:
    """`Lease`; the ledger table comes from a boto3 resource."""

    def __init__(self, table: "Table") -> None:
        self._table = table

    def acquire(self, owner: str, now: datetime, until: datetime) -> bool:
        """Take it if it is free, has run out, or is held by `owner` already."""
        try:
            with translate_errors("DynamoDB", self._table.name):
                self._table.put_item(
                    Item={**_KEY, "owner": owner, "until": to_text(until)},
                    ConditionExpression=(
                        "attribute_not_exists(pk) OR #until <= :now OR #owner = :owner"
                    ),
                    ExpressionAttributeNames={"#until": "until", "#owner": "owner"},
                    ExpressionAttributeValues={":now": to_text(now), ":owner": owner},
                )
        except Conflict:
            return False
        return True

    def release(self, owner: str) -> None:
        """Let go, if `owner` still holds it."""
        try:
            with translate_errors("DynamoDB", self._table.name):
                self._table.delete_item(
                    Key=_KEY,
                    ConditionExpression="#owner = :owner",
                    ExpressionAttributeNames={"#owner": "owner"},
                    ExpressionAttributeValues={":owner": owner},
                )
        except Conflict:
            return
