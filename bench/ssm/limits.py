"""How slow SSM answers, and how many calls a second it takes: a token bucket."""

import time
from collections import Counter
from dataclasses import dataclass, field

LIMITED = frozenset({"ListResourceComplianceSummaries", "ListComplianceItems"})


@dataclass(slots=True)
class Limits:
    """latency: seconds before each answer · rate: calls a second, None without a limit.

    A bucket holds the calls of one second, as a burst, and at least one. What is no call to SSM
    Compliance has a limit of its own, which nobody reaches here.
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
        self._left, self._at = max(1.0, rate or 0.0), time.monotonic()
        self.forget()

    def forget(self) -> None:
        """Count from zero."""
        self.calls.clear()
        self.throttled = 0

    def admits(self, operation: str) -> bool:
        """Count a call; False where it is one too many now."""
        self.calls[operation] += 1
        if self.rate is None or operation not in LIMITED:
            return True
        now = time.monotonic()
        self._left = min(max(1.0, self.rate), self._left + (now - self._at) * self.rate)
        self._at = now
        if self._left < 1:
            self.throttled += 1
            return False
        self._left -= 1
        return True
