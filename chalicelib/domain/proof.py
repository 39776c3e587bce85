"""Proof: whether what was read is the whole of one execution. Only verified nodes resolve."""

import hashlib
from collections.abc import Sequence
from enum import StrEnum

from chalicelib.domain.compliance import Item, NodeReport


class Doubt(StrEnum):
    """Why a node is not verified; the value is the reason people read."""

    NOTHING_CHECKED = "no check ran on it"
    COUNT_DIFFERS = "SSM lists another number of items than it announces"
    LISTED_TWICE = "SSM lists an item twice, so it may have left out another"
    EXECUTION_DIFFERS = "its items belong to another execution than announced"
    SNOOZES_UNREADABLE = "the snoozes that its fixes may end could not be read"
    TYPE_NOT_LISTED = "SSM does not list all of its compliance types any more"
    NOT_LISTED = "SSM does not list it any more"
    UNREADABLE = "SSM could not list its items"


def drop_superseded(report: NodeReport, items: Sequence[Item]) -> tuple[Item, ...]:
    """The items less those of a type that a newer row, spelt otherwise, has replaced."""
    return tuple(item for item in items if item.compliance_type not in report.superseded)


def find_doubt(report: NodeReport, items: Sequence[Item]) -> Doubt | None:
    """What speaks against one reading; None where it is verified."""
    if report.checked_nothing:
        return Doubt.NOTHING_CHECKED
    announced = report.executions
    for item in items:
        execution = announced.get(item.compliance_type.casefold())
        if execution is None or execution.execution_id != item.execution_id:
            return Doubt.EXECUTION_DIFFERS
    if len(items) != report.count:
        return Doubt.COUNT_DIFFERS
    if len(set(items)) != len(items):
        return Doubt.LISTED_TWICE
    return None


def fingerprint(items: Sequence[Item]) -> str:
    """What a reading showed, whatever its order; empty where it showed nothing."""
    if not items:
        return ""
    shown = sorted(
        repr((each.compliance_type, each.execution_id, each.item_id, each.title, each.severity))
        for each in items
    )
    return hashlib.sha256("\n".join(shown).encode()).hexdigest()


# What two passes that read the same speak against.
SETTLED_BY_REPETITION = frozenset({Doubt.COUNT_DIFFERS, Doubt.LISTED_TWICE})


def settle_doubt(against: Doubt | None, reading: str, earlier: str) -> Doubt | None:
    """The doubt about a reading, none where an earlier pass read the same.

    Two readings a moment apart may both be cut short in the same way; two
    passes may not. A reading that shows nothing carries no execution, and so
    never proves anything against an announced count. Items that a report
    really holds twice are listed twice by every pass.
    """
    if against in SETTLED_BY_REPETITION and reading and reading == earlier:
        return None
    return against


# What the summary itself says needs no second look; any other doubt may pass by itself.
CERTAIN = frozenset({Doubt.NOTHING_CHECKED, Doubt.NOT_LISTED})
