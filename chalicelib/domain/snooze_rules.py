"""The rules a snooze must keep when people make or change one."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from chalicelib.domain.errors import FieldFault, RuleBroken
from chalicelib.domain.snooze import Reason, Snooze, State

SHORTEST_COMMENT, LONGEST_COMMENT = 3, 500


@dataclass(frozen=True, slots=True)
class SnoozeEnd:
    """When a snooze shall end: exactly one of the three is given."""

    at: datetime | None = None
    duration: timedelta | None = None
    permanent: bool = False

    @property
    def given(self) -> tuple[str, ...]:
        """The names of the fields that were given."""
        named = {
            "ends_at": self.at is not None,
            "duration": self.duration is not None,
            "permanent": self.permanent,
        }
        return tuple(name for name, there in named.items() if there)


@dataclass(frozen=True, slots=True)
class SnoozeRequest:
    """What a person wants of a snooze; `instance_id` and `title` both None is a broken rule."""

    instance_id: str | None
    title: str | None
    end: SnoozeEnd
    reason: Reason
    comment: str
    until_resolved: bool = False


@dataclass(frozen=True, slots=True)
class SnoozeChange:
    """What a person wants changed; None leaves a field as it is."""

    end: SnoozeEnd | None = None
    reason: Reason | None = None
    comment: str | None = None


def validate_snooze(wanted: SnoozeRequest, now: datetime, longest: timedelta) -> datetime | None:
    """The instant of the end, None for ever; `RuleBroken` names every rule that is broken."""
    faults = [*_scope_faults(wanted), *_comment_faults(wanted.comment)]
    ends_at, end_faults = _end(wanted.end, now, longest)
    _raise(*faults, *end_faults)
    return ends_at


def validate_change(
    snooze: Snooze, change: SnoozeChange, now: datetime, longest: timedelta
) -> datetime | None:
    """The instant of the end after a change; `RuleBroken` names every rule that is broken."""
    faults = []
    if snooze.state(now) is State.ENDED:
        faults.append(FieldFault("", "ended", "The snooze has ended; make a new one."))
    if change.comment is not None:
        faults += _comment_faults(change.comment)
    ends_at: datetime | None = snooze.ends_at
    end_faults: list[FieldFault] = []
    if change.end is not None:
        ends_at, end_faults = _end(change.end, now, longest)
    _raise(*faults, *end_faults)
    return ends_at


def _raise(*faults: FieldFault) -> None:
    if faults:
        raise RuleBroken("The request breaks a rule; nothing was written.", *faults)


def _scope_faults(wanted: SnoozeRequest) -> list[FieldFault]:
    faults = []
    if wanted.instance_id is None and wanted.title is None:
        faults.append(FieldFault("", "scope_missing", "Name an instance_id, a title, or both."))
    if wanted.until_resolved and (wanted.instance_id is None or wanted.title is None):
        text = "Only a snooze of one instance_id and one title can end with a fix."
        faults.append(FieldFault("/until_resolved", "pairs_only", text))
    return faults


def _comment_faults(comment: str) -> list[FieldFault]:
    length = len(comment.strip())
    if SHORTEST_COMMENT <= length <= LONGEST_COMMENT:
        return []
    text = f"Give {SHORTEST_COMMENT} to {LONGEST_COMMENT} characters, not {length}."
    return [FieldFault("/comment", "length", text)]


def _end(
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
    ends_at = _instant(end.at or now + (end.duration or timedelta(0)))
    if ends_at <= now:
        return None, [FieldFault(pointer, "past", "The end must lie in the future.")]
    if ends_at - now > longest:
        text = f"The end must lie within {longest.days} days; permanent: true has no end."
        return None, [FieldFault(pointer, "too_long", text)]
    return ends_at, []


def _instant(at: datetime) -> datetime:
    """Whole seconds of UTC; at the edge of the calendar the year stands for the instant."""
    try:
        return at.astimezone(UTC).replace(microsecond=0)
    except OverflowError:
        return at.replace(tzinfo=UTC, microsecond=0)
