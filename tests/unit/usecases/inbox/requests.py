"""The terms, rules and people of the snooze tests."""

from typing import Any

from chalicelib.domain.finding import finding_id
from chalicelib.domain.snooze import Reason, Scope, Snooze
from chalicelib.domain.snooze_rules import SnoozeEnd, SnoozeTerms
from chalicelib.usecases.context import Author
from chalicelib.usecases.inbox import snoozes
from tests.fleet import HOUR, START, Service

FIRST, SECOND = Author("first"), Author("second")
# The finding that is snoozed as a pair.
PAIR = finding_id("i-1", "A")


def make_terms(**fields: Any) -> SnoozeTerms:
    """Returns terms for the first hour, with these fields changed."""
    usual: dict[str, Any] = {
        "end": SnoozeEnd(at=START + HOUR),
        "reason": Reason.MAINTENANCE,
        "comment": "ticket 42",
    }
    return SnoozeTerms(**{**usual, **fields})


def make_rule(
    instance_id: str | None = "i-1", title: str | None = "A", **fields: Any
) -> tuple[Scope, SnoozeTerms]:
    """Returns the scope and the terms of a rule."""
    return Scope(instance_id, title), make_terms(**fields)


def snooze_pair(service: Service, author: Author = FIRST, **fields: Any) -> tuple[Snooze, bool]:
    """Snoozes `PAIR`. Returns the snooze and whether it is new."""
    return snoozes.snooze_finding(service.inbox, PAIR, make_terms(**fields), None, author)
