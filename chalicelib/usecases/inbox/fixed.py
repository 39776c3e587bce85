"""Findings that were fixed, newest first: facts say which, history has their names."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import islice
from typing import NamedTuple

from msgspec.structs import replace

from chalicelib.domain.history import EventKind, Fact
from chalicelib.domain.snooze import ListedFinding
from chalicelib.usecases.context import Inbox
from chalicelib.usecases.inbox.findings import (
    FETCH,
    PAGE_TIME,
    WHOLE_TIME,
    FindingFilter,
    FindingPage,
    OutOfTimeError,
)

# Facts are kept for so many days, and the day of another clock may be one ahead.
DAYS = 90


class FactPosition(NamedTuple):
    """Where a fact is among all of them. Its text is `<day>#<number>`."""

    day: str
    number: int

    @classmethod
    def read(cls, text: str) -> "FactPosition | None":
        """Reads the text of a position; None, the newest, for another form."""
        day, _, number = text.partition("#")
        return cls(day, int(number)) if number.isdecimal() else None

    @classmethod
    def of(cls, fact: Fact) -> "FactPosition":
        """Returns the position of a fact."""
        return cls(fact.day, fact.number)

    def __str__(self) -> str:
        return f"{self.day}#{self.number}"


def list_fixed(inbox: Inbox, wanted: FindingFilter, after: str | None, limit: int) -> FindingPage:
    """Returns a page of at most `limit` findings. It is shorter if time runs out."""
    until = inbox.clock() + PAGE_TIME
    rows: list[ListedFinding] = []
    last = FactPosition.read(after or "")
    for batch in _read_batches(inbox, last):
        for fact, row in _name(inbox, wanted, batch):
            if len(rows) == limit:
                return FindingPage(tuple(rows), str(last))
            rows.append(row)
            last = FactPosition.of(fact)
        if inbox.clock() >= until:
            return FindingPage(tuple(rows), str(FactPosition.of(batch[-1])))
    return FindingPage(tuple(rows), None)


def all_fixed(inbox: Inbox, wanted: FindingFilter) -> Iterator[ListedFinding]:
    """Yields every fixed finding that matches; `OutOfTimeError` if that takes too long."""
    until = inbox.clock() + WHOLE_TIME
    for batch in _read_batches(inbox, None):
        for _, row in _name(inbox, wanted, batch):
            yield row
        if inbox.clock() >= until:
            raise OutOfTimeError


def _read_batches(inbox: Inbox, after: FactPosition | None) -> Iterator[Sequence[Fact]]:
    """Yields the facts of fixes after a position, newest first, some at a time.

    Facts of any node count, so that the time is looked at while those of others are read.
    """
    facts = _read_facts(inbox, after)
    while batch := tuple(islice(facts, FETCH)):
        yield batch


def _read_facts(inbox: Inbox, after: FactPosition | None) -> Iterator[Fact]:
    newest = inbox.clock().date() + timedelta(days=1)
    for number in range(DAYS + 2):
        day = str(newest - timedelta(days=number))
        if after is not None and day > after.day:
            continue
        for row in inbox.archive.facts_of(day):
            for fact in reversed(row.list_facts({})):
                is_next = after is None or FactPosition.of(fact) < after
                if is_next and fact.key.kind is EventKind.FIXED:
                    yield fact


def _name(
    inbox: Inbox, wanted: FindingFilter, facts: Sequence[Fact]
) -> Iterator[tuple[Fact, ListedFinding]]:
    """Yields the facts whose finding is known and matches, with it."""
    chosen = [each for each in facts if wanted.instance_id in (None, each.instance_id)]
    events = {each.key: each for each in inbox.archive.find(each.key for each in chosen)}
    anyhow = replace(wanted, state=None)
    for fact in chosen:
        event = events.get(fact.key)
        if event and event.finding:
            row = ListedFinding(event.finding, None, fixed_at=event.at)
            if anyhow.matches(row):
                yield fact, row
