"""Faults on demand: what goes wrong with the next calls."""

from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock

ANY_METHOD = "*"
UPLOAD = "upload"


class FaultKind(StrEnum):
    """Ways in which a call to Slack goes wrong."""

    RATE_LIMITED = "rate_limited"
    HTTP_ERROR = "http_error"
    REFUSED = "refused"
    RESPONSE_LOST = "response_lost"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong; make it with one of the class methods.

    `status` is an HTTP status, `retry_after` counts seconds, `error` is a code of Slack's.
    """

    kind: FaultKind
    status: int | None = None
    retry_after: int = 1
    error: str = "internal_error"
    needed: str | None = None
    provided: str | None = None

    @classmethod
    def rate_limited(cls, retry_after: int = 1) -> "Fault":
        """HTTP 429 with `Retry-After: <seconds>`; the call has no effect."""
        return cls(FaultKind.RATE_LIMITED, retry_after=retry_after)

    @classmethod
    def http_error(cls, status: int = 500) -> "Fault":
        """Answer with an HTTP status and a plain text body; the call has no effect."""
        return cls(FaultKind.HTTP_ERROR, status=status)

    @classmethod
    def refused(
        cls, error: str, *, needed: str | None = None, provided: str | None = None
    ) -> "Fault":
        """HTTP 200 with `ok: false`; the call has no effect.

        `needed` and `provided` are the scopes that go with missing_scope.
        """
        return cls(FaultKind.REFUSED, error=error, needed=needed, provided=provided)

    @classmethod
    def response_lost(cls, status: int | None = None) -> "Fault":
        """Let the call have its effect, then lose the answer.

        The connection drops, or the answer is the HTTP `status` where one is given.
        """
        return cls(FaultKind.RESPONSE_LOST, status=status)


class Faults:
    """Faults in waiting, safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: dict[str, deque[Fault]] = {}

    def add(self, method: str, fault: Fault, times: int = 1) -> None:
        """Let the next `times` calls to `method` go wrong; "*" stands for any method.

        "upload" stands for the POST to an upload URL, which "*" does not cover: it is no
        method.
        """
        with self._lock:
            self._waiting.setdefault(method, deque()).extend([fault] * times)

    def take(self, method: str) -> Fault | None:
        """Use up the fault that the call to `method` meets, its own before that of "*"."""
        with self._lock:
            names = (method,) if method == UPLOAD else (method, ANY_METHOD)
            queues = (self._waiting.get(name) for name in names)
            return next((queue.popleft() for queue in queues if queue), None)

    def clear(self) -> None:
        """Forget all faults."""
        with self._lock:
            self._waiting.clear()
