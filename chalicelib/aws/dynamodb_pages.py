"""Rows of a DynamoDB table, every page or some; a page ends at 1 MB, whatever it holds."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from chalicelib.aws.errors import translate_errors

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

Row = dict[str, Any]


def scan_table(table: "Table") -> Iterator[Row]:
    """Every row, consistently, in no order."""
    scan = table.meta.client.get_paginator("scan")
    return _rows(table.name, scan.paginate(TableName=table.name, ConsistentRead=True))


def query_partition(
    table: "Table", key: str, value: str, begins: tuple[str, str] | None = None, **more: str
) -> Iterator[Row]:
    """The rows that `where` describes, consistently, in order of the sort key.

    `more` are further arguments of the query, such as a filter.
    """
    return _query(table, ConsistentRead=True, **where(key, value, begins), **more)


def query_index(table: "Table", index: str, key: str, value: str) -> Iterator[Row]:
    """The same from an index, which follows the table with a delay."""
    return _query(table, IndexName=index, **where(key, value))


def read_page(
    limit: int,
    after: Row | None,
    call: Callable[..., Mapping[str, Any]],
    table: "Table",
    keep: Callable[[Row], bool] = lambda _: True,
) -> list[Row]:
    """The next `limit` rows behind the key `after` that are to be kept; fewer only at the end.

    `call` is the table's `query` or `scan`. The row of the key may be gone.
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


def where(key: str, value: str, begins: tuple[str, str] | None = None) -> dict[str, Any]:
    """The arguments of a query: whose partition key `key` is `value`.

    `begins` names the sort key and how it has to begin.
    """
    condition, names, values = "#key = :value", {"#key": key}, {":value": value}
    if begins:
        condition += " AND begins_with(#sort, :prefix)"
        names["#sort"], values[":prefix"] = begins
    return {
        "KeyConditionExpression": condition,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    }


def _query(table: "Table", **what: Any) -> Iterator[Row]:
    query = table.meta.client.get_paginator("query")
    return _rows(table.name, query.paginate(TableName=table.name, **what))


def _rows(name: str, pages: Iterable[Mapping[str, Any]]) -> Iterator[Row]:
    with translate_errors("DynamoDB", name):
        for page in pages:
            yield from page["Items"]
