"""The shapes of requests: bodies and query parameters, with what a schema can say of them."""

import re
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from chalicelib.domain.finding import Severity
from chalicelib.domain.snooze import Reason, State
from chalicelib.domain.snooze_rules import LONGEST_COMMENT, SHORTEST_COMMENT

T = TypeVar("T")

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
# msgspec searches, and `$` alone would let a line break follow.
InstanceId = Annotated[str, msgspec.Meta(pattern=r"^(i|mi)-[0-9a-f]{1,32}$(?!\n)")]
Cursor = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
Limit = Annotated[int, msgspec.Meta(ge=1, le=200)]
Aware = Annotated[
    datetime, msgspec.Meta(tz=True, description="RFC 3339, with a time zone, in the future")
]
_WEEKS = re.compile(r"P(\d{1,6})W", re.ASCII)
Permanent = Annotated[Literal[True] | None, msgspec.Meta(description="true: without end")]
Comment = Annotated[str, msgspec.Meta(min_length=SHORTEST_COMMENT, max_length=LONGEST_COMMENT)]


class Duration(timedelta):
    """A duration as people write it: msgspec's own reading stops at days, ISO 8601 has weeks."""


def decode_duration(kind: type, value: object) -> Any:
    """Read what msgspec does not know: its `dec_hook`. ValueError for a wrong text."""
    if kind is not Duration:
        raise NotImplementedError(kind)
    weeks = _WEEKS.fullmatch(value) if isinstance(value, str) else None
    if weeks:
        return Duration(weeks=int(weeks[1]))
    try:
        read = msgspec.convert(value, timedelta)
    except msgspec.ValidationError as error:
        # only of a ValueError does msgspec say in which field it was
        raise ValueError(str(error)) from error
    return Duration(read.days, read.seconds, read.microseconds)


def describe_duration(kind: type) -> dict[str, Any]:
    """Say in a JSON schema what `read_own` reads: msgspec's `schema_hook`."""
    if kind is not Duration:
        raise NotImplementedError(kind)
    text = "ISO 8601, weeks to seconds, such as P2W, P1DT12H or PT30M"
    return {"type": "string", "format": "duration", "description": text}


class Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A body; a field that nobody knows is refused, not ignored."""


class SnoozeFinding(Body, frozen=True):
    """Snooze one finding: exactly one of ends_at, duration and permanent."""

    reason: Reason
    comment: Comment
    ends_at: Aware | None = None
    duration: Duration | None = None
    permanent: Permanent = None
    until_resolved: bool = False


class CreateSnooze(Body, frozen=True):
    """Snooze an instance, a title or both: exactly one of ends_at, duration and permanent."""

    reason: Reason
    comment: Comment
    instance_id: InstanceId | None = None
    title: Text | None = None
    ends_at: Aware | None = None
    duration: Duration | None = None
    permanent: Permanent = None
    until_resolved: bool = False


class ChangeSnooze(Body, frozen=True):
    """What to change; at most one of ends_at, duration and permanent."""

    reason: Reason | None = None
    comment: Comment | None = None
    ends_at: Aware | None = None
    duration: Duration | None = None
    permanent: Permanent = None


def or_none(value: T | msgspec.UnsetType) -> T | None:
    """The value of a parameter; None where it was not given.

    Parameters are unset instead of null: msgspec would take the text "null" for null.
    """
    return None if isinstance(value, msgspec.UnsetType) else value


class NoQuery(Body, frozen=True):
    """No parameters."""


class PageQuery(Body, frozen=True):
    """Which page of a list."""

    limit: Limit = 50
    cursor: Cursor | msgspec.UnsetType = msgspec.UNSET


class FindingQuery(PageQuery, frozen=True):
    """Which findings: title exactly, q as part of title or instance, whatever its case."""

    instance_id: InstanceId | msgspec.UnsetType = msgspec.UNSET
    title: Text | msgspec.UnsetType = msgspec.UNSET
    severity: Severity | msgspec.UnsetType = msgspec.UNSET
    control_id: Text | msgspec.UnsetType = msgspec.UNSET
    state: Literal["open", "snoozed"] | msgspec.UnsetType = msgspec.UNSET
    q: Text | msgspec.UnsetType = msgspec.UNSET
    format: Literal["json", "csv"] = "json"


class SnoozeQuery(PageQuery, frozen=True):
    """Which snoozes."""

    instance_id: InstanceId | msgspec.UnsetType = msgspec.UNSET
    title: Text | msgspec.UnsetType = msgspec.UNSET
    state: State | msgspec.UnsetType = msgspec.UNSET


class DryRunQuery(Body, frozen=True):
    """Whether only to count what the rule would mute."""

    dry_run: bool = False
