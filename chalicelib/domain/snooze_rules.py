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
    scope: Scope, terms: SnoozeTerms, now: datetime, longest: timedelta
) -> datetime | None:
    """Returns when the snooze ends, None for never; `RuleBroken` names every broken rule."""
    ends_at, faults = _validate_terms(terms, now, longest)
    _raise_if_any(*check_scope(scope, terms), *faults)
    return ends_at


def validate_change(
    snooze: Snooze, change: SnoozeChange, now: datetime, longest: timedelta
) -> datetime | None:
    """Returns when the changed snooze ends; `RuleBroken` names every broken rule."""
    faults = check_change(change, now, longest)
    if snooze.state(now) is State.ENDED:
        faults.insert(0, FieldFault("", "ended", "The snooze has ended; make a new one."))
    _raise_if_any(*faults)
    if change.end is None:
        return snooze.ends_at
    return _validate_end(change.end, now, longest)[0]


def check_terms(terms: SnoozeTerms, now: datetime, longest: timedelta) -> list[FieldFault]:
    """Lists the rules that these terms break, whatever the scope."""
    return _validate_terms(terms, now, longest)[1]


def check_change(change: SnoozeChange, now: datetime, longest: timedelta) -> list[FieldFault]:
    """Lists the rules that a change breaks, whatever the snooze."""
    faults = [] if change.comment is None else _check_comment(change.comment)
    if change.end is not None:
        faults += _validate_end(change.end, now, longest)[1]
    return faults


def check_scope(scope: Scope, terms: SnoozeTerms) -> list[FieldFault]:
    """Lists the rules that a scope breaks, alone or with these terms."""
    faults = []
    if scope.instance_id is None and scope.title is None:
        faults.append(FieldFault("", "scope_missing", "Name an instance_id, a title, or both."))
    if terms.until_resolved and not scope.is_pair:
        text = "Only a snooze of one instance_id and one title can end with a fix."
        faults.append(FieldFault("/until_resolved", "pairs_only", text))
    return faults


def _raise_if_any(*faults: FieldFault) -> None:
    if faults:
        raise RuleBroken("The request breaks a rule; nothing was written.", *faults)


def _validate_terms(
    terms: SnoozeTerms, now: datetime, longest: timedelta
) -> tuple[datetime | None, list[FieldFault]]:
    ends_at, faults = _validate_end(terms.end, now, longest)
    return ends_at, [*_check_comment(terms.comment), *faults]


def _check_comment(comment: str) -> list[FieldFault]:
    length = len(comment.strip())
    if SHORTEST_COMMENT <= length <= LONGEST_COMMENT:
        return []
    text = f"Give {SHORTEST_COMMENT} to {LONGEST_COMMENT} characters, not {length}."
    return [FieldFault("/comment", "length", text)]


def _validate_end(
    end: SnoozeEnd, now: datetime, longest: timedelta
) -> tuple[datetime | None, list[FieldFault]]:
    if len(end.given) != 1:
        text = "Give exactly one of ends_at, duration and permanent: true."
        pointer = f"/{end.given[-1]}" if end.given else ""
        return None, [FieldFault(pointer, "one_end", text)]
    if end.permanent:
        return None, []
    pointer = "/ends_at" if end.at is not None else "/duration"
    if end.duration is not None and (end.duration <= timedelta(0) or end.duration > longest):
        code = "too_long" if end.duration > longest else "past"
        text = f"Give a duration above zero and of {longest.days} days at most."
        return None, [FieldFault(pointer, code, text)]
    ends_at = _to_utc_seconds(end.at or now + (end.duration or timedelta(0)))
    if ends_at <= now:
        return None, [FieldFault(pointer, "past", "The end must lie in the future.")]
    if ends_at - now > longest:
        text = f"The end must lie within {longest.days} days; permanent: true has no end."
        return None, [FieldFault(pointer, "too_long", text)]
    return ends_at, []


def _to_utc_seconds(at: datetime) -> datetime:
    """Whole seconds of UTC. At the edge of the calendar the local time stands for UTC."""
    try:
        return at.astimezone(UTC).replace(microsecond=0)
    except OverflowError:
        return at.replace(tzinfo=UTC, microsecond=0)
