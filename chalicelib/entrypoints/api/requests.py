"""Request types: bodies and query parameters, with the limits that a schema can express."""

import re
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from chalicelib.domain.errors import BadRequest, FieldFault
from chalicelib.domain.finding import Severity
from chalicelib.domain.scan import MOST_DAYS
from chalicelib.domain.snooze import Reason, Scope, State
from chalicelib.domain.snooze_rules import (
    LONGEST_COMMENT,
    SHORTEST_COMMENT,
    SnoozeChange,
    SnoozeEnd,
    SnoozeLimits,
    SnoozeTerms,
    check_change,
    check_scope,
    check_terms,
)
from chalicelib.domain.text import match_key

T = TypeVar("T")

# A description is the end of a sentence: "instance_id is …". Refusals quote it (wording.py).
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
# SSM's titles have 500 characters at most (API reference). A copy from a CSV may have more: a
# guard stands before whatever could be a formula.
TitleText = Annotated[str, msgspec.Meta(min_length=1, max_length=1_000)]
InstanceId = Annotated[
    str,
    # msgspec searches instead of matching, and `$` alone would allow a trailing line break
    msgspec.Meta(
        pattern=r"^(i|mi)-[0-9a-f]{1,32}$(?!\n)",
        description="an instance id, which looks like i-0123456789abcdef0 or mi-0123456789abcdef0",
        examples=["i-0123456789abcdef0"],
    ),
]
# On a list that has `q`.
SearchableId = Annotated[
    InstanceId,
    msgspec.Meta(extra={"hint": "To search by a part of an instance id or a title, use q."}),
]
Cursor = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
Count = Annotated[int, msgspec.Meta(ge=0, le=10**9)]
MOST_IDS = 100
FindingId = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[0-9a-f]{32}$(?!\n)",
        description="a finding_id, which has 32 digits from 0 to f",
    ),
]
FindingIds = Annotated[list[FindingId], msgspec.Meta(min_length=1, max_length=MOST_IDS)]
Limit = Annotated[int, msgspec.Meta(ge=1, le=200)]
Aware = Annotated[
    datetime,
    msgspec.Meta(
        tz=True,
        description="a date and time with a zone, such as 2027-01-31T00:00:00Z",
        examples=["2027-01-31T00:00:00Z"],
    ),
]
# A parameter is text, and msgspec would take a number in it for seconds.
InstantText = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:?\d\d)$(?!\n)",
        description=(
            "a date and time with a zone, such as 2027-01-31T00:00:00Z (in an address, + is %2B)"
        ),
        extra_json_schema={"format": "date-time"},
    ),
]
_WEEKS = re.compile(r"P(\d{1,6})W", re.ASCII)
Permanent = Annotated[
    Literal[True] | None, msgspec.Meta(description="true if the snooze never ends, or left out")
]
Comment = Annotated[
    str,
    msgspec.Meta(min_length=SHORTEST_COMMENT, max_length=LONGEST_COMMENT, examples=["TICKET-42"]),
]


class Duration(timedelta):
    """An ISO 8601 duration. msgspec reads days and below; this also reads weeks."""


def decode_duration(kind: type, value: object) -> Any:
    """Reads a `Duration`: msgspec's `dec_hook`. ValueError for a malformed text."""
    if kind is not Duration:
        raise NotImplementedError(kind)
    value = value.strip().upper() if isinstance(value, str) else value
    weeks = _WEEKS.fullmatch(value) if isinstance(value, str) else None
    if weeks:
        return Duration(weeks=int(weeks[1]))
    try:
        duration = msgspec.convert(value, timedelta)
    except msgspec.ValidationError as error:
        # msgspec names the field only if the hook raises ValueError
        raise ValueError(str(error)) from error
    return Duration(duration.days, duration.seconds, duration.microseconds)


def describe_duration(kind: type) -> dict[str, Any]:
    """Returns the JSON schema of a `Duration`: msgspec's `schema_hook`."""
    if kind is not Duration:
        raise NotImplementedError(kind)
    return {
        "type": "string",
        "format": "duration",
        "description": "an ISO 8601 duration in weeks to seconds, such as P14D, P2W or PT12H",
        "examples": ["P14D"],
    }


class Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body or the parameters of a request. An unknown field is refused."""

    def find_broken_rules(self, now: datetime, limits: SnoozeLimits) -> list[FieldFault]:  # noqa: ARG002 - same signature
        """Lists the rules that the body breaks, as far as it alone shows them.

        `limits` are what the settings allow. The use case applies every rule; this only
        lets a refusal name those beside the fields that are wrong.
        """
        return []


class SnoozeFinding(Body, frozen=True):
    """Snooze one finding. Give exactly one of ends_at, duration and permanent."""

    reason: Reason
    comment: Comment
    ends_at: Aware | None = None
    duration: Duration | None = None
    permanent: Permanent = None
    until_resolved: bool = False
    starts_at: Aware | None = None

    @property
    def terms(self) -> SnoozeTerms:
        """The terms as a domain value."""
        return SnoozeTerms(
            SnoozeEnd(self.ends_at, self.duration, permanent=bool(self.permanent)),
            self.reason,
            self.comment,
            self.until_resolved,
            self.starts_at,
        )

    def find_broken_rules(self, now: datetime, limits: SnoozeLimits) -> list[FieldFault]:
        """Lists the rules that the terms break."""
        return check_terms(self.terms, now, limits)


class SnoozeFindings(SnoozeFinding, frozen=True, kw_only=True):
    """Snooze up to 100 findings on the same terms."""

    finding_ids: FindingIds


class UnsnoozeFindings(Body, frozen=True, kw_only=True):
    """End the snoozes of up to 100 findings."""

    finding_ids: FindingIds


class CreateSnooze(SnoozeFinding, frozen=True):
    """Snooze what matches all of instance_id, title or title_pattern, and control_id.

    Give exactly one of ends_at, duration and permanent. title is compared as people see it;
    in title_pattern a * is any text. max_severity is the worst severity to mute.
    confirm_matches is needed for a rule that mutes more than 1,000 findings.
    """

    instance_id: InstanceId | None = None
    title: TitleText | None = None
    title_pattern: TitleText | None = None
    control_id: Text | None = None
    max_severity: Severity | None = None
    confirm_matches: Count | None = None

    @property
    def scope(self) -> Scope:
        """The scope as a domain value."""
        return Scope(self.instance_id, self.title, self.title_pattern, self.control_id)

    @property
    def terms(self) -> SnoozeTerms:
        """The terms as a domain value."""
        return msgspec.structs.replace(super().terms, max_severity=self.max_severity)

    def find_broken_rules(self, now: datetime, limits: SnoozeLimits) -> list[FieldFault]:
        """Lists the rules that the scope and the terms break."""
        scope_faults = check_scope(self.scope, self.terms)
        return [*scope_faults, *check_terms(self.terms, now, limits)]


class ChangeSnooze(Body, frozen=True):
    """Change a snooze. Give at most one of ends_at, duration and permanent."""

    reason: Reason | None = None
    comment: Comment | None = None
    ends_at: Aware | None = None
    duration: Duration | None = None
    permanent: Permanent = None

    @property
    def end(self) -> SnoozeEnd:
        """The end as a domain value; empty if the end is not changed."""
        return SnoozeEnd(self.ends_at, self.duration, permanent=bool(self.permanent))

    @property
    def change(self) -> SnoozeChange:
        """The change as a domain value."""
        return SnoozeChange(self.end if self.end.given else None, self.reason, self.comment)

    def find_broken_rules(self, now: datetime, limits: SnoozeLimits) -> list[FieldFault]:
        """Lists the rules that the change breaks, whatever the snooze."""
        return check_change(self.change, now, limits)


def or_none(value: T | msgspec.UnsetType) -> T | None:
    """Returns the value of a parameter; None if it was not given.

    A missing parameter is UNSET, because msgspec reads the text "null" as None.
    """
    return None if isinstance(value, msgspec.UnsetType) else value


def read_instant(name: str, text: str | None) -> datetime | None:
    """Reads an `InstantText`; `BadRequest` names the parameter if there is no such time."""
    try:
        return None if text is None else msgspec.convert(text, datetime)
    except msgspec.ValidationError as error:
        fault = FieldFault(name, "invalid", f"There is no such time: {text}")
        raise BadRequest("A query parameter is refused.", fault) from error


def read_part(text: str | None) -> str | None:
    """Returns a text to search for; `BadRequest` if nobody can see anything of it."""
    if text is None or match_key(text):
        return text
    fault = FieldFault("q", "blank", "q has visible characters, or is left out.")
    raise BadRequest("A query parameter is refused.", fault)


class NoQuery(Body, frozen=True):
    """No parameters."""


class PageQuery(Body, frozen=True):
    """Which page of a list."""

    limit: Limit = 50
    cursor: Cursor | msgspec.UnsetType = msgspec.UNSET


class FindingQuery(PageQuery, frozen=True):
    """Which findings. title is compared as people see it; q is a part of title or instance_id."""

    instance_id: SearchableId | msgspec.UnsetType = msgspec.UNSET
    title: TitleText | msgspec.UnsetType = msgspec.UNSET
    severity: Severity | msgspec.UnsetType = msgspec.UNSET
    control_id: Text | msgspec.UnsetType = msgspec.UNSET
    state: Literal["open", "snoozed", "unchecked", "fixed"] | msgspec.UnsetType = msgspec.UNSET
    q: TitleText | msgspec.UnsetType = msgspec.UNSET
    first_seen_after: InstantText | msgspec.UnsetType = msgspec.UNSET
    format: Literal["json", "csv"] = "json"
    separator: Literal["comma", "semicolon", "tab"] = "comma"


class TitleQuery(PageQuery, frozen=True):
    """Which titles. severity is the worst of a title; q is a part of it."""

    severity: Severity | msgspec.UnsetType = msgspec.UNSET
    control_id: Text | msgspec.UnsetType = msgspec.UNSET
    q: TitleText | msgspec.UnsetType = msgspec.UNSET


class SnoozeQuery(PageQuery, frozen=True):
    """Which snoozes. unused: those that have not ended and match no finding."""

    instance_id: InstanceId | msgspec.UnsetType = msgspec.UNSET
    title: TitleText | msgspec.UnsetType = msgspec.UNSET
    control_id: Text | msgspec.UnsetType = msgspec.UNSET
    state: State | msgspec.UnsetType = msgspec.UNSET
    created_by: Text | msgspec.UnsetType = msgspec.UNSET
    reason: Reason | msgspec.UnsetType = msgspec.UNSET
    permanent: bool | msgspec.UnsetType = msgspec.UNSET
    unused: bool | msgspec.UnsetType = msgspec.UNSET
    ends_before: InstantText | msgspec.UnsetType = msgspec.UNSET


class TrendQuery(Body, frozen=True):
    """How many days, today included."""

    days: Annotated[int, msgspec.Meta(ge=1, le=MOST_DAYS)] = 30


class DryRunQuery(Body, frozen=True):
    """Whether only to count what the rule would mute, without writing it."""

    dry_run: bool = False
