"""How slow SSM answers, and how many calls a second it takes: a token bucket."""

import time
from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Limits:
    """latency: seconds before each answer · rate: calls a second, None without a limit.

    A bucket holds the calls of one second, as a burst.
    """

    latency: float = 0.0
    rate: float | None = None
    calls: Counter[str] = field(default_factory=Counter)
    throttled: int = 0
    _left: float = 0.0
    _at: float = 0.0

    def set(self, latency: float, rate: float | None) -> None:
        """Begin anew with these limits, a full bucket, and nothing counted."""
        self.latency, self.rate = latency, rate
        self._left, self._at = rate or 0.0, time.monotonic()
        self.forget()

    def forget(self) -> None:
        """Count from zero."""
        self.calls.clear()
        self.throttled = 0

    def admits(self, operation: str) -> bool:
        """Count a call; False where it is one too many now."""
        self.calls[operation] += 1
        if self.rate is None:
            return True
        now = time.monotonic()
        self._left = min(self.rate, self._left + (now - self._at) * self.rate)
        self._at = now
        if self._left < 1:
            self.throttled += 1
            return False
        self._left -= 1
        return True
