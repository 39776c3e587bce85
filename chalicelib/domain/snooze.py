"""A snooze: a rule that mutes messages about findings. It never hides data."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from chalicelib.domain.finding import Finding, UncheckedFinding, finding_id


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
    """Where an instant lies relative to the snooze's half-open interval."""

    PENDING = "pending"
    ACTIVE = "active"
    ENDED = "ended"


class Scope(NamedTuple):
    """Which findings a snooze mutes: those of a node, of a title, or of a pair of both."""

    instance_id: str | None = None
    title: str | None = None

    @property
    def is_pair(self) -> bool:
        """Whether it names both a node and a title, so one finding at most."""
        return self.instance_id is not None and self.title is not None

    @property
    def id(self) -> str:
        """32 hex digits; those of a pair are its finding id."""
        return finding_id(self.instance_id or "", self.title or "")

    def matches(self, finding: Finding) -> bool:
        """Whether it covers a finding."""
        return self.instance_id in (None, finding.instance_id) and self.title in (
            None,
            finding.title,
        )


class Snooze(Struct, frozen=True, kw_only=True):
    """A rule by instance, by title, or by both (a pair).

    It mutes over `[starts_at, ends_at)`; `ends_at` None means for ever.
    `ended_at` is an end by hand or by a fix. `settled_at` is when its end was
    announced, or when nothing was left to announce. `reworded_ids` are the ids that the
    finding of a pair has had since its title was reworded. `version` counts writes.
    """

    id: str
    instance_id: str | None = None
    title: str | None = None
    starts_at: datetime
    ends_at: datetime | None = None
    until_resolved: bool
    reason: Reason
    comment: str
    created_by: str
    created_via: str
    created_at: datetime
    ended_at: datetime | None = None
    settled_at: datetime | None = None
    reworded_ids: tuple[str, ...] = ()
    version: int = 1

    def __post_init__(self) -> None:
        if self.instance_id is None and self.title is None:
            raise ValueError("a snooze names an instance, a title, or both")

    @property
    def scope(self) -> Scope:
        """Which findings it mutes."""
        return Scope(self.instance_id, self.title)

    def covers(self, finding: Finding) -> bool:
        """Whether it mutes a finding while it is active."""
        return self.scope.matches(finding) or (
            self.scope.is_pair
            and self.instance_id == finding.instance_id
            and self.scope.id in finding.former_ids
        )

    @property
    def end(self) -> datetime | None:
        """When it stops muting: the earlier of its two ends, None for never."""
        ends = [when for when in (self.ends_at, self.ended_at) if when is not None]
        return min(ends, default=None)

    def state(self, now: datetime) -> State:
        """Returns its state at an instant. State is always derived here, never stored."""
        end = self.end
        if end is not None and now >= end:
            return State.ENDED
        return State.ACTIVE if now >= self.starts_at else State.PENDING


def is_same_rule(one: Snooze, other: Snooze) -> bool:
    """Whether two snoozes have the same scope and terms, whoever made them and when."""
    return (
        (one.scope, one.until_resolved) == (other.scope, other.until_resolved)
        and (one.reason, one.comment) == (other.reason, other.comment)
        and (one.ends_at is None) == (other.ends_at is None)
    )


def id_prefix(scope_id: str) -> str:
    """Returns how the id of every snooze of this scope begins, so that a store finds them."""
    return f"s-{scope_id[:8]}"


def candidate_scopes(finding: Finding) -> tuple[Scope, Scope, Scope]:
    """Lists every scope that covers a finding."""
    instance_id, title = finding.key
    return Scope(instance_id, title), Scope(instance_id, None), Scope(None, title)


class SnoozeIndex:
    """Snoozes by scope. Finding one costs a few look-ups, however many there are.

    A pair snooze also covers a finding that had the pair's id before it was reworded.
    """

    def __init__(self, snoozes: Iterable[Snooze]) -> None:
        by_scope: dict[Scope, Snooze] = {}
        for each in snoozes:
            by_scope[each.scope] = max(by_scope.get(each.scope, each), each, key=_by_end)
        self._by_scope = by_scope
        self._pairs = {each.scope.id: each for each in by_scope.values() if each.scope.is_pair}

    def find(self, finding: Finding) -> Snooze | None:
        """Returns the snooze of a finding that ends last, None if none covers it."""
        if not self._by_scope:
            return None
        scopes = candidate_scopes(finding)
        found = [self._by_scope[scope] for scope in scopes if scope in self._by_scope]
        former = (self._pairs[key] for key in finding.former_ids if key in self._pairs)
        found.extend(each for each in former if each.instance_id == finding.instance_id)
        return max(found, key=_by_end, default=None)


class Muting:
    """The snoozes that are active at one instant.

    `waiting` have ended, and mute everything that they cover until their end is announced.
    """

    def __init__(
        self, snoozes: Iterable[Snooze], now: datetime, waiting: Sequence[Snooze] = ()
    ) -> None:
        active = [each for each in snoozes if each.state(now) is State.ACTIVE]
        wide = (each for each in active if not each.scope.is_pair)
        self._all = SnoozeIndex([*active, *waiting])
        self._wide = SnoozeIndex([*wide, *waiting])

    def of(self, finding: Finding) -> Snooze | None:
        """Returns the snooze that mutes a finding longest, None if none does."""
        return self._all.find(finding)

    def of_worse(self, finding: Finding) -> Snooze | None:
        """Returns the snooze that mutes that a finding is worse: one of a node or a title.

        One of a pair was made for the severity that it had before.
        """
        return self._wide.find(finding)


class ListedFinding(Struct, frozen=True):
    """A finding with the snooze that mutes it now, as the CSV and the lists show it.

    `checked_at` is when its node was last verified (`Node.checked_at`), None if that is
    not known, or did not check the finding. `unchecked_since` is None unless it is not
    checked any more.
    """

    finding: Finding
    snooze: Snooze | None
    checked_at: datetime | None = None
    unchecked_since: datetime | None = None

    @property
    def state(self) -> str:
        """`open`, `snoozed` or `unchecked`."""
        if self.unchecked_since:
            return "unchecked"
        return "snoozed" if self.snooze else "open"


def list_with_snoozes(
    findings: Iterable[Finding], muting: Muting, checked_at: Mapping[str, datetime]
) -> Iterator[ListedFinding]:
    """Pairs each finding with the snooze that mutes it, in the order given.

    `checked_at` maps nodes to when they were last verified.
    """
    return (
        ListedFinding(finding, muting.of(finding), checked_at.get(finding.instance_id))
        for finding in findings
    )


def list_unchecked(
    remembered: Iterable[UncheckedFinding], muting: Muting
) -> Iterator[ListedFinding]:
    """Pairs each finding that is not checked any more with its snooze, in the order given."""
    return (
        ListedFinding(each.finding, muting.of(each.finding), unchecked_since=each.since)
        for each in remembered
    )


def list_unsettled(snoozes: Iterable[Snooze], now: datetime) -> tuple[Snooze, ...]:
    """Lists ended snoozes whose end is not settled, first ended first."""
    ended = [each for each in snoozes if each.state(now) is State.ENDED and each.settled_at is None]
    return tuple(sorted(ended, key=lambda each: (each.end or now, each.id)))


def select_settled(
    ended: Sequence[Snooze], new: Iterable[Finding], most: int
) -> tuple[tuple[Snooze, ...], tuple[Snooze, ...]]:
    """Returns the ended snoozes that a decision settles, and those that wait for a later one.

    Those that cover new findings come first, as the others delay nothing that is new.
    Both keep their order.
    """
    scopes = {scope for finding in new for scope in candidate_scopes(finding)}
    first = sorted(ended, key=lambda each: each.scope not in scopes)[:most]
    chosen = {each.id for each in first}
    return (
        tuple(each for each in ended if each.id in chosen),
        tuple(each for each in ended if each.id not in chosen),
    )


def extend_reworded(snooze: Snooze, reworded: Iterable[Finding]) -> Snooze:
    """Lets a pair snooze cover the new ids of its finding, if that is one of the reworded."""
    if not snooze.scope.is_pair:
        return snooze
    new = {each.finding_id for each in reworded if snooze.scope.id in each.former_ids}
    if new.issubset(snooze.reworded_ids):
        return snooze
    return replace(snooze, reworded_ids=tuple(sorted(new.union(snooze.reworded_ids))))


def end_by_fix(snooze: Snooze, returns: Mapping[str, str], now: datetime) -> Snooze:
    """Ends an `until_resolved` snooze if its finding left.

    `returns` maps the ids of findings that left to the scan that found them again, to ""
    if none has (`find_returns`). A snooze that was made since then is about the
    finding that came back, and stays. One that ends stays unsettled: what came back is
    announced like the finding of any ended snooze.
    """
    if not snooze.until_resolved or snooze.state(now) is State.ENDED:
        return snooze
    scans = [returns[key] for key in (snooze.scope.id, *snooze.reworded_ids) if key in returns]
    if any(_was_made_before(snooze, each) for each in scans):
        return replace(snooze, ended_at=now)
    return snooze


def _was_made_before(snooze: Snooze, scan_id: str) -> bool:
    """Whether a snooze is older than a scan, whose id begins with its second."""
    return not scan_id or f"{snooze.created_at:%Y%m%dT%H%M%SZ}" <= scan_id.partition("-")[0]


def _by_end(snooze: Snooze) -> tuple[bool, float, str]:
    end = snooze.end
    return end is None, end.timestamp() if end else 0.0, snooze.id
