"""Writes a snooze together with the line of its history, again where somebody else was first."""

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from chalicelib.domain.errors import Conflict
from chalicelib.domain.history import SnoozeEvent, SnoozeEventKind
from chalicelib.domain.snooze import Snooze, State, id_prefix, scope_id
from chalicelib.domain.snooze_rules import SnoozeRequest
from chalicelib.usecases.inbox import Author, Inbox

# Somebody else wrote between reading and writing: read and decide again this often.
ATTEMPTS = 10

T = TypeVar("T")


def build_snooze(
    wanted: SnoozeRequest,
    ends_at: datetime | None,
    author: Author,
    now: datetime,
    alike: Iterable[Snooze],
) -> Snooze:
    """A snooze as wanted, beginning now.

    Its id begins with its scope and follows from the snoozes `alike` of it: of two
    calls that decide by the same state only one can write, and the other reads again.
    """
    known = [wanted.instance_id, wanted.title, *sorted(each.id for each in alike)]
    digest = hashlib.sha256(json.dumps(known).encode()).hexdigest()
    return Snooze(
        id=f"{id_prefix(scope_id((wanted.instance_id, wanted.title)))}{digest[:8]}",
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


def add_snooze(inbox: Inbox, snooze: Snooze, author: Author, now: datetime) -> Snooze:
    """Write a new snooze and that it was made; `Conflict` where somebody else was first."""
    inbox.snoozes.add(snooze, _event(snooze, SnoozeEventKind.CREATED, author, now))
    return snooze


def end_now(inbox: Inbox, snooze: Snooze, author: Author) -> None:
    """End a snooze now and write that down; one that has ended stays as it is."""
    now = inbox.clock()
    if snooze.state(now) is not State.ENDED:
        save_snooze(inbox, replace(snooze, ended_at=now), SnoozeEventKind.ENDED, author, now)


def save_snooze(
    inbox: Inbox, snooze: Snooze, kind: SnoozeEventKind, author: Author, now: datetime
) -> Snooze:
    """Write the next version of a snooze and what happened to it."""
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


def retry_on_conflict(attempt: Callable[[], T]) -> T:
    """Read, decide and write again where somebody else wrote in between."""
    for _ in range(ATTEMPTS - 1):
        try:
            return attempt()
        except Conflict:
            continue
    return attempt()
