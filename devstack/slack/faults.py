"""Planned faults: how the next calls go wrong."""

from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock

ANY_METHOD = "*"
UPLOAD = "upload"


class FaultKind(StrEnum):
    """The ways in which a call to Slack goes wrong."""

    RATE_LIMITED = "rate_limited"
    HTTP_ERROR = "http_error"
    REFUSED = "refused"
    RESPONSE_LOST = "response_lost"


@dataclass(frozen=True, slots=True)
class Fault:
    """One planned fault. Create it with one of the class methods.

    `status` is an HTTP status, `retry_after` is in seconds, `error` is one of Slack's codes.
    """

    kind: FaultKind
    status: int | None = None
    retry_after: int = 1
    error: str = "internal_error"
    needed: str | None = None
    provided: str | None = None

    @classmethod
    def rate_limited(cls, retry_after: int = 1) -> "Fault":
        """HTTP 429 with `Retry-After: <seconds>`. The call has no effect."""
        return cls(FaultKind.RATE_LIMITED, retry_after=retry_after)

    @classmethod
    def http_error(cls, status: int = 500) -> "Fault":
        """An HTTP error with plain text instead of JSON. The call has no effect."""
        return cls(FaultKind.HTTP_ERROR, status=status)

    @classmethod
    def refused(
        cls, error: str, *, needed: str | None = None, provided: str | None = None
    ) -> "Fault":
        """HTTP 200 with `ok: false`. The call has no effect.

        `needed` and `provided` are the scopes that Slack adds to missing_scope.
        """
        return cls(FaultKind.REFUSED, error=error, needed=needed, provided=provided)

    @classmethod
    def response_lost(cls, status: int | None = None) -> "Fault":
        """The call takes effect, but its response is lost.

        The caller gets the HTTP `status`. Without a status the connection drops.
        """
        return cls(FaultKind.RESPONSE_LOST, status=status)


class Faults:
    """The faults that still wait for a call, safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: dict[str, deque[Fault]] = {}

    def add(self, method: str, fault: Fault, times: int = 1) -> None:
        """Plan a fault for the next `times` calls of `method`.

        "*" means any method. "upload" means the POST to an upload URL, which "*" does not
        cover because it is not a method.
        """
        with self._lock:
            self._waiting.setdefault(method, deque()).extend([fault] * times)

    def take(self, method: str) -> Fault | None:
        """Remove and return the fault of the present call. Its own method comes before "*"."""
        with self._lock:
            names = (method,) if method == UPLOAD else (method, ANY_METHOD)
            queues = (self._waiting.get(name) for name in names)
            return next((queue.popleft() for queue in queues if queue), None)

    def clear(self) -> None:
        """Forget all faults."""
        with self._lock:
            self._waiting.clear()
