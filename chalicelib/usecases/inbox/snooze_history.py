"""The history of a snooze: written together with the snooze, read as lines for people."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from chalicelib.domain.finding import Finding
from chalicelib.domain.history import FieldChange, SnoozeEvent, SnoozeEventKind
from chalicelib.domain.snooze import Scope, Snooze, State, id_prefix, needs_announcement
from chalicelib.domain.snooze_rules import SnoozeTerms, SnoozeTime
from chalicelib.usecases.context import Author, Inbox

# A response is limited to 6 MB (Lambda quotas), and a line may have 9 KB: the comment before a
# change, after it, and of the snooze since.
MOST_LINES = 600
# What a scan notes on a snooze, and what counts its writes. People change none of these.
_NOT_BY_PEOPLE = {"reworded_ids", "is_unannounced", "reminded_of", "settled_at", "version"}
# Who acts where no person does.
SERVICE = "ec2-inspec-scan"


class SnoozeLine(Struct, frozen=True):
    """One line of a history: when, what, by whom and how; then the snooze's terms since.

    `changes` has the fields that a change changed, by name.
    """

    snooze_id: str
    at: datetime
    kind: str
    by: str
    via: str
    ends_at: datetime | None
    reason: str
    comment: str
    changes: Mapping[str, FieldChange] = field(default_factory=dict)


def build_snooze(
    scope: Scope,
    terms: SnoozeTerms,
    time: SnoozeTime,
    author: Author,
    now: datetime,
    alike: Iterable[Snooze],
) -> Snooze:
    """Builds a snooze.

    Its id begins with its scope and is derived from the snoozes `alike` that
    have the same scope. Two callers that decide by the same state get the same
    id, so only one can write and the other reads again.
    """
    whole = ("whole",) if scope.is_whole else ()
    known = [*scope.parts, *whole, *sorted(each.id for each in alike)]
    digest = hashlib.sha256(json.dumps(known).encode()).hexdigest()
    snooze = Snooze(
        id=f"{id_prefix(scope.id)}{digest[:8]}",
        instance_id=scope.instance_id,
        title=scope.title,
        title_pattern=scope.title_pattern,
        control_id=scope.control_id,
        is_whole=scope.is_whole,
        max_severity=terms.max_severity,
        starts_at=time.starts_at,
        ends_at=time.ends_at,
        until_resolved=terms.until_resolved,
        reason=terms.reason,
        comment=terms.comment,
        created_by=author.name,
        created_via=author.via,
        created_at=now,
    )
    return replace(snooze, is_unannounced=needs_announcement(snooze))


def read_pairs(inbox: Inbox, finding_id: str, finding: Finding | None) -> list[Snooze]:
    """Reads the snoozes of one finding alone; `finding` if it is stored.

    Settled ones are those of exactly this id. Others may have been made for another spelling
    of its title, or before it was reworded.
    """
    found = {each.id: each for each in inbox.snoozes.about([finding_id]) if each.scope.is_pair}
    for each in inbox.snoozes.unsettled():
        is_own = each.concerns(finding) if finding else finding_id in each.finding_ids
        if each.scope.is_pair and is_own:
            found[each.id] = each
    return list(found.values())


def add_snooze(inbox: Inbox, snooze: Snooze, author: Author, now: datetime) -> Snooze:
    """Writes a new snooze and its history; `Conflict` if another writer was first."""
    inbox.snoozes.add(snooze, _build_event(snooze, {}, SnoozeEventKind.CREATED, author, now))
    return snooze


def end_now(inbox: Inbox, snooze: Snooze, author: Author) -> None:
    """Ends a snooze and writes its history. One that has ended stays unchanged."""
    now = inbox.clock()
    if snooze.state(now) is not State.ENDED:
        ended = replace(snooze, ended_at=now)
        save_snooze(inbox, snooze, ended, SnoozeEventKind.ENDED, author, now)


def save_snooze(
    inbox: Inbox,
    before: Snooze,
    after: Snooze,
    kind: SnoozeEventKind,
    author: Author,
    now: datetime,
) -> Snooze:
    """Writes the next version of a snooze, and its history with every field that differs."""
    saved = replace(after, version=before.version + 1)
    event = _build_event(saved, compare_snoozes(before, saved), kind, author, now)
    inbox.snoozes.save(saved, event)
    return saved


def compare_snoozes(before: Snooze, after: Snooze) -> dict[str, FieldChange]:
    """Returns every field that a person changed, by name, with its values."""
    old, new = msgspec.to_builtins(before), msgspec.to_builtins(after)
    return {
        name: FieldChange(old[name], new[name])
        for name in old
        if old[name] != new[name] and name not in _NOT_BY_PEOPLE
    }


def list_history_lines(
    snooze: Snooze, events: Iterable[SnoozeEvent], now: datetime
) -> tuple[SnoozeLine, ...]:
    """Lists what happened to a snooze, oldest first.

    What people did is stored. An end by time or by a fix is derived, and so is
    `settled`: from then on, nothing about the end is waiting to be announced.
    """
    stored = sorted(events, key=lambda event: event.version)
    lines = [
        SnoozeLine(
            each.snooze_id,
            each.at,
            each.kind,
            each.by,
            each.via,
            each.ends_at,
            each.reason,
            each.comment,
            each.changes,
        )
        for each in stored
    ]
    by_hand = any(each.kind is SnoozeEventKind.ENDED for each in stored)
    if snooze.state(now) is State.ENDED and snooze.end is not None and not by_hand:
        via = "time" if snooze.ended_at is None else "fix"
        lines.append(_derive_line(snooze, snooze.end, "ended", via))
    if snooze.settled_at is not None:
        lines.append(_derive_line(snooze, snooze.settled_at, "settled", "scan"))
    return tuple(lines)


def _derive_line(snooze: Snooze, at: datetime, kind: str, via: str) -> SnoozeLine:
    return SnoozeLine(
        snooze.id, at, kind, SERVICE, via, snooze.ends_at, snooze.reason, snooze.comment
    )


def _build_event(
    snooze: Snooze,
    changes: Mapping[str, FieldChange],
    kind: SnoozeEventKind,
    author: Author,
    now: datetime,
) -> SnoozeEvent:
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
        changes=changes,
    )
