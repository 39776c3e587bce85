"""History: what happened to a finding, the facts of scans, what people did with a snooze.

A fact says the same as a line of history, for those that follow all findings: it
is numbered, and many of them share a row.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct, field
from msgspec.structs import replace

from chalicelib.domain.finding import Finding


class EventKind(StrEnum):
    """What happened to a finding, in the order in which it can happen at one instant.

    NOT_FOUND, UNCHECKED: it vanished without proof of a fix, and its control still ran, or
    not · IN_TURN: so it did again, after it was back once · BACK_IN_TURN: it fails again
    after that · FORGOTTEN: it was not checked, and is not remembered any more · GONE: it
    went with its node.
    """

    NEW = "new"
    CHECKED_AGAIN = "checked again"
    BACK_IN_TURN = "checked again in turn"
    WORSE = "worse"
    REWORDED = "reworded"
    FIXED = "fixed"
    NOT_FOUND = "no longer found"
    UNCHECKED = "no longer checked"
    IN_TURN = "not checked in turn"
    FORGOTTEN = "forgotten"
    GONE = "gone"


# What people are told by name when it happens to a finding that was announced before. Findings
# that two profiles check in turn would be named after every execution.
NAMED = (
    EventKind.WORSE,
    EventKind.FIXED,
    EventKind.REWORDED,
    EventKind.UNCHECKED,
    EventKind.NOT_FOUND,
    EventKind.CHECKED_AGAIN,
    EventKind.FORGOTTEN,
    EventKind.GONE,
)
# A finding that vanished without proof of a fix, and was never back.
VANISHED = (EventKind.UNCHECKED, EventKind.NOT_FOUND)
# How a finding is not checked any more, and how it fails again.
AWAY = (*VANISHED, EventKind.IN_TURN)
BACK = (EventKind.CHECKED_AGAIN, EventKind.BACK_IN_TURN)
# A finding fails that did not before.
APPEARED = (EventKind.NEW, *BACK)
# What happened says that the finding was not checked.
NOT_CHECKED = (*AWAY, EventKind.FORGOTTEN, EventKind.GONE)
# The finding does not fail any more. This ends `until_resolved` snoozes.
LEFT = (EventKind.FIXED, EventKind.GONE)
# What snoozes follow: their finding left, or has another id.
FOLLOWED = (*LEFT, EventKind.REWORDED)
# The finding is neither stored nor remembered after these.
ENDING = (EventKind.FIXED, EventKind.FORGOTTEN, EventKind.GONE)


class EventKey(NamedTuple):
    """What tells a line of history apart from every other."""

    finding_id: str
    at: datetime
    kind: EventKind


class HistoryEvent(Struct, frozen=True):
    """One line of a finding's history.

    `at` is the time of the execution, not of the scan. So a scan that is repeated
    after a crash writes the same line and not a second one. `finding` is how it was
    then: its row may be deleted. That it was new
    follows from its row (`add_beginnings`). `scan_id` is empty if it is not known.
    """

    finding_id: str
    at: datetime
    kind: EventKind
    scan_id: str
    finding: Finding | None = None

    @property
    def key(self) -> EventKey:
        """Identity."""
        return EventKey(self.finding_id, self.at, self.kind)


class ChangedFinding(Struct, frozen=True):
    """A finding, and what happened to it (`NAMED`).

    `checked_at` is when its node was last verified, None if that did not check it.
    """

    finding: Finding
    kind: EventKind
    checked_at: datetime | None = None


def oldest_first(event: HistoryEvent) -> tuple[datetime, int]:
    """Returns the sort key of a finding's history."""
    return event.at, list(EventKind).index(event.kind)


class NodeFacts(Struct, frozen=True):
    """What happened to findings of one node in one execution, as ids by kind."""

    instance_id: str
    at: datetime
    ids: Mapping[EventKind, tuple[str, ...]]

    @property
    def count(self) -> int:
        """The number of facts."""
        return sum(map(len, self.ids.values()))


class Receipt(Struct, frozen=True):
    """How far somebody has dealt with the facts: the last number, its day, and its scan.

    `day` is `YYYY-MM-DD`, empty before the first fact.
    """

    number: int = 0
    day: str = ""
    scan_id: str = ""


NO_FACTS = Receipt()


class FactRow(Struct, frozen=True):
    """Facts of one scan, numbered from `first`, in the order given."""

    first: int
    day: str
    scan_id: str
    nodes: tuple[NodeFacts, ...]

    @property
    def count(self) -> int:
        """The number of facts."""
        return sum(each.count for each in self.nodes)

    @property
    def counts(self) -> Counter[EventKind]:
        """The number of facts by kind."""
        counts: Counter[EventKind] = Counter()
        for node in self.nodes:
            counts.update({kind: len(ids) for kind, ids in node.ids.items()})
        return counts

    @property
    def receipt(self) -> Receipt:
        """The receipt of somebody who has dealt with this row."""
        return Receipt(self.first + self.count - 1, self.day, self.scan_id)

    def list_facts(self, findings: Mapping[str, Finding]) -> list["Fact"]:
        """Lists the facts one by one, with the findings that are known, by id."""
        keys = (
            (node.instance_id, EventKey(finding_id, node.at, kind))
            for node in self.nodes
            for kind, ids in node.ids.items()
            for finding_id in ids
        )
        return [
            Fact(number, self.day, node, key, findings.get(key.finding_id))
            for number, (node, key) in enumerate(keys, self.first)
        ]

    def list_keys(self, *kinds: EventKind) -> list[EventKey]:
        """Lists what happened by these kinds, in order."""
        return [
            EventKey(finding_id, node.at, kind)
            for node in self.nodes
            for kind in kinds
            for finding_id in node.ids.get(kind, ())
        ]


class Fact(Struct, frozen=True):
    """One fact, as an output gets it.

    `number` tells it apart from every other, so that one which is sent twice can be
    recognized. `finding` is None if it is not known any more.
    """

    number: int
    day: str
    instance_id: str
    key: EventKey
    finding: Finding | None


def number_facts(
    facts: Iterable[NodeFacts], last: Receipt, day: str, scan_id: str, most: int
) -> list[FactRow]:
    """Numbers the facts after `last`, in rows of at most `most` facts."""
    rows: list[FactRow] = []
    first = last.number + 1
    waiting: list[NodeFacts] = []

    def close() -> None:
        nonlocal first, waiting
        if waiting:
            rows.append(FactRow(first, day, scan_id, tuple(waiting)))
            first += rows[-1].count
            waiting = []

    for node in facts:
        for part in _split_facts(node, most):
            if sum(each.count for each in waiting) + part.count > most:
                close()
            waiting.append(part)
    close()
    return rows


def join_rows(
    rows: Iterable[FactRow], after: Receipt, until: Receipt
) -> tuple[tuple[FactRow, ...], tuple[range, ...]]:
    """Returns the rows that follow each other between two receipts, and the numbers without one.

    If a part of the ledger came from a backup, numbers were given twice. Then the
    row of the later day counts: the day of the last fact never goes back.
    """
    joined: list[FactRow] = []
    missing: list[range] = []
    number = after.number
    for row in sorted(sorted(rows, key=lambda each: each.day, reverse=True), key=_by_first):
        if number < row.first and row.receipt.number <= until.number:
            if number + 1 < row.first:
                missing.append(range(number + 1, row.first))
            joined.append(row)
            number = row.receipt.number
    # a receipt that is ahead of the facts has considered some that are not stored
    first, last = sorted((number, until.number))
    if first < last:
        missing.append(range(first + 1, last + 1))
    return tuple(joined), tuple(missing)


def find_returns(rows: Iterable[FactRow], events: Iterable[HistoryEvent]) -> dict[str, str]:
    """Maps each finding that was fixed or is gone to the scan that found it again.

    The scan id is empty if none has. The rows come in order. The history of what left
    has its former ids, which are mapped too.
    """
    returns: dict[str, str] = {}
    for row in rows:
        for key in row.list_keys(*LEFT):
            returns[key.finding_id] = ""
        for key in row.list_keys(EventKind.NEW):
            if key.finding_id in returns:
                returns[key.finding_id] = row.scan_id
    for event in events:
        former_ids = event.finding.former_ids if event.finding else ()
        if event.kind in LEFT:
            returns.update((each, returns[event.finding_id]) for each in former_ids)
    return returns


def _by_first(row: FactRow) -> int:
    return row.first


def _split_facts(node: NodeFacts, most: int) -> Iterator[NodeFacts]:
    """Yields a node's facts in parts that fit into a row."""
    if 0 < node.count <= most:
        yield node
        return
    for kind, ids in node.ids.items():
        for start in range(0, len(ids), most):
            yield NodeFacts(node.instance_id, node.at, {kind: ids[start : start + most]})


class MarkedNode(Struct, frozen=True):
    """A node whose findings a scan is about to write: ids by what happens to them, and when.

    `rewritten` are written again, and nothing happens to them.
    """

    instance_id: str
    at: datetime
    ids: Mapping[EventKind, tuple[str, ...]] = field(default_factory=dict)
    rewritten: tuple[str, ...] = ()

    @property
    def kinds(self) -> dict[str, EventKind | None]:
        """What happens to each id; None for what is written again."""
        happens = {key: kind for kind, keys in self.ids.items() for key in keys}
        return {**dict.fromkeys(self.rewritten), **happens}


class Mark(Struct, frozen=True):
    """What a scan is about to write, recorded before the first write.

    The transaction that completes the change removes it. A mark that is found
    later belongs to a scan that died.
    """

    id: str
    scan_id: str
    nodes: tuple[MarkedNode, ...]


def add_beginnings(events: Iterable[HistoryEvent], stored: Finding | None) -> list[HistoryEvent]:
    """Adds when a finding was new, each time: no scan writes a line for that.

    `stored` is the finding if it still fails.
    """
    history = {event.key: event for event in events}
    left = (event.finding for event in tuple(history.values()))
    for finding in filter(None, (*left, stored)):
        new = HistoryEvent(finding.finding_id, finding.first_seen, EventKind.NEW, finding.scan_id)
        history.setdefault(new.key, new)
    return sorted(history.values(), key=oldest_first)


def split_marked(nodes: Iterable[MarkedNode], most: int) -> Iterator[tuple[MarkedNode, ...]]:
    """Yields the marked nodes in groups with at most `most` ids, no node twice in a group."""
    group: dict[str, list[tuple[str, EventKind | None]]] = {}
    known: dict[str, MarkedNode] = {}
    size = 0
    for node in nodes:
        for pair in node.kinds.items():
            if size == most:
                yield tuple(_take_marked(known[key], pairs) for key, pairs in group.items())
                group, size = {}, 0
            known[node.instance_id] = node
            group.setdefault(node.instance_id, []).append(pair)
            size += 1
    if group:
        yield tuple(_take_marked(known[key], pairs) for key, pairs in group.items())


def _take_marked(node: MarkedNode, pairs: Iterable[tuple[str, EventKind | None]]) -> MarkedNode:
    """Returns the marked node with these ids only."""
    ids: dict[EventKind | None, list[str]] = {}
    for finding_id, kind in pairs:
        ids.setdefault(kind, []).append(finding_id)
    rewritten = tuple(ids.pop(None, ()))
    named = {kind: tuple(each) for kind, each in ids.items() if kind}
    return replace(node, ids=named, rewritten=rewritten)


class SnoozeEventKind(StrEnum):
    """What a person did with a snooze."""

    CREATED = "created"
    CHANGED = "changed"
    ENDED = "ended"


class FieldChange(Struct, frozen=True):
    """A field of a snooze before and after a change. Times are ISO 8601 text."""

    before: str | int | bool | None
    after: str | int | bool | None


class SnoozeEvent(Struct, frozen=True, kw_only=True):
    """One line of a snooze's history.

    `by` is who acted and `via` by which way (`api`). `version`, `ends_at`,
    `reason` and `comment` are those of the snooze after the event. `changes` has every
    field that a change changed, by name. Events of older versions do not have it.
    """

    snooze_id: str
    at: datetime
    kind: SnoozeEventKind
    by: str
    via: str
    version: int
    ends_at: datetime | None = None
    reason: str
    comment: str
    changes: Mapping[str, FieldChange] = field(default_factory=dict)
