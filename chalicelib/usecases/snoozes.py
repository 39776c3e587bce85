"""Snoozes as people make, change and end them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar
from uuid import uuid4

from chalicelib.domain.errors import AlreadySnoozed, Conflict, NotFound, Stale
from chalicelib.domain.finding import Finding, Severity, finding_id
from chalicelib.domain.history import SnoozeEvent, SnoozeEventKind
from chalicelib.domain.node import count_by_severity
from chalicelib.domain.snooze import Snooze, State, identical
from chalicelib.domain.snooze_rules import Change, Wanted, checked, checked_change
from chalicelib.usecases.findings import FindingFilter, all_findings
from chalicelib.usecases.inbox import Author, Inbox
from chalicelib.usecases.snooze_history import SnoozeLine, lines_of

# Somebody else wrote between reading and writing: read and decide again this often.
ATTEMPTS = 3
# Findings that a dry run names.
SAMPLE = 10

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Muted:
    """What a rule would mute now: counts by severity and a sample, worst first."""

    by_severity: dict[Severity, int]
    sample: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class SnoozePage:
    """Snoozes of a list, and the position to go on behind; None at the end."""

    snoozes: tuple[Snooze, ...]
    after: str | None


def snooze_finding(
    inbox: Inbox, wanted_id: str, wish: Callable[[Finding], Wanted], author: Author
) -> tuple[Snooze, bool]:
    """Snooze the pair of a stored finding; the snooze, and whether it is new.

    The pair has one snooze that is made this way: a second call changes it, and
    one that asks for what is there already writes nothing.
    """
    finding = inbox.findings.get([wanted_id]).get(wanted_id)
    if finding is None:
        raise NotFound(f"No finding {wanted_id} is stored, so there is nothing to snooze.")
    wanted = wish(finding)

    def attempt() -> tuple[Snooze, bool]:
        now = inbox.clock()
        ends_at = checked(wanted, now, inbox.longest)
        held = [each for each in _of_pair(inbox, wanted_id) if each.state(now) is not State.ENDED]
        if not held:
            return _add(inbox, wanted, ends_at, author, now), True
        latest = max(held, key=lambda each: (each.created_at, each.id))
        changed = replace(
            latest,
            ends_at=ends_at,
            reason=wanted.reason,
            comment=wanted.comment,
            until_resolved=wanted.until_resolved,
        )
        if changed == latest:
            return latest, False
        return _save(inbox, changed, SnoozeEventKind.CHANGED, author, now), False

    return _again_on_conflict(attempt)


def unsnooze_finding(inbox: Inbox, wanted_id: str, author: Author) -> None:
    """End every snooze of the pair now; where there is none, nothing happens."""

    def attempt() -> None:
        for snooze in _of_pair(inbox, wanted_id):
            _end(inbox, snooze, author)

    _again_on_conflict(attempt)


def create(inbox: Inbox, wanted: Wanted, author: Author) -> Snooze:
    """Make a rule; `AlreadySnoozed` where the same one is active."""
    now = inbox.clock()
    ends_at = checked(wanted, now, inbox.longest)
    snooze = _new(wanted, ends_at, author, now)
    for each in inbox.snoozes.all():
        if each.state(now) is State.ACTIVE and identical(each, snooze):
            raise AlreadySnoozed(each.id)
    return _add(inbox, wanted, ends_at, author, now)


def dry_run(inbox: Inbox, wanted: Wanted) -> Muted:
    """What a rule would mute, without making it; its rules are checked all the same."""
    checked(wanted, inbox.clock(), inbox.longest)
    selected = FindingFilter(instance_id=wanted.instance_id, title=wanted.title)
    findings = [row.finding for row in all_findings(inbox, selected)]
    findings.sort(key=lambda each: (each.severity.rank, each.title, each.instance_id))
    return Muted(count_by_severity(each.severity for each in findings), tuple(findings[:SAMPLE]))


def change(
    inbox: Inbox, snooze_id: str, wish: Change, versions: frozenset[int] | None, author: Author
) -> Snooze:
    """Change end, reason or comment; `versions` are those the caller knows, None for any."""

    def attempt() -> Snooze:
        now = inbox.clock()
        snooze = _known(inbox, snooze_id, versions)
        ends_at = checked_change(snooze, wish, now, inbox.longest)
        changed = replace(
            snooze,
            ends_at=ends_at,
            reason=wish.reason or snooze.reason,
            comment=snooze.comment if wish.comment is None else wish.comment,
        )
        if changed == snooze:
            return snooze
        return _save(inbox, changed, SnoozeEventKind.CHANGED, author, now)

    return _again_on_conflict(attempt)


def end(inbox: Inbox, snooze_id: str, versions: frozenset[int] | None, author: Author) -> None:
    """End a rule now; one that has ended stays as it is."""
    _again_on_conflict(lambda: _end(inbox, _known(inbox, snooze_id, versions), author))


def get(inbox: Inbox, snooze_id: str) -> Snooze:
    """One rule, or `NotFound`."""
    return _known(inbox, snooze_id, None)


def history_of(inbox: Inbox, snooze_id: str) -> Sequence[SnoozeLine]:
    """What happened to a rule, oldest first, or `NotFound`."""
    snooze = _known(inbox, snooze_id, None)
    return lines_of(snooze, inbox.snoozes.events(snooze_id), inbox.clock())


def list_snoozes(
    inbox: Inbox, keep: Callable[[Snooze], bool], after: str | None, limit: int
) -> SnoozePage:
    """A page of rules, newest first."""
    chosen = sorted(filter(keep, inbox.snoozes.all()), key=_position, reverse=True)
    rest = [each for each in chosen if after is None or _position(each) < after]
    page = tuple(rest[:limit])
    return SnoozePage(page, _position(page[-1]) if len(rest) > limit else None)


def _position(snooze: Snooze) -> str:
    return f"{snooze.created_at.isoformat(timespec='microseconds')}#{snooze.id}"


def _known(inbox: Inbox, snooze_id: str, versions: frozenset[int] | None) -> Snooze:
    snooze = inbox.snoozes.get(snooze_id)
    if snooze is None:
        raise NotFound(f"There is no snooze {snooze_id}.")
    if versions is not None and snooze.version not in versions:
        raise Stale(f"Snooze {snooze_id} has changed: its version is {snooze.version} now.")
    return snooze


def _of_pair(inbox: Inbox, wanted_id: str) -> list[Snooze]:
    return [
        each
        for each in inbox.snoozes.all()
        if each.instance_id is not None
        and each.title is not None
        and finding_id(each.instance_id, each.title) == wanted_id
    ]


def _new(wanted: Wanted, ends_at: datetime | None, author: Author, now: datetime) -> Snooze:
    return Snooze(
        id=f"s-{uuid4().hex[:16]}",
        instance_id=wanted.instance_id,
        title=wanted.title,
        starts_at=now,
        ends_at=ends_at,
        until_resolved=wanted.until_resolved,
        reason=wanted.reason,
        comment=wanted.comment,
        created_by=author.name,
        created_via=author.via,
        created_at=now,
    )


def _add(
    inbox: Inbox, wanted: Wanted, ends_at: datetime | None, author: Author, now: datetime
) -> Snooze:
    snooze = _new(wanted, ends_at, author, now)
    inbox.snoozes.add(snooze, _event(snooze, SnoozeEventKind.CREATED, author, now))
    return snooze


def _end(inbox: Inbox, snooze: Snooze, author: Author) -> None:
    now = inbox.clock()
    if snooze.state(now) is not State.ENDED:
        _save(inbox, replace(snooze, ended_at=now), SnoozeEventKind.ENDED, author, now)


def _save(
    inbox: Inbox, snooze: Snooze, kind: SnoozeEventKind, author: Author, now: datetime
) -> Snooze:
    saved = replace(snooze, version=snooze.version + 1)
    inbox.snoozes.save(saved, _event(saved, kind, author, now))
    return saved


def _event(snooze: Snooze, kind: SnoozeEventKind, author: Author, now: datetime) -> SnoozeEvent:
    return SnoozeEvent(
        snooze_id=snooze.id,
        at=now,
        kind=kind,
        by=author.name,
        via=author.via,
        version=snooze.version,
        ends_at=snooze.ends_at,
        reason=snooze.reason,
        comment=snooze.comment,
    )


def _again_on_conflict(attempt: Callable[[], T]) -> T:
    for _ in range(ATTEMPTS - 1):
        try:
            return attempt()
        except Conflict:
            continue
    return attempt()
