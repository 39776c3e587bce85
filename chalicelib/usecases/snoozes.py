"""Snoozes as people make, change and end them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.domain.errors import AlreadySnoozed, NotFound, Stale
from chalicelib.domain.finding import Finding, Severity
from chalicelib.domain.history import SnoozeEventKind
from chalicelib.domain.node import count_by_severity
from chalicelib.domain.snooze import Snooze, State, is_same_rule, scope_id
from chalicelib.domain.snooze_rules import (
    SnoozeChange,
    SnoozeRequest,
    validate_change,
    validate_snooze,
)
from chalicelib.usecases.findings import FindingFilter, all_findings, list_pair_snoozes
from chalicelib.usecases.inbox import Author, Inbox
from chalicelib.usecases.snooze_history import MOST_LINES, SnoozeLine, list_history_lines
from chalicelib.usecases.snooze_writing import (
    add_snooze,
    build_snooze,
    end_now,
    retry_on_conflict,
    save_snooze,
)

# Findings that a dry run names.
SAMPLE = 10


@dataclass(frozen=True, slots=True)
class SnoozePreview:
    """What a rule would mute now: counts by severity and a sample, worst first."""

    by_severity: dict[Severity, int]
    sample: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class SnoozePage:
    """Snoozes of a list, and the position to go on behind; None at the end."""

    snoozes: tuple[Snooze, ...]
    after: str | None


def snooze_finding(
    inbox: Inbox,
    wanted_id: str,
    wish: Callable[[Finding], SnoozeRequest],
    versions: frozenset[int] | None,
    author: Author,
) -> tuple[Snooze, bool]:
    """Snooze the pair of a stored finding; the snooze, and whether it is new.

    Afterwards this is the pair's only snooze that has not ended: a second call
    changes it, and one that asks for what is there already writes nothing.
    `versions` are those that the caller knows, None for any.
    """
    finding = inbox.findings.get([wanted_id]).get(wanted_id)
    if finding is None:
        raise NotFound(f"No finding {wanted_id} is stored, so there is nothing to snooze.")
    wanted = wish(finding)

    def attempt() -> tuple[Snooze, bool]:
        now = inbox.clock()
        ends_at = validate_snooze(wanted, now, inbox.longest)
        pair = list_pair_snoozes(inbox, wanted_id)
        held = _held(pair, now)
        latest = held[-1] if held else None
        _check(latest, versions)
        if latest is None:
            return add_snooze(
                inbox, build_snooze(wanted, ends_at, author, now, pair), author, now
            ), True
        for other in held[:-1]:
            end_now(inbox, other, author)
        changed = replace(
            latest,
            ends_at=ends_at,
            reason=wanted.reason,
            comment=wanted.comment,
            until_resolved=wanted.until_resolved,
        )
        if changed == latest:
            return latest, False
        return save_snooze(inbox, changed, SnoozeEventKind.CHANGED, author, now), False

    return retry_on_conflict(attempt)


def unsnooze_finding(
    inbox: Inbox, wanted_id: str, versions: frozenset[int] | None, author: Author
) -> None:
    """End every snooze of the pair now; where there is none, nothing happens."""

    def attempt() -> None:
        held = _held(list_pair_snoozes(inbox, wanted_id), inbox.clock())
        if held:
            _check(held[-1], versions)
        for snooze in held:
            end_now(inbox, snooze, author)

    retry_on_conflict(attempt)


def create_snooze(inbox: Inbox, wanted: SnoozeRequest, author: Author) -> Snooze:
    """Make a rule; `AlreadySnoozed` where the same one is active."""

    def attempt() -> Snooze:
        now = inbox.clock()
        ends_at = validate_snooze(wanted, now, inbox.longest)
        scope = (wanted.instance_id, wanted.title)
        alike = [each for each in inbox.snoozes.about([scope_id(scope)]) if each.scope == scope]
        snooze = build_snooze(wanted, ends_at, author, now, alike)
        for each in alike:
            if each.state(now) is State.ACTIVE and is_same_rule(each, snooze):
                raise AlreadySnoozed(each.id)
        return add_snooze(inbox, snooze, author, now)

    return retry_on_conflict(attempt)


def preview_snooze(inbox: Inbox, wanted: SnoozeRequest) -> SnoozePreview:
    """What a rule would mute, without making it; its rules are checked all the same."""
    validate_snooze(wanted, inbox.clock(), inbox.longest)
    selected = FindingFilter(instance_id=wanted.instance_id, title=wanted.title)
    findings = [row.finding for row in all_findings(inbox, selected)]
    findings.sort(key=lambda each: (each.severity.rank, each.title, each.instance_id))
    return SnoozePreview(
        count_by_severity(each.severity for each in findings), tuple(findings[:SAMPLE])
    )


def change_snooze(
    inbox: Inbox,
    snooze_id: str,
    wish: SnoozeChange,
    versions: frozenset[int] | None,
    author: Author,
) -> Snooze:
    """Change end, reason or comment; `versions` are those the caller knows, None for any."""

    def attempt() -> Snooze:
        now = inbox.clock()
        snooze = _known(inbox, snooze_id, versions)
        ends_at = validate_change(snooze, wish, now, inbox.longest)
        changed = replace(
            snooze,
            ends_at=ends_at,
            reason=wish.reason or snooze.reason,
            comment=snooze.comment if wish.comment is None else wish.comment,
        )
        if changed == snooze:
            return snooze
        return save_snooze(inbox, changed, SnoozeEventKind.CHANGED, author, now)

    return retry_on_conflict(attempt)


def end_snooze(
    inbox: Inbox, snooze_id: str, versions: frozenset[int] | None, author: Author
) -> None:
    """End a rule now; one that has ended stays as it is."""
    retry_on_conflict(lambda: end_now(inbox, _known(inbox, snooze_id, versions), author))


def get_snooze(inbox: Inbox, snooze_id: str) -> Snooze:
    """One rule, or `NotFound`."""
    return _known(inbox, snooze_id, None)


def list_snooze_history(inbox: Inbox, snooze_id: str) -> Sequence[SnoozeLine]:
    """What happened to a rule, oldest first, the newest lines only, or `NotFound`."""
    snooze = _known(inbox, snooze_id, None)
    return list_history_lines(snooze, inbox.snoozes.events(snooze_id), inbox.clock())[-MOST_LINES:]


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
    _check(snooze, versions)
    return snooze


def _check(snooze: Snooze | None, versions: frozenset[int] | None) -> None:
    """`Stale` where the caller knows another version, or one where there is none."""
    if versions is not None and (snooze is None or snooze.version not in versions):
        now_is = "there is none" if snooze is None else f"its version is {snooze.version} now"
        raise Stale(f"The snooze has changed: {now_is}.")


def _held(snoozes: Iterable[Snooze], now: datetime) -> list[Snooze]:
    """Those that have not ended, the latest last."""
    held = [each for each in snoozes if each.state(now) is not State.ENDED]
    return sorted(held, key=lambda each: (each.created_at, each.id))
