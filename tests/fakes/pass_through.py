"""A port that passes its calls on, for tests that change one of its methods."""

from typing import Any


class PassThrough:
    """Passes every call on to `port`. A subclass overrides what must go wrong."""

    def __init__(self, port: Any) -> None:
        self.port = port

    def __getattr__(self, name: str) -> Any:
        return getattr(self.port, name)
