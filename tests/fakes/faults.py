"""Errors that a fake raises on demand."""

from collections import deque

from chalicelib.domain.errors import ServiceError


class QueuedErrors:
    """Errors to raise in the next calls, one for each call."""

    def __init__(self) -> None:
        self._waiting: deque[ServiceError] = deque()

    def add(self, error: ServiceError, times: int) -> None:
        """Raises this error in the next `times` calls."""
        self._waiting.extend([error] * times)

    def raise_next(self) -> None:
        """Raises the next error, if one is waiting."""
        if self._waiting:
            raise self._waiting.popleft()
