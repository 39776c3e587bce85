"""Proof: whether what was read is the whole of one execution. Only proven nodes resolve."""

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum

from chalicelib.domain.compliance import Item, Report


class Doubt(StrEnum):
    """Why a node is not proven; the value is the reason people read."""

    NOTHING_CHECKED = "no check ran on it"
    COUNT_DIFFERS = "SSM lists another number of items than it announces"
    EXECUTION_DIFFERS = "its items belong to another execution than announced"
    SNOOZES_UNREADABLE = "the snoozes that its fixes may end could not be read"
    UNREADABLE = "SSM could not list its items"


def relevant(report: Report, items: Sequence[Item]) -> tuple[Item, ...]:
    """The items less those of a type that a newer row, spelt otherwise, has replaced."""
    return tuple(item for item in items if item.compliance_type not in report.superseded)


def doubt(report: Report, items: Sequence[Item]) -> Doubt | None:
    """What speaks against one reading; None where it is proven."""
    if report.checked_nothing:
        return Doubt.NOTHING_CHECKED
    announced = report.executions
    for item in items:
        execution = announced.get(item.compliance_type.casefold())
        if execution is None or execution.execution_id != item.execution_id:
            return Doubt.EXECUTION_DIFFERS
    if len(items) != report.count:
        return Doubt.COUNT_DIFFERS
    return None


def doubt_after(report: Report, first: Sequence[Item], second: Sequence[Item]) -> Doubt | None:
    """What speaks against two readings; None where they agree on the announced execution."""
    against = doubt(report, second)
    if against is Doubt.COUNT_DIFFERS and Counter(first) == Counter(second):
        return None
    return against
