"""Time that moves only where somebody would have waited."""

from datetime import datetime, timedelta
from threading import Lock


class SimulatedClock:
    """A `Clock` that calls move forward; safe to use from threads.

    Reading and writing add up on it, where the program writes one chunk while it reads the next.
    """

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._lock = Lock()

    def __call__(self) -> datetime:
        """The present of the simulation, aware UTC."""
        return self._now

    def forward(self, seconds: float) -> None:
        """Let so many seconds go by."""
        with self._lock:
            self._now += timedelta(seconds=seconds)

    def wait_until(self, at: datetime) -> None:
        """Let the time go by until then; nothing where it is past."""
        with self._lock:
            self._now = max(self._now, at)
