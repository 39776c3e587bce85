"""Rows of a DynamoDB table, every page; a page ends at 1 MB, whatever it holds."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from chalicelib.aws.errors import in_our_words

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

Row = dict[str, Any]


def whole_table(table: "Table") -> Iterator[Row]:
    """Every row, consistently, in no order."""
    scan = table.meta.client.get_paginator("scan")
    return _rows(table.name, scan.paginate(TableName=table.name, ConsistentRead=True))


def partition(table: "Table", key: str, value: str) -> Iterator[Row]:
    """The rows whose partition key `key` is `value`, consistently, in order of the sort key."""
    return _query(table, key, value, ConsistentRead=True)


def index_partition(table: "Table", index: str, key: str, value: str) -> Iterator[Row]:
    """The same from an index, which follows the table with a delay."""
    return _query(table, key, value, IndexName=index)


def _query(table: "Table", key: str, value: str, **how: Any) -> Iterator[Row]:
    query = table.meta.client.get_paginator("query")
    # A resource's client takes plain Python values, which the stubs do not know.
    values: Any = {":value": value}
    pages = query.paginate(
        TableName=table.name,
        KeyConditionExpression="#key = :value",
        ExpressionAttributeNames={"#key": key},
        ExpressionAttributeValues=values,
        **how,
    )
    return _rows(table.name, pages)


def _rows(name: str, pages: Iterable[Mapping[str, Any]]) -> Iterator[Row]:
    with in_our_words("DynamoDB", name):
        for page in pages:
            yield from page["Items"]
