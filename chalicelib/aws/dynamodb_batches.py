"""Many rows in few calls: 25 writes or 100 readings each, what DynamoDB leaves over sent again.

boto3's own batch writer sends leftovers again at once and for ever; under
throttling that makes things worse and outlives a Lambda function.
"""

import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from chalicelib.aws.dynamodb_pages import Row
from chalicelib.aws.errors import translate_errors
from chalicelib.domain.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

# Limits of BatchWriteItem and BatchGetItem.
WRITES = 25
READINGS = 100
# Seconds before each attempt; after the last one the next pass has to go on.
DELAYS = (0.0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2)

_Part = TypeVar("_Part")


def put_all(table: "Table", rows: Iterable[Row], key: Sequence[str]) -> None:
    """Insert or replace rows; of rows with the same `key` attributes the last one counts."""
    unique = {tuple(row[name] for name in key): row for row in rows}
    _write(table, [{"PutRequest": {"Item": row}} for row in unique.values()])


def delete_all(table: "Table", key: str, values: Iterable[str]) -> None:
    """Remove the rows whose key attribute is one of the values, where they exist."""
    _write(table, [{"DeleteRequest": {"Key": {key: each}}} for each in dict.fromkeys(values)])


def get_all(table: "Table", key: str, values: Iterable[str]) -> list[Row]:
    """Read the rows whose key attribute is one of the values, consistently, in no order."""
    found: list[Row] = []

    def read(keys: list[Any]) -> list[Any]:
        request: Any = {"Keys": keys, "ConsistentRead": True}
        answer: Any = table.meta.client.batch_get_item(RequestItems={table.name: request})
        found.extend(answer["Responses"].get(table.name, ()))
        left: list[Any] = answer["UnprocessedKeys"].get(table.name, {}).get("Keys", [])
        return left

    for keys in _parts([{key: each} for each in dict.fromkeys(values)], READINGS):
        send_until_accepted(read, keys, table.name)
    return found


def _write(table: "Table", requests: list[Any]) -> None:
    def write(part: list[Any]) -> list[Any]:
        answer: Any = table.meta.client.batch_write_item(RequestItems={table.name: part})
        left: list[Any] = answer["UnprocessedItems"].get(table.name, [])
        return left

    for part in _parts(requests, WRITES):
        send_until_accepted(write, part, table.name)


def send_until_accepted(
    call: Callable[[list[_Part]], list[_Part]],
    part: list[_Part],
    target: str,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Call with what the last call left over, ever more slowly; `Unavailable` in the end."""
    for delay in DELAYS:
        if delay:
            pause(delay * random.uniform(0.5, 1.0))  # noqa: S311 - spreads load, guards nothing
        with translate_errors("DynamoDB", target):
            part = call(part)
        if not part:
            return
    raise Unavailable(f"DynamoDB throttles {target}: {len(part)} rows were left over")


def _parts(whole: list[_Part], size: int) -> Iterator[list[_Part]]:
    for start in range(0, len(whole), size):
        yield whole[start : start + size]
