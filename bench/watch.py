"""Watches what a session's clients do: calls, consumed units, and a latency where one is wanted."""

import time
from collections import Counter
from collections.abc import Mapping
from threading import Lock, local
from typing import Any

import boto3

WRITES = ("BatchWriteItem", "DeleteItem", "PutItem", "TransactWriteItems", "UpdateItem")


class Watch:
    """calls by operation, tries included · read and write units as DynamoDB reports them.

    `engine_seconds` is the summed duration of the calls to DynamoDB, without the latency that is
    added here.
    """

    def __init__(self, session: boto3.Session, dynamodb_latency: float = 0.0) -> None:
        self.calls: Counter[str] = Counter()
        self.read_units = 0.0
        self.write_units = 0.0
        self.engine_seconds = 0.0
        self._latency = dynamodb_latency
        self._lock = Lock()
        self._of_thread = local()
        session.events.register("before-parameter-build.dynamodb", self._ask)
        session.events.register("before-send", self._count)
        session.events.register("response-received.dynamodb", self._time)
        session.events.register("after-call.dynamodb", self._sum)

    def _ask(self, params: dict[str, Any], model: Any, **_: object) -> None:
        if "ReturnConsumedCapacity" in model.input_shape.members:
            params["ReturnConsumedCapacity"] = "TOTAL"

    def _count(self, event_name: str, **_: object) -> None:
        service, operation = event_name.split(".")[1:]
        with self._lock:
            self.calls[f"{service}.{operation}"] += 1
        if service == "dynamodb":
            if self._latency:
                time.sleep(self._latency)
            self._of_thread.sent = time.perf_counter()

    def _time(self, **_: object) -> None:
        took = time.perf_counter() - self._of_thread.sent
        with self._lock:
            self.engine_seconds += took

    def _sum(self, parsed: Mapping[str, Any], model: Any, **_: object) -> None:
        consumed = parsed.get("ConsumedCapacity") or []
        units = sum(
            each["CapacityUnits"]
            for each in (consumed if isinstance(consumed, list) else [consumed])
        )
        with self._lock:
            if model.name in WRITES:
                self.write_units += units
            else:
                self.read_units += units
