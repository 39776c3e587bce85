"""Ports that fail, for more than one test module."""

from chalicelib.domain.errors import Unavailable


class UnreadableSnoozes:
    """`Snoozes` that cannot be read, and that nobody may write blindly."""

    def unsettled(self) -> tuple[()]:
        """Raises `Unavailable`."""
        raise Unavailable("the ledger did not answer")

    def save(self, snooze: object) -> None:
        """Fails the test."""
        raise AssertionError(snooze)


class BrokenCompliance:
    """`Compliance` that raises `error` instead of listing the fleet."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def summaries(self) -> tuple[()]:
        """Raises the error."""
        raise self._error

    def items(self, *_: object) -> tuple[()]:
        """Fails the test: without a list there is nothing to read."""
        raise AssertionError
