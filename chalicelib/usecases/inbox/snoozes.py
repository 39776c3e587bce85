"""Snoozes: people make, change, end and list them."""

import heapq
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from chalicelib.domain.errors import AlreadySnoozed, NotFound, Stale
from chalicelib.domain.finding import Finding, count_by_severity, sort_worst_first
from chalicelib.domain.history import SnoozeEventKind
from chalicelib.domain.snooze import (
    ListedFinding,
    Reason,
    Scope,
    Snooze,
    State,
    is_same_rule,
    take_findings,
)
from chalicelib.domain.snooze_rules import (
    SnoozeChange,
    SnoozeTerms,
    check_matches,
    validate_change,
    validate_snooze,
)
from chalicelib.domain.text import match_key
from chalicelib.usecases.context import Author, Inbox
from chalicelib.usecases.inbox.findings import FETCH, add_ages
from chalicelib.usecases.inbox.snooze_history import (
    MOST_LINES,
    SnoozeLine,
    add_snooze,
    build_snooze,
    end_now,
    list_history_lines,
    read_pairs,
    save_snooze,
)
from chalicelib.usecases.inventory import Matches, count_matches, count_scope, explain_none
from chalicelib.usecases.ports import Selection
from chalicelib.usecases.snooze_access import retry_on_conflict

# Findings that a preview names.
SAMPLE = 10


class SnoozePreview(Struct, frozen=True):
    """What a snooze would mute now, and a sample of it, worst first."""

    matches: Matches
    sample: tuple[ListedFinding, ...]


class SnoozeFilter(Struct, frozen=True):
    """Which snoozes to list; None for any.

    `title` is compared by its match key. `unused` ones have not ended, and match no finding.
    """

    instance_id: str | None = None
    title: str | None = None
    control_id: str | None = None
    state: State | None = None
    created_by: str | None = None
    reason: Reason | None = None
    permanent: bool | None = None
    unused: bool | None = None
    ends_before: datetime | None = None

    def keeps(self, snooze: Snooze, now: datetime) -> bool:
        """Whether to list a snooze, whatever it matches."""
        title = None if snooze.title is None else match_key(snooze.title)
        return (
            self.instance_id in (None, snooze.instance_id)
            and (self.title is None or match_key(self.title) == title)
            and self.control_id in (None, snooze.control_id)
            and self.state in (None, snooze.state(now))
            and self.created_by in (None, snooze.created_by)
            and self.reason in (None, snooze.reason)
            and self.permanent in (None, snooze.ends_at is None)
            and (self.ends_before is None or _ends_before(snooze, self.ends_before))
        )


def _ends_before(snooze: Snooze, at: datetime) -> bool:
    return snooze.end is not None and snooze.end < at


class SnoozePage(Struct, frozen=True):
    """A page of snoozes, what each matches, and the position to continue after; None at the end."""

    snoozes: tuple[Snooze, ...]
    matches: Mapping[str, Matches]
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
    changes it; a call with the same terms and end writes nothing. One that has not begun
    begins now, unless the terms say when. It mutes up to the severity that the finding has.
    `versions` are those that the caller knows, None for any. Raises
    `NotFound`, `RuleBroken`, `Stale`.
    """
    finding = _read_finding(inbox, wanted_id)
    scope = Scope.of_finding(finding)

    def attempt() -> tuple[Snooze, bool]:
        now = inbox.clock()
        time = validate_snooze(scope, terms, now, inbox.limits)
        pairs = read_pairs(inbox, wanted_id, finding)
        active = _list_not_ended(pairs, now)
        latest = active[-1] if active else None
        _check_version(latest, versions)
        if latest is None:
            alike = [each for each in pairs if each.scope == scope]
            new = build_snooze(scope, terms, time, author, now, alike)
            new = take_findings(new, [finding])
            return add_snooze(inbox, new, author, now), True
        for other in active[:-1]:
            end_now(inbox, other, author)
        goes_on = terms.starts_at is None and latest.state(now) is State.ACTIVE
        changed = replace(
            latest,
            starts_at=latest.starts_at if goes_on else time.starts_at,
            ends_at=time.ends_at,
            reason=terms.reason,
            comment=terms.comment,
            until_resolved=terms.until_resolved,
            max_severity=terms.max_severity,
        )
        changed = take_findings(changed, [finding])
        if changed == latest:
            return latest, False
        changed = _announce_if_permanent(latest, changed)
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
) -> bool:
    """Ends every snooze of the pair now. Returns whether there was one."""

    def attempt() -> int:
        finding = inbox.findings.get([wanted_id]).get(wanted_id)
        pairs = read_pairs(inbox, wanted_id, finding)
        active = _list_not_ended(pairs, inbox.clock())
        if active:
            _check_version(active[-1], versions)
        for snooze in active:
            end_now(inbox, snooze, author)
        return len(active)

    # those that an attempt has ended before it lost to another writer were ended, too
    return bool(retry_on_conflict(attempt))


def create_snooze(
    inbox: Inbox, scope: Scope, terms: SnoozeTerms, author: Author, confirmed: int | None = None
) -> Snooze:
    """Makes a rule; `AlreadySnoozed` if the same one is active.

    A title is stored as nodes write it, if it is known. A rule that covers many findings
    needs their number, `confirmed`.
    """
    scope = _write_as_known(inbox, scope)
    validate_snooze(scope, terms, inbox.clock(), inbox.limits)
    own = _find_own(inbox, scope) if scope.is_pair else ()
    if not scope.is_pair:
        check_matches(count_scope(inbox, scope, terms.max_severity), confirmed)

    def attempt() -> Snooze:
        now = inbox.clock()
        time = validate_snooze(scope, terms, now, inbox.limits)
        alike = _read_scope(inbox, scope)
        snooze = build_snooze(scope, terms, time, author, now, alike)
        if scope.is_pair:
            snooze = take_findings(snooze, own)
        for each in alike:
            if each.state(now) is not State.ENDED and is_same_rule(each, snooze):
                raise AlreadySnoozed(each.id)
        return add_snooze(inbox, snooze, author, now)

    return retry_on_conflict(attempt)


def _write_as_known(inbox: Inbox, scope: Scope) -> Scope:
    """Returns a scope with its title as nodes write it, which may be known by its copy only.

    One that ends as if it was cut may be a whole title of a node.
    """
    if scope.title is None or not match_key(scope.title):
        return scope
    known = inbox.inventory().find_own_title(scope.instance_id, scope.title)
    return scope if known is None else scope.with_title(known)


def _find_own(inbox: Inbox, scope: Scope) -> Sequence[Finding]:
    """Finds the open findings of a pair, however their titles are written.

    If there are none, the title may be the one of a finding before it was reworded.
    """
    places = inbox.inventory().select(scope, None)
    own = tuple(inbox.findings.get({scope.id, *(each.entry.key.hex() for each in places)}).values())
    if own:
        return own
    listed = inbox.findings.page(Selection(scope.instance_id), None, FETCH)
    return tuple(each for each in listed if scope.id in each.former_ids)


def preview_snooze(inbox: Inbox, scope: Scope, terms: SnoozeTerms) -> SnoozePreview:
    """Counts what a rule would mute, without making it. The rule is validated all the same."""
    scope = _write_as_known(inbox, scope)
    validate_snooze(scope, terms, inbox.clock(), inbox.limits)
    cap = terms.max_severity
    stored: Iterable[Finding]
    if scope.is_pair:
        own = _find_own(inbox, scope)
        stored = [each for each in own if cap is None or each.severity.rank >= cap.rank]
        by_severity = count_by_severity(each.severity for each in stored)
    else:
        places = list(inbox.inventory().select(scope, cap))
        by_severity = count_by_severity(place.entry.severity for place in places)
        worst = heapq.nsmallest(SAMPLE, places, key=lambda each: each.entry.severity.rank)
        stored = inbox.findings.get([place.entry.key.hex() for place in worst]).values()
    sample = [ListedFinding(each, None) for each in sort_worst_first(stored)[:SAMPLE]]
    matches = Matches(by_severity) if by_severity else explain_none(inbox, scope)
    return SnoozePreview(matches, add_ages(inbox, sample))


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
        changed = _announce_if_permanent(snooze, changed)
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


def list_snoozes(inbox: Inbox, wanted: SnoozeFilter, after: str | None, limit: int) -> SnoozePage:
    """Returns a page of rules, newest first."""
    now = inbox.clock()
    kept = [each for each in inbox.snoozes.all() if wanted.keeps(each, now)]
    if wanted.unused is not None:
        standing = [each for each in kept if each.state(now) is not State.ENDED]
        matches = count_matches(inbox, standing)
        unused = {each.id for each in standing if not matches[each.id].total}
        kept = [each for each in kept if (each.id in unused) is wanted.unused]
    chosen = sorted(kept, key=_position, reverse=True)
    rest = [each for each in chosen if after is None or _position(each) < after]
    page = tuple(rest[:limit])
    following = _position(page[-1]) if len(rest) > limit else None
    return SnoozePage(page, count_matches(inbox, page), following)


def _announce_if_permanent(before: Snooze, changed: Snooze) -> Snooze:
    """Lets people be told of a snooze that has no end any more."""
    becomes_permanent = changed.ends_at is None and before.ends_at is not None
    return replace(changed, is_unannounced=before.is_unannounced or becomes_permanent)


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
