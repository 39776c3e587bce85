"""A snooze: a rule that mutes messages about findings, and never hides data."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from chalicelib.domain.finding import Finding, finding_id


class Reason(StrEnum):
    """Why something is snoozed."""

    ACCEPTED_RISK = "accepted_risk"
    FALSE_POSITIVE = "false_positive"
    NOT_APPLICABLE = "not_applicable"
    COMPENSATING_CONTROL = "compensating_control"
    FIX_IN_PROGRESS = "fix_in_progress"
    FIX_SCHEDULED = "fix_scheduled"
    MAINTENANCE = "maintenance"
    OTHER = "other"


class State(StrEnum):
    """Where an instant lies to the snooze's half-open interval."""

    PENDING = "pending"
    ACTIVE = "active"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Snooze:
    """A rule by instance, by title, or by both (a pair).

    Mutes over `[starts_at, ends_at)`; `ends_at` None is for ever. `ended_at`
    is an end by hand or by a fix, `settled_at` the time at which people were told
    that it ended. `version` counts writes.
    """

    id: str
    instance_id: str | None
    title: str | None
    starts_at: datetime
    ends_at: datetime | None
    until_resolved: bool
    reason: Reason
    comment: str
    created_by: str
    created_via: str
    created_at: datetime
    ended_at: datetime | None = None
    settled_at: datetime | None = None
    version: int = 1

    def __post_init__(self) -> None:
        if self.instance_id is None and self.title is None:
            raise ValueError("a snooze names an instance, a title, or both")

    @property
    def scope(self) -> "Scope":
        """What it is about: its instance and its title, None for any."""
        return self.instance_id, self.title

    @property
    def end(self) -> datetime | None:
        """The instant at which it stops muting, whichever end comes first."""
        ends = [when for when in (self.ends_at, self.ended_at) if when is not None]
        return min(ends, default=None)

    @property
    def scope_id(self) -> str:
        """See `scope_id`."""
        return scope_id(self.scope)

    def state(self, now: datetime) -> State:
        """Its state at an instant: the one home of this rule."""
        end = self.end
        if end is not None and now >= end:
            return State.ENDED
        return State.ACTIVE if now >= self.starts_at else State.PENDING

    def covers(self, instance_id: str, title: str) -> bool:
        """Whether the rule is about this pair, at any time."""
        return self.instance_id in (None, instance_id) and self.title in (None, title)


def is_same_rule(one: Snooze, other: Snooze) -> bool:
    """Whether two rules ask for the same thing for the same reason, whoever made them when."""
    return (
        (one.instance_id, one.title, one.until_resolved)
        == (other.instance_id, other.title, other.until_resolved)
        and (one.reason, one.comment) == (other.reason, other.comment)
        and (one.ends_at is None) == (other.ends_at is None)
    )


Scope: TypeAlias = tuple[str | None, str | None]


def scope_id(scope: Scope) -> str:
    """32 hex digits of what a snooze is about; those of a pair are those of its finding."""
    instance_id, title = scope
    return finding_id(instance_id or "", title or "")


def id_prefix(scope: str) -> str:
    """How the ids of all snoozes begin that have this scope id, so that a store finds them."""
    return f"s-{scope[:8]}"


def candidate_scopes(finding: Finding) -> tuple[Scope, Scope, Scope]:
    """The instance and title of every snooze that could be about a finding."""
    instance_id, title = finding.key
    return (instance_id, title), (instance_id, None), (None, title)


class Muting:
    """The snoozes that mute at one instant, found by what they are about.

    A finding costs three look-ups, however many snoozes there are.
    """

    def __init__(self, snoozes: Iterable[Snooze], now: datetime) -> None:
        about: dict[Scope, Snooze] = {}
        for each in snoozes:
            if each.state(now) is State.ACTIVE:
                about[each.scope] = max(about.get(each.scope, each), each, key=_lasts)
        self._about = about

    def of(self, finding: Finding) -> Snooze | None:
        """The snooze that mutes a finding longest; None where none does."""
        if not self._about:
            return None
        found = [self._about[scope] for scope in candidate_scopes(finding) if scope in self._about]
        return max(found, key=_lasts, default=None)


def _lasts(snooze: Snooze) -> tuple[bool, float, str]:
    end = snooze.end
    return end is None, end.timestamp() if end else 0.0, snooze.id


def list_unsettled(snoozes: Iterable[Snooze], now: datetime) -> tuple[Snooze, ...]:
    """Ended snoozes that nobody was told of, first ended first."""
    ended = [each for each in snoozes if each.state(now) is State.ENDED and each.settled_at is None]
    return tuple(sorted(ended, key=lambda each: (each.end or now, each.id)))


def end_by_fix(
    snoozes: Iterable[Snooze], resolved: Iterable[Finding], now: datetime
) -> tuple[Snooze, ...]:
    """The `until_resolved` snoozes that these resolutions end.

    They stay untold: should the fix not be written after all, the finding that
    still fails is told like that of any ended snooze.
    """
    keys = {finding.key for finding in resolved}
    return tuple(
        replace(each, ended_at=now, version=each.version + 1)
        for each in snoozes
        if each.until_resolved
        and each.state(now) is not State.ENDED
        and (each.instance_id, each.title) in keys
    )
