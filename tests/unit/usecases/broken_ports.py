"""Ports that fail, for more than one test module."""

from collections.abc import Sequence

from chalicelib.domain.compliance import ItemList, SummaryRow
from chalicelib.domain.errors import Unavailable


class UnreadableSnoozes:
    """`Snoozes` that cannot be read. So nothing may be written either."""

    def unsettled(self) -> tuple[()]:
        """Raises `Unavailable`."""
        raise Unavailable("the ledger did not answer")

    def save(self, snooze: object) -> None:
        """Fails the test."""
        raise AssertionError(snooze)


class UnusedCompliance:
    """`Compliance` whose calls fail the test. A subclass implements the one that is used."""

    def summaries(self) -> Sequence[SummaryRow]:
        """Fails the test."""
        raise AssertionError

    def passed_items(self, instance_id: str, types: Sequence[str]) -> ItemList:
        """Fails the test."""
        raise AssertionError(instance_id, types)

    def items(self, instance_id: str, types: Sequence[str]) -> ItemList:
        """Fails the test."""
        raise AssertionError(instance_id, types)


class BrokenCompliance(UnusedCompliance):
    """`Compliance` that raises `error` instead of listing the fleet."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def summaries(self) -> Sequence[SummaryRow]:
        """Raises the error."""
        raise self._error
