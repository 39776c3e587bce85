"""The rules that a snooze must keep when a person makes or changes it."""

from datetime import UTC, datetime, timedelta

from msgspec import Struct

from chalicelib.domain.errors import FieldFault, RuleBroken
from chalicelib.domain.snooze import Reason, Scope, Snooze, State

SHORTEST_COMMENT, LONGEST_COMMENT = 3, 500


class SnoozeEnd(Struct, frozen=True):
    """When a snooze ends. Exactly one of the three must be given."""

    at: datetime | None = None
    duration: timedelta | None = None
    permanent: bool = False

    @property
    def given(self) -> tuple[str, ...]:
        """The API's names of the fields that were given."""
        named = {
            "ends_at": self.at is not None,
            "duration": self.duration is not None,
            "permanent": self.permanent,
        }
        return tuple(name for name, is_given in named.items() if is_given)


class SnoozeLimits(Struct, frozen=True):
    """What the settings allow: the longest time until an end, and snoozes without one."""

    longest: timedelta
    allow_permanent: bool = True


class SnoozeTerms(Struct, frozen=True):
    """How long and why to snooze, whatever the scope."""

    end: SnoozeEnd
    reason: Reason
    comment: str
    until_resolved: bool = False


class SnoozeChange(Struct, frozen=True):
    """A change to a snooze; None keeps a field."""

    end: SnoozeEnd | None = None
    reason: Reason | None = None
    comment: str | None = None


def validate_snooze(
    scope: Scope, terms: SnoozeTerms, now: datetime, limits: SnoozeLimits
) -> datetime | None:
    """Returns when the snooze ends, None for never; `RuleBroken` names every broken rule."""
    faults = [*_check_scope(scope, terms), *_check_comment(terms.comment)]
    ends_at, end_faults = _validate_end(terms.end, now, limits)
    _raise_if_any(*faults, *end_faults)
    return ends_at


def validate_change(
    snooze: Snooze, change: SnoozeChange, now: datetime, limits: SnoozeLimits
) -> datetime | None:
    """Returns when the changed snooze ends; `RuleBroken` names every broken rule."""
    faults = []
    if snooze.state(now) is State.ENDED:
        faults.append(FieldFault("", "ended", "The snooze has ended; make a new one."))
    if change.comment is not None:
        faults += _check_comment(change.comment)
    ends_at: datetime | None = snooze.ends_at
    end_faults: list[FieldFault] = []
    if change.end is not None:
        ends_at, end_faults = _validate_end(change.end, now, limits)
    _raise_if_any(*faults, *end_faults)
    return ends_at


def _raise_if_any(*faults: FieldFault) -> None:
    if faults:
        raise RuleBroken("The request breaks a rule; nothing was written.", *faults)


def _check_scope(scope: Scope, terms: SnoozeTerms) -> list[FieldFault]:
    faults = []
    if scope.instance_id is None and scope.title is None:
        faults.append(FieldFault("", "scope_missing", "Name an instance_id, a title, or both."))
    if terms.until_resolved and not scope.is_pair:
        text = "Only a snooze of one instance_id and one title can end with a fix."
        faults.append(FieldFault("/until_resolved", "pairs_only", text))
    return faults


def _check_comment(comment: str) -> list[FieldFault]:
    length = len(comment.strip())
    if SHORTEST_COMMENT <= length <= LONGEST_COMMENT:
        return []
    text = f"Give {SHORTEST_COMMENT} to {LONGEST_COMMENT} characters, not {length}."
    return [FieldFault("/comment", "length", text)]


def _validate_end(
    end: SnoozeEnd, now: datetime, limits: SnoozeLimits
) -> tuple[datetime | None, list[FieldFault]]:
    if len(end.given) != 1:
        text = "Give exactly one of ends_at, duration and permanent: true."
        pointer = f"/{end.given[-1]}" if end.given else ""
        return None, [FieldFault(pointer, "one_end", text)]
    longest = limits.longest
    if end.permanent:
        text = f"Permanent snoozes are turned off. Give an end within {longest.days} days."
        fault = FieldFault("/permanent", "permanent_off", text)
        return None, [] if limits.allow_permanent else [fault]
    pointer = "/ends_at" if end.at is not None else "/duration"
    if end.duration is not None and (end.duration <= timedelta(0) or end.duration > longest):
        code = "too_long" if end.duration > longest else "past"
        text = f"Give a duration above zero and of {longest.days} days at most."
        return None, [FieldFault(pointer, code, text)]
    ends_at = _to_utc_seconds(end.at or now + (end.duration or timedelta(0)))
    if ends_at <= now:
        return None, [FieldFault(pointer, "past", "The end must lie in the future.")]
    if ends_at - now > longest:
        or_none = "; permanent: true has no end" if limits.allow_permanent else ""
        text = f"The end must lie within {longest.days} days{or_none}."
        return None, [FieldFault(pointer, "too_long", text)]
    return ends_at, []


def _to_utc_seconds(at: datetime) -> datetime:
    """Whole seconds of UTC. At the edge of the calendar the local time stands for UTC."""
    try:
        return at.astimezone(UTC).replace(microsecond=0)
    except OverflowError:
        return at.replace(tzinfo=UTC, microsecond=0)
