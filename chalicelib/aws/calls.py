"""Counts the calls that a boto3 session makes, by service and operation."""

import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import boto3


class CallCounter:
    """Calls by `service.Operation`, retries not counted; safe to use from threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: Counter[str] = Counter()

    def watch(self, session: "boto3.Session") -> None:
        """Count every call of the clients that this session makes from now on."""
        session.events.register("before-call", self._count)

    def take(self) -> dict[str, int]:
        """The calls since the last taking."""
        with self._lock:
            calls, self._calls = self._calls, Counter()
        return dict(calls)

    def _count(self, model: Any, **_: Any) -> None:
        name = f"{model.service_model.service_name}.{model.name}"
        with self._lock:
            self._calls[name] += 1
