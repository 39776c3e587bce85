"""Rows of a DynamoDB table: their form, and reading and writing many of them in few calls."""

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from sys import intern
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from boto3.dynamodb.conditions import ConditionBase, Key
from boto3.dynamodb.types import Binary

from chalicelib.aws import translate_errors
from chalicelib.domain.errors import BadRow, Unavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

# Limits of BatchWriteItem, BatchGetItem and TransactWriteItems.
MAX_WRITES = 25
MAX_READS = 100
MAX_ACTIONS = 100
# The form of the rows that this version writes. A row without it is older.
ROW_VERSION = 2
# Seconds before each attempt at a batch; after the last one the next scan has to continue.
# boto3's own batch writer resends leftovers at once and for ever, which makes throttling worse.
BATCH_DELAYS = (0.0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2)
# Seconds to wait while another transaction writes one of the rows.
TRANSACTION_DELAYS = (0.05, 0.2, 0.5)

Row = dict[str, Any]
# `{"Put": {"Item": …}}`, `{"Delete": {"Key": …}}`, `{"ConditionCheck": …}`, without the table.
# `TableName` may name another one.
Action = dict[str, dict[str, Any]]

T = TypeVar("T")


def to_row(value: Any, **attributes: Any) -> Row:
    """Builds the row of a domain value. Fields that are None are absent.

    `attributes` are keys and whatever else the row needs.
    """
    fields = msgspec.to_builtins(value, order="deterministic", builtin_types=(bytes,))
    present = {name: each for name, each in fields.items() if each is not None}
    return {**present, **attributes}


def from_row(row: Row, kind: type[T], times: Sequence[str] = ()) -> T:
    """Builds the domain value of a row; `BadRow` if it does not fit its type.

    Attributes that are not fields are ignored. Equal instants of the attributes
    `times` become one object: a fleet's findings have few different times.
    """
    fields = _to_builtins(row)
    try:
        for name in times:
            if isinstance(fields.get(name), str):
                fields[name] = _parse_time(fields[name])
        return msgspec.convert(fields, kind)
    except msgspec.ValidationError as error:
        raise _refuse_row(row, kind, error) from error


def read_all(rows: Iterable[Row], kind: type[T]) -> Iterator[T]:
    """Yields the domain values of the rows that can be read."""
    for row in rows:
        with suppress(BadRow):
            yield from_row(row, kind)


def to_content(value: Any, key: Row) -> Row:
    """Builds a row that holds a domain value as JSON text, which DynamoDB does not change."""
    return {**key, "content": msgspec.json.encode(value).decode(), "row_version": ROW_VERSION}


def is_newer(row: Row) -> bool:
    """Whether a newer version of this service wrote the row."""
    return int(row.get("row_version", 0)) > ROW_VERSION


def from_content(row: Row, kind: type[T]) -> T:
    """Builds the domain value that a row holds as JSON text in `content`; `BadRow` as above."""
    content = row.get("content")
    if is_newer(row):
        raise _refuse_row(row, kind, "a newer version of this service wrote it")
    try:
        return msgspec.json.decode(content if isinstance(content, str) else "", type=kind)
    except msgspec.DecodeError as error:
        raise _refuse_row(row, kind, error) from error


def _refuse_row(row: Row, kind: type, error: Exception | str) -> BadRow:
    keys = ("pk", "sk", "finding_id", "instance_id")
    name = " / ".join(str(row[key]) for key in keys if key in row)
    return BadRow(
        f"the row {name} is not a {kind.__name__} ({error}); restore it from a backup or delete it"
    )


@lru_cache(maxsize=2_048)
def _parse_time(text: str) -> datetime:
    return msgspec.convert(text, datetime)


def _to_builtins(value: Any) -> Any:
    """Turns boto3's Decimals into ints, and shares equal texts, which fleets repeat."""
    if isinstance(value, str):
        return intern(value)
    if isinstance(value, Decimal):
        return int(value)
    if isinstance(value, Binary):
        return value.__bytes__()
    if isinstance(value, dict):
        return {name: _to_builtins(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_to_builtins(each) for each in value]
    return value


def to_text(at: datetime) -> str:
    """Returns ISO 8601 in UTC with microseconds: in keys, texts sort as their instants do."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def expiry(at: datetime, keep: timedelta) -> int:
    """Returns when a row may be removed, in seconds since 1970, for DynamoDB's TTL."""
    return int((at + keep).timestamp())


def scan_table(table: "Table", attributes: Sequence[str] = ()) -> Iterator[Row]:
    """Yields every row, consistently, in no order. Some `attributes` take less time than all."""
    scan = table.meta.client.get_paginator("scan")
    pages = scan.paginate(TableName=table.name, ConsistentRead=True, **_project(attributes))
    return _read_pages(table.name, pages)


def query_table(
    table: "Table", condition: ConditionBase, attributes: Sequence[str] = (), **arguments: Any
) -> Iterator[Row]:
    """Yields the rows of a partition, consistently, ordered by the sort key."""
    query = table.meta.client.get_paginator("query")
    pages = query.paginate(
        TableName=table.name,
        KeyConditionExpression=condition,  # type: ignore[arg-type] # resource clients take it
        ConsistentRead=True,
        **_project(attributes),
        **arguments,
    )
    return _read_pages(table.name, pages)


def _project(attributes: Sequence[str]) -> dict[str, Any]:
    """Returns the arguments that limit a row to some attributes; none for all of them."""
    if not attributes:
        return {}
    names = {f"#{number}": name for number, name in enumerate(attributes)}
    return {"ProjectionExpression": ", ".join(names), "ExpressionAttributeNames": names}


def query_index(table: "Table", index: str, key: str, value: str) -> Iterator[Row]:
    """Yields the rows of an index partition. An index lags behind its table."""
    query = table.meta.client.get_paginator("query")
    pages = query.paginate(
        TableName=table.name,
        IndexName=index,
        KeyConditionExpression=Key(key).eq(value),  # type: ignore[arg-type] # see above
    )
    return _read_pages(table.name, pages)


def _read_pages(name: str, pages: Iterable[Mapping[str, Any]]) -> Iterator[Row]:
    with translate_errors("DynamoDB", name):
        for page in pages:
            yield from page["Items"]


def read_page(
    limit: int,
    after: Row | None,
    call: Callable[..., Mapping[str, Any]],
    table: "Table",
    keep: Callable[[Row], bool] = lambda _: True,
) -> list[Row]:
    """Reads the next `limit` rows to keep after the key `after`; fewer only at the end.

    `call` is the table's `query` or `scan`. The row of the key may be deleted.
    """
    rows: list[Row] = []
    while len(rows) < limit:
        start = {} if after is None else {"ExclusiveStartKey": after}
        with translate_errors("DynamoDB", table.name):
            answer = call(Limit=limit - len(rows), **start)
        rows.extend(filter(keep, answer["Items"]))
        after = answer.get("LastEvaluatedKey")
        if after is None:
            break
    return rows


def put_all(table: "Table", rows: Iterable[Row], key: Sequence[str]) -> None:
    """Inserts or replaces rows. The last row counts if several have the same `key` attributes."""
    unique = {tuple(row[name] for name in key): row for row in rows}
    _write(table, [{"PutRequest": {"Item": row}} for row in unique.values()])


def delete_all(table: "Table", keys: Iterable[Mapping[str, str]]) -> None:
    """Deletes the rows with these keys, if they exist."""
    unique = {tuple(sorted(each.items())): each for each in keys}
    _write(table, [{"DeleteRequest": {"Key": each}} for each in unique.values()])


def get_all(
    table: "Table",
    keys: Iterable[Mapping[str, str]],
    *,
    attributes: Sequence[str] = (),
    is_consistent: bool = True,
) -> list[Row]:
    """Reads the rows with these keys, in no order; all their attributes unless some are named."""
    found: list[Row] = []

    def read(keys: list[Any]) -> list[Any]:
        request: Any = {"Keys": keys, "ConsistentRead": is_consistent, **_project(attributes)}
        answer: Any = table.meta.client.batch_get_item(RequestItems={table.name: request})
        found.extend(answer["Responses"].get(table.name, ()))
        left: list[Any] = answer["UnprocessedKeys"].get(table.name, {}).get("Keys", [])
        return left

    unique = {tuple(sorted(each.items())): each for each in keys}
    for part in _split(list(unique.values()), MAX_READS):
        send_until_accepted(read, part, table.name)
    return found


def _write(table: "Table", requests: list[Any]) -> None:
    def write(part: list[Any]) -> list[Any]:
        answer: Any = table.meta.client.batch_write_item(RequestItems={table.name: part})
        left: list[Any] = answer["UnprocessedItems"].get(table.name, [])
        return left

    for part in _split(requests, MAX_WRITES):
        send_until_accepted(write, part, table.name)


def send_until_accepted(
    call: Callable[[list[T]], list[T]],
    part: list[T],
    target: str,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Calls again with what the last call left over, ever more slowly; `Unavailable` in the end."""
    for delay in BATCH_DELAYS:
        if delay:
            pause(delay * random.uniform(0.5, 1.0))  # noqa: S311 - spreads load, guards nothing
        with translate_errors("DynamoDB", target):
            part = call(part)
        if not part:
            return
    raise Unavailable(f"DynamoDB throttles {target}: {len(part)} rows were left over")


def _split(whole: list[T], size: int) -> Iterator[list[T]]:
    for start in range(0, len(whole), size):
        yield whole[start : start + size]


def transact(
    table: "Table", actions: Sequence[Action], pause: Callable[[float], None] = time.sleep
) -> bool:
    """Writes at most `MAX_ACTIONS`, all or none, no two on one row.

    Returns False if a condition does not hold. Raises `Conflict` if another
    transaction blocks a row for longer than the delays. Retries inside boto3 carry
    one token, so none of them writes twice.
    """
    client = table.meta.client
    requests: Any = [
        {kind: {"TableName": table.name, **what} for kind, what in action.items()}
        for action in actions
    ]
    with translate_errors("DynamoDB", table.name):
        for delay in (*TRANSACTION_DELAYS, None):
            try:
                client.transact_write_items(TransactItems=requests)
            except client.exceptions.TransactionCanceledException as error:
                reasons = {reason.get("Code") for reason in error.response["CancellationReasons"]}
                if "ConditionalCheckFailed" in reasons:
                    return False
                if delay is None or "TransactionConflict" not in reasons:
                    raise
                pause(delay)
            else:
                break
    return True
