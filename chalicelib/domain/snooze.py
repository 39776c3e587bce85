"""A snooze: a rule that mutes messages about findings. It never hides data."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from chalicelib.domain.finding import Finding, Severity, UncheckedFinding, finding_id
from chalicelib.domain.text import ELLIPSIS, TextPattern, cut_key, match_key

# People are reminded of a snooze this long before it ends.
REMINDER = timedelta(days=3)
# The exact parts of a scope: instance, match key of the title, control. None matches any.
Lookup: TypeAlias = "tuple[str | None, str | None, str | None]"


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
    """Which findings a snooze mutes: those that all of its parts match.

    `title` is compared by its match key; one that ends with our own ellipsis is a
    prefix, unless `is_whole` says that a node has written it so. In `title_pattern` a `*` is
    any text.
    """

    instance_id: str | None = None
    title: str | None = None
    title_pattern: str | None = None
    control_id: str | None = None
    is_whole: bool = False

    @classmethod
    def of_finding(cls, finding: Finding) -> "Scope":
        """Returns the scope of one finding, whatever its title is like."""
        return cls(finding.instance_id).with_title(finding.title)

    def with_title(self, title: str) -> "Scope":
        """Returns the scope with a whole title, as a node has written it."""
        looks_cut = self._replace(title=title, is_whole=False).is_prefix
        return self._replace(title=title, is_whole=looks_cut or not match_key(title))

    @property
    def parts(self) -> tuple[str | None, ...]:
        """What it names; None matches anything."""
        return self.instance_id, self.title, self.title_pattern, self.control_id

    @property
    def is_pair(self) -> bool:
        """Whether it names both a node and a whole title, and nothing else."""
        is_one = self.instance_id is not None and self.title is not None and not self.is_prefix
        return is_one and self.title_pattern is None and self.control_id is None

    @property
    def is_prefix(self) -> bool:
        """Whether the title was cut, as in a message."""
        return self.beginning is not None

    @property
    def beginning(self) -> str | None:
        """The key of what is left of a title that was cut; None if it is whole."""
        if self.title is None or self.is_whole or ELLIPSIS not in self.title:
            return None
        return cut_key(self.title)

    @property
    def is_exact(self) -> bool:
        """Whether a look-up finds its findings."""
        return self.title_pattern is None and not self.is_prefix

    @property
    def id(self) -> str:
        """32 hex digits; those of a pair are its finding id."""
        pattern = "" if self.title_pattern is None else f"\npattern {self.title_pattern}"
        control = "" if self.control_id is None else f"\ncontrol {self.control_id}"
        return finding_id(self.instance_id or "", f"{self.title or ''}{pattern}{control}")

    @property
    def pattern(self) -> TextPattern | None:
        """What a title must match beside the exact parts; None if nothing."""
        if self.beginning is not None:
            return TextPattern.of_prefix(self.beginning)
        return None if self.title_pattern is None else TextPattern.of(self.title_pattern)

    @property
    def lookup(self) -> Lookup:
        """The exact parts, as a key."""
        title = None if self.title is None or self.is_prefix else match_key(self.title)
        return self.instance_id, title, self.control_id

    def matches(self, finding: Finding) -> bool:
        """Whether it covers a finding."""
        instance_id, title, control_id = self.lookup
        if instance_id not in (None, finding.instance_id):
            return False
        if control_id not in (None, finding.control_id):
            return False
        if title is None and self.is_exact:
            return True
        key = match_key(finding.title)
        pattern = self.pattern
        return title in (None, key) and (pattern is None or pattern.matches(key))


class Snooze(Struct, frozen=True, kw_only=True):
    """A rule for the findings of a scope, up to a severity.

    It mutes over `[starts_at, ends_at)`; `ends_at` None means for ever.
    `ended_at` is an end by hand or by a fix. `settled_at` is when its end was
    announced, or when nothing was left to announce. `max_severity` is the worst
    severity that it mutes, None for any. That of a pair is the severity that its finding
    had, once it was seen. `reworded_ids` are further ids of the finding of a pair: those since
    its title was reworded, and the one of a title that was written otherwise.
    `is_unannounced` says that people are still to be told that it was made. `reminded_of` is
    the end of which they were reminded. `version` counts writes.
    """

    id: str
    instance_id: str | None = None
    title: str | None = None
    title_pattern: str | None = None
    control_id: str | None = None
    max_severity: Severity | None = None
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
    is_unannounced: bool = False
    reminded_of: datetime | None = None
    is_whole: bool = False
    version: int = 1

    def __post_init__(self) -> None:
        if self.scope.parts == Scope().parts:
            raise ValueError("a snooze names an instance, a title, a title_pattern or a control")

    @property
    def scope(self) -> Scope:
        """Which findings it mutes."""
        return Scope(
            self.instance_id, self.title, self.title_pattern, self.control_id, self.is_whole
        )

    @property
    def finding_ids(self) -> tuple[str, ...]:
        """The ids that the finding of a pair has or had; none of another scope."""
        return (self.scope.id, *self.reworded_ids) if self.scope.is_pair else ()

    def covers(self, finding: Finding) -> bool:
        """Whether it mutes a finding while it is active."""
        return self.mutes_severity(finding.severity) and self.concerns(finding)

    def concerns(self, finding: Finding) -> bool:
        """Whether it is about a finding, whatever its severity. A pair goes by ids, too."""
        if self.scope.matches(finding):
            return True
        is_own = self.scope.is_pair and self.instance_id == finding.instance_id
        return is_own and not set(self.finding_ids).isdisjoint(finding.all_ids)

    def mutes_severity(self, severity: Severity) -> bool:
        """Whether findings of this severity are not above its cap."""
        return self.max_severity is None or severity.rank >= self.max_severity.rank

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
    """Whether two snoozes have the same scope, terms and time, whoever made them and when.

    The time is the same if both begin when they were made and last as long, or end together.
    One that begins later is another one if it begins at another time.
    """
    return (
        (one.scope, one.max_severity, one.until_resolved)
        == (other.scope, other.max_severity, other.until_resolved)
        and (one.reason, one.comment) == (other.reason, other.comment)
        and _has_same_time(one, other)
    )


def _has_same_time(one: Snooze, other: Snooze) -> bool:
    if one.starts_at > one.created_at or other.starts_at > other.created_at:
        return (one.starts_at, one.ends_at) == (other.starts_at, other.ends_at)
    if one.ends_at is None or other.ends_at is None:
        return one.ends_at is other.ends_at
    # an end has whole seconds
    longer = (one.ends_at - one.starts_at) - (other.ends_at - other.starts_at)
    return one.ends_at == other.ends_at or abs(longer) < timedelta(seconds=1)


def digest_snoozes(snoozes: Iterable[Snooze]) -> str:
    """Returns a text that differs if any of these snoozes was changed, or is another one."""
    versions = sorted(f"{each.id} {each.version}" for each in snoozes)
    return hashlib.md5("\n".join(versions).encode(), usedforsecurity=False).hexdigest()


def id_prefix(scope_id: str) -> str:
    """Returns how the id of every snooze of this scope begins, so that a store finds them."""
    return f"s-{scope_id[:8]}"


class SnoozeIndex:
    """Snoozes by scope. Finding one costs a few look-ups, however many there are.

    Patterns are looked at one by one, once for each title. A pair snooze also covers a
    finding that had the pair's id before it was reworded.
    """

    def __init__(self, snoozes: Iterable[Snooze]) -> None:
        self._exact: dict[Lookup, list[Snooze]] = {}
        self._pairs: dict[str, list[Snooze]] = {}
        self._patterns: list[tuple[TextPattern, Lookup, Snooze]] = []
        self._by_title: dict[str, tuple[tuple[Lookup, Snooze], ...]] = {}
        for each in snoozes:
            scope = each.scope
            if scope.pattern:
                self._patterns.append((scope.pattern, scope.lookup, each))
            else:
                self._exact.setdefault(scope.lookup, []).append(each)
            for key in each.finding_ids:
                self._pairs.setdefault(key, []).append(each)
        # which parts the exact scopes name, so that no other look-up is made
        self._shapes = {tuple(part is not None for part in key) for key in self._exact}

    def find(self, finding: Finding) -> Snooze | None:
        """Returns the snooze of a finding that ends last, None if none covers it."""
        if not self._exact and not self._patterns:
            return None
        return max(self._list_covering(finding), key=_by_end, default=None)

    def find_all(self, finding: Finding) -> list[Snooze]:
        """Lists the snoozes that cover a finding, each once."""
        return list({each.id: each for each in self._list_covering(finding)}.values())

    def _list_covering(self, finding: Finding) -> list[Snooze]:
        severity = finding.severity
        return [each for each in self._list_matching(finding) if each.mutes_severity(severity)]

    def _list_matching(self, finding: Finding) -> Iterator[Snooze]:
        key = match_key(finding.title)
        parts = finding.instance_id, key, finding.control_id
        for shape in self._shapes:
            instance_id, title, control_id = (
                part if is_named else None for part, is_named in zip(parts, shape, strict=True)
            )
            yield from self._exact.get((instance_id, title, control_id), ())
        for own in finding.all_ids if self._pairs else ():
            pairs = self._pairs.get(own, ())
            yield from (each for each in pairs if each.instance_id == finding.instance_id)
        for (instance_id, _, control_id), each in self._match_patterns(key):
            if instance_id in (None, parts[0]) and control_id in (None, parts[2]):
                yield each

    def _match_patterns(self, key: str) -> tuple[tuple[Lookup, Snooze], ...]:
        """Lists those whose pattern matches a title, with their other parts."""
        if not self._patterns:
            return ()
        found = self._by_title.get(key)
        if found is None:
            found = tuple(
                (lookup, each)
                for pattern, lookup, each in self._patterns
                if pattern.longest in key and pattern.matches(key) and lookup[1] in (None, key)
            )
            self._by_title[key] = found
        return found


class Muting:
    """The snoozes that are active at one instant.

    `waiting` have ended, and mute everything that they cover until their end is announced.
    """

    def __init__(
        self, snoozes: Iterable[Snooze], now: datetime, waiting: Sequence[Snooze] = ()
    ) -> None:
        active = [each for each in snoozes if each.state(now) is State.ACTIVE]
        capped = (each for each in active if each.max_severity or not each.scope.is_pair)
        self._all = SnoozeIndex([*active, *waiting])
        self._capped = SnoozeIndex([*capped, *waiting])

    def of(self, finding: Finding) -> Snooze | None:
        """Returns the snooze that mutes a finding longest, None if none does."""
        return self._all.find(finding)

    def of_worse(self, finding: Finding) -> Snooze | None:
        """Returns the snooze that mutes that a finding is worse.

        A pair without a cap was made for a severity that is not known any more.
        """
        return self._capped.find(finding)


class ListedFinding(Struct, frozen=True):
    """A finding with the snooze that mutes it now, as the CSV and the lists show it.

    `checked_at` is when its node was last verified (`Node.checked_at`), None if that is
    not known, or did not check the finding. `unchecked_since` is None unless it is not
    checked any more, and `fixed_at` unless it was fixed.
    """

    finding: Finding
    snooze: Snooze | None
    checked_at: datetime | None = None
    unchecked_since: datetime | None = None
    fixed_at: datetime | None = None

    @property
    def is_checked(self) -> bool:
        """Whether it still fails, as far as its node was verified."""
        return self.unchecked_since is None and self.fixed_at is None

    @property
    def state(self) -> str:
        """`open`, `snoozed`, `unchecked` or `fixed`."""
        if self.fixed_at:
            return "fixed"
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


class SnoozeNotes(NamedTuple):
    """What a message says of snoozes, beside those that have ended.

    made: wide or permanent ones that nobody was told of · ending: those that end soon.
    """

    made: tuple[Snooze, ...] = ()
    ending: tuple[Snooze, ...] = ()

    def note(self) -> tuple[Snooze, ...]:
        """Returns them as they are once people were told."""
        return (
            *(replace(each, is_unannounced=False) for each in self.made),
            *(replace(each, reminded_of=each.end) for each in self.ending),
        )


def find_notes(snoozes: Iterable[Snooze], now: datetime, most: int) -> SnoozeNotes:
    """Finds at most so many snoozes to mention, oldest first. New ones come first.

    One that ends is mentioned `REMINDER` before its end, if it lasts longer than that.
    """
    standing = [each for each in snoozes if each.state(now) is not State.ENDED]
    standing.sort(key=lambda each: (each.created_at, each.id))
    made = [each for each in standing if each.is_unannounced][:most]
    ending = [each for each in standing if not each.is_unannounced and _is_due(each, now)]
    return SnoozeNotes(tuple(made), tuple(ending[: most - len(made)]))


def _is_due(snooze: Snooze, now: datetime) -> bool:
    end = snooze.end
    if end is None or snooze.reminded_of == end or end - snooze.starts_at <= REMINDER:
        return False
    return end - now <= REMINDER


def needs_announcement(snooze: Snooze) -> bool:
    """Whether people are told that it was made: it is wide, or it never ends."""
    return not snooze.scope.is_pair or snooze.ends_at is None


def select_settled(
    ended: Sequence[Snooze], new: Iterable[Finding], most: int
) -> tuple[tuple[Snooze, ...], tuple[Snooze, ...]]:
    """Returns the ended snoozes that a decision settles, and those that wait for a later one.

    Those that cover new findings come first, as the others delay nothing that is new.
    Both keep their order.
    """
    index = SnoozeIndex(ended)
    covering = {each.id for finding in new for each in index.find_all(finding)}
    first = sorted(ended, key=lambda each: each.id not in covering)[:most]
    chosen = {each.id for each in first}
    return (
        tuple(each for each in ended if each.id in chosen),
        tuple(each for each in ended if each.id not in chosen),
    )


def follow_pair(snooze: Snooze, reworded: Iterable[Finding], new: Iterable[Finding]) -> Snooze:
    """Lets a pair snooze follow its finding.

    It covers the new id of one that was reworded, and the id of one that is written
    otherwise. The first one that is seen caps it, if it has no cap.
    """
    scope = snooze.scope
    if not scope.is_pair:
        return snooze
    known = set(snooze.finding_ids)
    ids = {each.finding_id for each in reworded if not known.isdisjoint(each.former_ids)}
    own = [each for each in new if snooze.concerns(each)]
    followed = take_findings(replace(snooze, reworded_ids=(*snooze.reworded_ids, *ids)), own)
    return snooze if followed == snooze else followed


def take_findings(snooze: Snooze, own: Sequence[Finding]) -> Snooze:
    """Lets a pair snooze cover the ids of its findings, and caps it at the worst of them.

    What has no known severity caps nothing: one that is known later is not worse, and would
    never be announced.
    """
    ids = {each.finding_id for each in own}
    known = (each.severity for each in own if each.severity is not Severity.UNSPECIFIED)
    worst = min(known, key=lambda each: each.rank, default=None)
    return replace(
        snooze,
        reworded_ids=tuple(sorted(ids.union(snooze.reworded_ids) - {snooze.scope.id})),
        max_severity=snooze.max_severity or worst,
    )


def end_by_fix(snooze: Snooze, returns: Mapping[str, str], now: datetime) -> Snooze:
    """Ends an `until_resolved` snooze if its finding left.

    `returns` maps the ids of findings that left to the scan that found them again, to ""
    if none has (`find_returns`). A snooze that was made since then is about the
    finding that came back, and stays. One that ends stays unsettled: what came back is
    announced like the finding of any ended snooze.
    """
    if not snooze.until_resolved or snooze.state(now) is State.ENDED:
        return snooze
    scans = [returns[key] for key in snooze.finding_ids if key in returns]
    if any(_was_made_before(snooze, each) for each in scans):
        return replace(snooze, ended_at=now)
    return snooze


def _was_made_before(snooze: Snooze, scan_id: str) -> bool:
    """Whether a snooze is older than a scan, whose id begins with its second."""
    return not scan_id or f"{snooze.created_at:%Y%m%dT%H%M%SZ}" <= scan_id.partition("-")[0]


def _by_end(snooze: Snooze) -> tuple[bool, float, str]:
    end = snooze.end
    return end is None, end.timestamp() if end else 0.0, snooze.id
