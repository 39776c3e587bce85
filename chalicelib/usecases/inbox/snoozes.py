"""Snoozes: people make, change, end and list them."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from chalicelib.domain.errors import AlreadySnoozed, NotFound, Stale
from chalicelib.domain.finding import Finding, Severity, sort_worst_first
from chalicelib.domain.history import SnoozeEventKind
from chalicelib.domain.node import count_by_severity
from chalicelib.domain.snooze import ListedFinding, Scope, Snooze, State, is_same_rule
from chalicelib.domain.snooze_rules import (
    SnoozeChange,
    SnoozeTerms,
    validate_change,
    validate_snooze,
)
from chalicelib.usecases.context import Author, Inbox
from chalicelib.usecases.inbox.findings import FindingFilter, add_ages, all_findings
from chalicelib.usecases.inbox.snooze_history import (
    MOST_LINES,
    SnoozeLine,
    add_snooze,
    build_snooze,
    end_now,
    list_history_lines,
    save_snooze,
)
from chalicelib.usecases.snooze_access import retry_on_conflict

# Findings that a preview names.
SAMPLE = 10


class SnoozePreview(Struct, frozen=True):
    """What a snooze would mute now: counts by severity and a sample, worst first."""

    by_severity: dict[Severity, int]
    sample: tuple[ListedFinding, ...]


class SnoozePage(Struct, frozen=True):
    """A page of snoozes, and the position to continue after; None at the end."""

    snoozes: tuple[Snooze, ...]
    after: str | None


def snooze_finding(
    inbox: Inbox,
    wanted_id: str,
    terms: SnoozeTerms,
    versions: frozenset[int] | None,
    author: Author,
) -> tuple[Snooze, bool]:
    """Snoozes the pair of a stored finding. Returns the snooze and whether it is new.

    Afterwards this is the pair's only snooze that has not ended. A second call
    changes it; a call with the same terms writes nothing. `versions` are those
    that the caller knows, None for any. Raises `NotFound`, `RuleBroken`, `Stale`.
    """
    finding = _read_finding(inbox, wanted_id)
    scope = Scope(finding.instance_id, finding.title)

    def attempt() -> tuple[Snooze, bool]:
        now = inbox.clock()
        ends_at = validate_snooze(scope, terms, now, inbox.limits)
        pair = _read_scope(inbox, scope)
        active = _list_not_ended(pair, now)
        latest = active[-1] if active else None
        _check_version(latest, versions)
        if latest is None:
            new = build_snooze(scope, terms, ends_at, author, now, pair)
            return add_snooze(inbox, new, author, now), True
        for other in active[:-1]:
            end_now(inbox, other, author)
        changed = replace(
            latest,
            ends_at=ends_at,
            reason=terms.reason,
            comment=terms.comment,
            until_resolved=terms.until_resolved,
        )
        if changed == latest:
            return latest, False
        return save_snooze(inbox, latest, changed, SnoozeEventKind.CHANGED, author, now), False

    snooze, is_new = retry_on_conflict(attempt)
    if terms.until_resolved:
        _end_if_resolved(inbox, wanted_id, author)
    return snooze, is_new


def _end_if_resolved(inbox: Inbox, wanted_id: str, author: Author) -> None:
    """Ends the snooze of a finding that was fixed before it was written; raises `NotFound` then.

    The scan that wrote the fix may have looked for snoozes already.
    """
    try:
        _read_finding(inbox, wanted_id)
    except NotFound:
        unsnooze_finding(inbox, wanted_id, None, author)
        raise


def unsnooze_finding(
    inbox: Inbox, wanted_id: str, versions: frozenset[int] | None, author: Author
) -> None:
    """Ends every snooze of the pair now. Nothing happens if there is none."""

    def attempt() -> None:
        pair = [each for each in inbox.snoozes.about([wanted_id]) if each.scope.is_pair]
        active = _list_not_ended(pair, inbox.clock())
        if active:
            _check_version(active[-1], versions)
        for snooze in active:
            end_now(inbox, snooze, author)

    retry_on_conflict(attempt)


def create_snooze(inbox: Inbox, scope: Scope, terms: SnoozeTerms, author: Author) -> Snooze:
    """Makes a rule; `AlreadySnoozed` if the same one is active."""

    def attempt() -> Snooze:
        now = inbox.clock()
        ends_at = validate_snooze(scope, terms, now, inbox.limits)
        alike = _read_scope(inbox, scope)
        snooze = build_snooze(scope, terms, ends_at, author, now, alike)
        for each in alike:
            if each.state(now) is State.ACTIVE and is_same_rule(each, snooze):
                raise AlreadySnoozed(each.id)
        return add_snooze(inbox, snooze, author, now)

    return retry_on_conflict(attempt)


def preview_snooze(inbox: Inbox, scope: Scope, terms: SnoozeTerms) -> SnoozePreview:
    """Counts what a rule would mute, without making it. The rule is validated all the same."""
    validate_snooze(scope, terms, inbox.clock(), inbox.limits)
    covered = FindingFilter(instance_id=scope.instance_id, title=scope.title)
    findings = sort_worst_first(row.finding for row in all_findings(inbox, covered))
    sample = [ListedFinding(each, None) for each in findings[:SAMPLE]]
    return SnoozePreview(
        count_by_severity(each.severity for each in findings), add_ages(inbox, sample)
    )


def change_snooze(
    inbox: Inbox,
    snooze_id: str,
    change: SnoozeChange,
    versions: frozenset[int] | None,
    author: Author,
) -> Snooze:
    """Changes end, reason or comment. `versions` are those the caller knows, None for any."""

    def attempt() -> Snooze:
        now = inbox.clock()
        snooze = _read_known(inbox, snooze_id, versions)
        ends_at = validate_change(snooze, change, now, inbox.limits)
        changed = replace(
            snooze,
            ends_at=ends_at,
            reason=change.reason or snooze.reason,
            comment=snooze.comment if change.comment is None else change.comment,
        )
        if changed == snooze:
            return snooze
        return save_snooze(inbox, snooze, changed, SnoozeEventKind.CHANGED, author, now)

    return retry_on_conflict(attempt)


def end_snooze(
    inbox: Inbox, snooze_id: str, versions: frozenset[int] | None, author: Author
) -> None:
    """Ends a rule now. One that has ended stays unchanged."""
    retry_on_conflict(lambda: end_now(inbox, _read_known(inbox, snooze_id, versions), author))


def get_snooze(inbox: Inbox, snooze_id: str) -> Snooze:
    """Returns one rule, or raises `NotFound`."""
    return _read_known(inbox, snooze_id, None)


def list_snooze_history(inbox: Inbox, snooze_id: str) -> Sequence[SnoozeLine]:
    """Lists what happened to a rule, the newest lines, oldest first; or raises `NotFound`."""
    snooze = _read_known(inbox, snooze_id, None)
    return list_history_lines(snooze, inbox.snoozes.events(snooze_id), inbox.clock())[-MOST_LINES:]


def list_snoozes(
    inbox: Inbox, keep: Callable[[Snooze], bool], after: str | None, limit: int
) -> SnoozePage:
    """Returns a page of rules, newest first."""
    chosen = sorted(filter(keep, inbox.snoozes.all()), key=_position, reverse=True)
    rest = [each for each in chosen if after is None or _position(each) < after]
    page = tuple(rest[:limit])
    return SnoozePage(page, _position(page[-1]) if len(rest) > limit else None)


def _position(snooze: Snooze) -> str:
    return f"{snooze.created_at.isoformat(timespec='microseconds')}#{snooze.id}"


def _read_finding(inbox: Inbox, wanted_id: str) -> Finding:
    finding = inbox.findings.get([wanted_id]).get(wanted_id)
    if finding is None:
        raise NotFound(f"No finding {wanted_id} is stored, so there is nothing to snooze.")
    return finding


def _read_scope(inbox: Inbox, scope: Scope) -> list[Snooze]:
    """Reads the snoozes of exactly this scope, ended ones included."""
    return [each for each in inbox.snoozes.about([scope.id]) if each.scope == scope]


def _read_known(inbox: Inbox, snooze_id: str, versions: frozenset[int] | None) -> Snooze:
    snooze = inbox.snoozes.get(snooze_id)
    if snooze is None:
        raise NotFound(f"There is no snooze {snooze_id}.")
    _check_version(snooze, versions)
    return snooze


def _check_version(snooze: Snooze | None, versions: frozenset[int] | None) -> None:
    """Raises `Stale` if the caller knows another version, or one where there is no snooze."""
    if versions is not None and (snooze is None or snooze.version not in versions):
        now_is = "there is none" if snooze is None else f"its version is {snooze.version} now"
        raise Stale(f"The snooze has changed: {now_is}.")


def _list_not_ended(snoozes: Iterable[Snooze], now: datetime) -> list[Snooze]:
    """Lists those that have not ended, the latest last."""
    active = [each for each in snoozes if each.state(now) is not State.ENDED]
    return sorted(active, key=lambda each: (each.created_at, each.id))
