"""The part of SSM that the loader of InSpec reports needs."""

from types import SimpleNamespace
from typing import Any


class FakeSsm:
    """SSM that records every call of PutComplianceItems."""

    exceptions = SimpleNamespace(
        TotalSizeLimitExceededException=KeyError, ItemSizeLimitExceededException=KeyError
    )

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []

    def put_compliance_items(self, **call: Any) -> None:
        """Record a call."""
        self.calls.append(call)
