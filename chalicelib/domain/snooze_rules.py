"""The rules that a snooze must keep when a person makes or changes it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from chalicelib.domain.errors import FieldFault, RuleBroken
from chalicelib.domain.finding import Severity
from chalicelib.domain.snooze import Reason, Scope, Snooze, State
from chalicelib.domain.text import ELLIPSIS, REPLACEMENT, match_key, visible

SHORTEST_COMMENT, LONGEST_COMMENT = 3, 500
# Characters of a pattern beside its stars.
SHORTEST_PATTERN = 3
# A snooze that would mute more findings than this must say so.
MOST_UNCONFIRMED = 1_000


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
    """How long and why to snooze, whatever the scope.

    `starts_at` None means now. `max_severity` is the worst severity to mute, None for any.
    """

    end: SnoozeEnd
    reason: Reason
    comment: str
    until_resolved: bool = False
    starts_at: datetime | None = None
    max_severity: Severity | None = None


class SnoozeTime(Struct, frozen=True):
    """When a snooze mutes: `[starts_at, ends_at)`, `ends_at` None for ever."""

    starts_at: datetime
    ends_at: datetime | None


class SnoozeChange(Struct, frozen=True):
    """A change to a snooze; None keeps a field."""

    end: SnoozeEnd | None = None
    reason: Reason | None = None
    comment: str | None = None


def validate_snooze(
    scope: Scope, terms: SnoozeTerms, now: datetime, limits: SnoozeLimits
) -> SnoozeTime:
    """Returns when the snooze mutes; `RuleBroken` names every broken rule."""
    time, faults = _validate_terms(terms, now, limits)
    _raise_if_any(*check_scope(scope, terms), *faults)
    return time


def check_matches(by_severity: Mapping[Severity, int], confirmed: int | None) -> None:
    """Raises `RuleBroken` if a snooze would mute more findings than a person confirmed."""
    total = sum(by_severity.values())
    if total <= max(MOST_UNCONFIRMED, confirmed or 0):
        return
    text = f"This would mute {total:,} findings. To confirm that, give confirm_matches: {total}."
    _raise_if_any(FieldFault("/confirm_matches", "unconfirmed", text))


def validate_change(
    snooze: Snooze, change: SnoozeChange, now: datetime, limits: SnoozeLimits
) -> datetime | None:
    """Returns when the changed snooze ends; `RuleBroken` names every broken rule."""
    start = max(now, snooze.starts_at)
    faults = check_change(change, start, limits)
    if snooze.state(now) is State.ENDED:
        faults.insert(0, FieldFault("", "ended", "The snooze has ended; make a new one."))
    _raise_if_any(*faults)
    if change.end is None:
        return snooze.ends_at
    return _validate_end(change.end, start, limits)[0]


def check_terms(terms: SnoozeTerms, now: datetime, limits: SnoozeLimits) -> list[FieldFault]:
    """Lists the rules that these terms break, whatever the scope."""
    return _validate_terms(terms, now, limits)[1]


def check_change(change: SnoozeChange, now: datetime, limits: SnoozeLimits) -> list[FieldFault]:
    """Lists the rules that a change breaks, whatever the snooze. Its end counts from `now`."""
    faults = [] if change.comment is None else _check_comment(change.comment)
    if change.end is not None:
        faults += _validate_end(change.end, now, limits)[1]
    return faults


def check_scope(scope: Scope, terms: SnoozeTerms) -> list[FieldFault]:
    """Lists the rules that a scope breaks, alone or with these terms."""
    faults = []
    if not any(part is not None for part in scope.parts):
        text = "Name an instance_id, a title, a title_pattern or a control_id."
        faults.append(FieldFault("", "scope_missing", text))
    faults += _check_title(scope)
    if scope.title_pattern is not None:
        faults += _check_pattern(scope.title_pattern)
    if scope.title is not None and scope.title_pattern is not None:
        text = "Give a title or a title_pattern, not both."
        faults.append(FieldFault("/title_pattern", "two_titles", text))
    if terms.until_resolved and not scope.is_pair:
        text = "Only a snooze of one instance_id and one whole title can end with a fix."
        faults.append(FieldFault("/until_resolved", "pairs_only", text))
    return faults


def _check_title(scope: Scope) -> list[FieldFault]:
    if scope.title is not None and not scope.is_whole and not match_key(scope.title):
        return [FieldFault("/title", "blank", "Give a title with visible characters.")]
    if scope.beginning is None or len(scope.beginning) >= SHORTEST_PATTERN:
        return []
    text = f"Give {SHORTEST_PATTERN} characters or more before the {ELLIPSIS}."
    return [FieldFault("/title", "too_wide", text)]


def _check_pattern(pattern: str) -> list[FieldFault]:
    if len(match_key(pattern.replace("*", ""))) >= SHORTEST_PATTERN:
        return []
    text = (
        f"Give {SHORTEST_PATTERN} characters or more beside the stars. "
        "To snooze everything on a node, name its instance_id."
    )
    return [FieldFault("/title_pattern", "too_wide", text)]


def _raise_if_any(*faults: FieldFault) -> None:
    if faults:
        raise RuleBroken("The request breaks a rule; nothing was written.", *faults)


def _validate_terms(
    terms: SnoozeTerms, now: datetime, limits: SnoozeLimits
) -> tuple[SnoozeTime, list[FieldFault]]:
    starts_at, start_faults = _validate_start(terms.starts_at, now, limits.longest)
    ends_at, end_faults = _validate_end(terms.end, starts_at, limits)
    faults = [*_check_comment(terms.comment), *start_faults, *end_faults]
    return SnoozeTime(starts_at, ends_at), faults


def _check_comment(comment: str) -> list[FieldFault]:
    # what nobody sees explains nothing
    shown = comment if comment.isprintable() else visible(comment).replace(REPLACEMENT, "")
    length = len(shown.strip())
    if SHORTEST_COMMENT <= length <= LONGEST_COMMENT:
        return []
    text = f"Give {SHORTEST_COMMENT} to {LONGEST_COMMENT} characters, not {length}."
    return [FieldFault("/comment", "length", text)]


def _validate_start(
    starts_at: datetime | None, now: datetime, longest: timedelta
) -> tuple[datetime, list[FieldFault]]:
    if starts_at is None:
        return now, []
    at = _to_utc_seconds(starts_at)
    if at <= now:
        text = "The start must lie in the future. Leave it out to begin now."
        return now, [FieldFault("/starts_at", "past", text)]
    if at - now > longest:
        text = f"The start must lie within {longest.days} days."
        return now, [FieldFault("/starts_at", "too_late", text)]
    return at, []


def _validate_end(
    end: SnoozeEnd, starts_at: datetime, limits: SnoozeLimits
) -> tuple[datetime | None, list[FieldFault]]:
    """Checks an end. A duration counts from the start, which is not in the past."""
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
    ends_at = _to_utc_seconds(end.at or starts_at + (end.duration or timedelta(0)))
    if ends_at <= starts_at:
        text = "The end must lie in the future, after the start."
        return None, [FieldFault(pointer, "past", text)]
    if ends_at - starts_at > longest:
        or_none = "; permanent: true has no end" if limits.allow_permanent else ""
        text = f"A snooze lasts {longest.days} days at most{or_none}."
        return None, [FieldFault(pointer, "too_long", text)]
    return ends_at, []


def _to_utc_seconds(at: datetime) -> datetime:
    """Whole seconds of UTC. At the edge of the calendar the local time stands for UTC."""
    try:
        return at.astimezone(UTC).replace(microsecond=0)
    except OverflowError:
        return at.replace(tzinfo=UTC, microsecond=0)
