"""Counts the calls of a session, and the units of DynamoDB that they take."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from threading import Lock, local
from typing import Any

import boto3
import msgspec

TRANSACTION = "TransactWriteItems"
WRITES = ("BatchWriteItem", "DeleteItem", "PutItem", TRANSACTION, "UpdateItem")
# The indexes of the findings table, whose key this is.
INDEXES, INDEXED = 2, "finding_id"


class CallMeter:
    """Counts the calls of a session, and can delay those to DynamoDB.

    calls: by operation, retries included · read_units, write_units: as DynamoDB reports
    them, but those of transactions computed: DynamoDB Local reports one row a table ·
    engine_seconds: the summed duration of the calls to DynamoDB, without the delay.
    """

    def __init__(self, session: boto3.Session, dynamodb_latency: float = 0.0) -> None:
        self.calls: Counter[str] = Counter()
        self.read_units = 0.0
        self.write_units = 0.0
        self.engine_seconds = 0.0
        self._latency = dynamodb_latency
        self._lock = Lock()
        self._thread = local()
        session.events.register("before-parameter-build.dynamodb", self._request_units)
        session.events.register("before-call.dynamodb.TransactWriteItems", self._add_transaction)
        session.events.register("before-send", self._count_call)
        session.events.register("response-received.dynamodb", self._add_time)
        session.events.register("after-call.dynamodb", self._add_units)

    def _request_units(self, params: dict[str, Any], model: Any, **_: object) -> None:
        if "ReturnConsumedCapacity" in model.input_shape.members:
            params["ReturnConsumedCapacity"] = "TOTAL"

    def _add_transaction(self, params: Mapping[str, Any], **_: object) -> None:
        units = count_transaction_units(msgspec.json.decode(params["body"])["TransactItems"])
        with self._lock:
            self.write_units += units

    def _count_call(self, event_name: str, **_: object) -> None:
        service, operation = event_name.split(".")[1:]
        with self._lock:
            self.calls[f"{service}.{operation}"] += 1
        if service == "dynamodb":
            if self._latency:
                time.sleep(self._latency)
            self._thread.sent = time.perf_counter()

    def _add_time(self, **_: object) -> None:
        seconds = time.perf_counter() - self._thread.sent
        with self._lock:
            self.engine_seconds += seconds

    def _add_units(self, parsed: Mapping[str, Any], model: Any, **_: object) -> None:
        consumed = parsed.get("ConsumedCapacity") or []
        units = sum(
            each["CapacityUnits"]
            for each in (consumed if isinstance(consumed, list) else [consumed])
        )
        with self._lock:
            if model.name == TRANSACTION:
                pass  # computed
            elif model.name in WRITES:
                self.write_units += units
            else:
                self.read_units += units


def count_transaction_units(actions: Sequence[Mapping[str, Mapping[str, Any]]]) -> int:
    """Returns the write units of a transaction, from the JSON of its actions.

    A unit is 1 KB. A row costs twice, and once more in each index.
    """
    units = 0
    for action in actions:
        (what,) = action.values()
        row = what.get("Item") or what["Key"]
        size = -(-len(msgspec.json.encode(row)) // 1_024)
        units += size * (2 + INDEXES * (INDEXED in row))
    return units
