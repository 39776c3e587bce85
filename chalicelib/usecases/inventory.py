"""The open findings of the fleet, counted from the lists of the nodes: no finding is read.

A list names findings by references to titles, and titles stand once for all nodes. So this
takes one row for each node and one for each title, whatever the number of findings.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from difflib import get_close_matches
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from chalicelib.domain.finding import (
    BriefEntry,
    Severity,
    Title,
    count_by_severity,
    mark_control,
    read_briefly,
    title_reference,
)
from chalicelib.domain.node import Node
from chalicelib.domain.snooze import Scope, Snooze
from chalicelib.domain.text import TextPattern, match_key
from chalicelib.usecases.ports import Archive, NodePages, Titles

if TYPE_CHECKING:
    from chalicelib.usecases.context import Inbox

# How alike two texts must be, from 0 to 1, so that one is taken for a slip of the other.
ALIKE = 0.85
# Comparing takes some 0.1 ms, so only so many texts are compared: of those that have one of the
# longest words of a title, or a part of an instance id, those of about the same length.
MOST_COMPARED = 1_000
SAME_WORDS, SAME_PART = 3, 8


class Place(NamedTuple):
    """A finding as the list of its node has it. `title` is None if its title has expired."""

    node: Node
    title: Title | None
    entry: BriefEntry

    def has_control(self, control_id: str) -> bool:
        """Whether it is of this control. A list has a checksum only, its title settles doubts."""
        mark = mark_control(control_id)
        if self.entry.control_mark != mark:
            return False
        known = self.title.control_id if self.title else control_id
        return known == control_id or mark_control(known) != mark


class TitleGroup(Struct, frozen=True):
    """The findings of a title over the fleet.

    severity: the worst of the open ones, or of all if none is open · open: by severity,
    worst first · nodes: on which it is open · unchecked: findings that are not checked any
    more. The title is empty if it has expired.
    """

    reference: str
    title: str
    control_id: str
    severity: Severity
    open: Mapping[Severity, int]
    nodes: int
    unchecked: int

    def by_gravity(self) -> tuple[int, int, str]:
        """The sort key of worst first."""
        return self.severity.rank, -self.nodes, self.reference


def _group(reference: str, places: Sequence[Place]) -> TitleGroup:
    title = places[0].title
    still_open = count_by_severity(
        place.entry.severity for place in places if not place.entry.is_unchecked
    )
    worst = min((place.entry.severity for place in places), key=lambda each: each.rank)
    number = sum(still_open.values())
    return TitleGroup(
        reference=reference,
        title=title.text if title else "",
        control_id=title.control_id if title else "",
        severity=next(iter(still_open), worst),
        open=still_open,
        nodes=number,
        unchecked=len(places) - number,
    )


class Inventory:
    """The open findings of the fleet, by node and by title. Rows are read when needed."""

    def __init__(
        self,
        read_nodes: Callable[[], Iterable[Node]],
        read_titles: Callable[[], Mapping[str, Title]],
    ) -> None:
        self._read_nodes = read_nodes
        self._read_titles = read_titles

    @cached_property
    def nodes(self) -> Mapping[str, Node]:
        """Every node, by its id."""
        return {node.instance_id: node for node in self._read_nodes()}

    @cached_property
    def titles(self) -> Mapping[str, Title]:
        """Every known title, by its reference."""
        return self._read_titles()

    @cached_property
    def by_title(self) -> Mapping[str, list[Place]]:
        """The findings of each title, open and unchecked, by its reference."""
        found: dict[str, list[Place]] = defaultdict(list)
        for instance_id in self.nodes:
            for place in self._list_places(instance_id):
                found[place.entry.reference].append(place)
        return dict(found)

    @cached_property
    def groups(self) -> Sequence[TitleGroup]:
        """The titles of the fleet, worst first: by severity, then by the number of nodes."""
        groups = (_group(reference, places) for reference, places in self.by_title.items())
        return sorted(groups, key=TitleGroup.by_gravity)

    def find_muted(self, snoozes: Iterable[Snooze]) -> AbstractSet[bytes]:
        """Finds the open findings that any of these snoozes covers, by their ids as bytes."""
        return {place.entry.key for each in snoozes for place in self.find_covered(each)}

    def find_covered(self, snooze: Snooze) -> Iterator[Place]:
        """Yields the open findings that a snooze covers; one of a pair perhaps twice."""
        yield from self.select(snooze.scope, snooze.max_severity)
        own = Scope(snooze.instance_id)
        for place in self.select(own, snooze.max_severity) if snooze.reworded_ids else ():
            if place.entry.key.hex() in snooze.reworded_ids:
                yield place

    def count_muted(self, snoozes: Iterable[Snooze]) -> int:
        """Counts the open findings that any of these snoozes covers."""
        muted = self.find_muted(snoozes)
        if not muted:
            return 0
        lists = (read_briefly(node.open_list or b"") for node in self.nodes.values())
        return sum(entry.key in muted for entries in lists for entry in entries)

    @cached_property
    def _by_control(self) -> Mapping[int, AbstractSet[str]]:
        """The references of the titles with findings of a control, by its mark."""
        found: dict[int, set[str]] = defaultdict(set)
        for reference, places in self.by_title.items():
            for mark in {place.entry.control_mark for place in places}:
                found[mark].add(reference)
        return dict(found)

    @cached_property
    def _by_key(self) -> Mapping[str, list[str]]:
        """The references of the titles with the same match key."""
        found: dict[str, list[str]] = defaultdict(list)
        for reference, title in self.titles.items():
            found[match_key(title.text)].append(reference)
        return found

    def _list_places(self, instance_id: str) -> Iterator[Place]:
        node = self.nodes[instance_id]
        for entry in read_briefly(node.open_list or b""):
            yield Place(node, self.titles.get(entry.reference), entry)

    def list_titles(self, key: str) -> list[str]:
        """Lists the known titles with this match key, as nodes wrote them."""
        return [self.titles[reference].text for reference in self._by_key.get(key, ())]

    def find_own_title(self, instance_id: str | None, title: str) -> str | None:
        """Finds how a node, else any node, writes a title; None if nobody does."""
        written = self.list_titles(match_key(title))
        if title in written:
            return title
        node = self.nodes.get(instance_id) if instance_id else None
        own = {each.reference for each in read_briefly(node.open_list or b"")} if node else set()
        known = sorted(written, key=lambda each: (title_reference(each) not in own, each))
        return known[0] if known else None

    def select(self, scope: Scope, max_severity: Severity | None) -> Iterator[Place]:
        """Yields the open findings that a snooze covers."""
        instance_id, key, control_id = scope.lookup
        references = self._find_references(key, scope.pattern)
        if control_id is not None and instance_id is None:
            own = self._by_control.get(mark_control(control_id), frozenset())
            references = own if references is None else references & own
        for place in self._list_candidates(instance_id, references):
            severity = place.entry.severity
            if (
                not place.entry.is_unchecked
                and (max_severity is None or severity.rank >= max_severity.rank)
                and (control_id is None or place.has_control(control_id))
            ):
                yield place

    def _find_references(
        self, key: str | None, pattern: TextPattern | None
    ) -> AbstractSet[str] | None:
        """Finds the titles that a scope names; None for all."""
        if pattern is not None:
            return {
                reference
                for each, found in self._by_key.items()
                if pattern.longest in each and pattern.matches(each)
                for reference in found
            }
        return None if key is None else set(self._by_key.get(key, ()))

    def _list_candidates(
        self, instance_id: str | None, references: AbstractSet[str] | None
    ) -> Iterator[Place]:
        if instance_id is not None:
            if instance_id in self.nodes:
                for place in self._list_places(instance_id):
                    if references is None or place.entry.reference in references:
                        yield place
            return
        for reference in self.by_title if references is None else references:
            yield from self.by_title.get(reference, ())

    def find_nearest(self, scope: Scope) -> str | None:
        """Finds what a person may have meant whose scope matches nothing; None if nothing is near.

        Returns a title as a node writes it, or an instance id.
        """
        if scope.instance_id is not None and scope.instance_id not in self.nodes:
            ends = scope.instance_id[:SAME_PART], scope.instance_id[-SAME_PART:]
            return _find_nearest(scope.instance_id, self.nodes, ends)
        if scope.title is None or match_key(scope.title) in self._by_key:
            return None
        key = match_key(scope.title)
        words = sorted(set(key.split()), key=len)[-SAME_WORDS:]
        near = _find_nearest(key, self._by_key, words)
        return self.list_titles(near)[0] if near else None


def _find_nearest(text: str, known: Iterable[str], parts: Sequence[str]) -> str | None:
    """Finds what is most alike among texts with one of these parts; None if nothing is alike."""
    alike = [each for each in known if any(part in each for part in parts)]
    alike.sort(key=lambda each: (abs(len(each) - len(text)), each))
    near = get_close_matches(text, alike[:MOST_COMPARED], 1, ALIKE)
    return near[0] if near else None


class WarmInventory:
    """Keeps the inventory of a warm process until a further scan has ended."""

    def __init__(self, nodes: NodePages, titles: Titles, archive: Archive) -> None:
        self._nodes = nodes
        self._titles = titles
        self._archive = archive
        self._kept: tuple[str, Inventory] | None = None

    def __call__(self) -> Inventory:
        """Returns the inventory as of the last scan. One row says whether it still is."""
        last = next((each.scan_id for each in self._archive.scans(None, 1)), "")
        if self._kept is None or self._kept[0] != last:
            # the old one goes first: a small Lambda has no memory for two
            self._kept = None
            self._kept = last, Inventory(self._nodes.open_lists, self._titles.all)
        return self._kept[1]


class Matches(Struct, frozen=True):
    """The open findings that a snooze covers now, as of the last scan.

    `nearest` is what a person may have meant if there are none: a title, or an instance id.
    `elsewhere` counts those that it would cover without its instance, severity and control.
    """

    by_severity: dict[Severity, int]
    nearest: str | None = None
    elsewhere: int = 0

    @property
    def total(self) -> int:
        """The number of findings."""
        return sum(self.by_severity.values())


def count_scope(inbox: "Inbox", scope: Scope, cap: Severity | None) -> dict[Severity, int]:
    """Counts the open findings of a scope up to a severity, by severity."""
    places = inbox.inventory().select(scope, cap)
    return count_by_severity(place.entry.severity for place in places)


def count_matches(inbox: "Inbox", snoozes: Sequence[Snooze]) -> dict[str, Matches]:
    """Counts the open findings that each snooze covers, by its id. Those of pairs are read."""
    pairs = [each for each in snoozes if each.scope.is_pair]
    ids = {key for each in pairs for key in each.finding_ids}
    stored = inbox.findings.get(ids).values() if ids else ()
    matches = {
        each.id: Matches(count_by_severity(row.severity for row in stored if each.covers(row)))
        for each in pairs
    }
    for each in snoozes:
        if not each.scope.is_pair:
            matches[each.id] = Matches(count_scope(inbox, each.scope, each.max_severity))
    return matches


def explain_matches(inbox: "Inbox", snooze: Snooze) -> Matches:
    """Counts the open findings that a snooze covers. If there are none, says what is near."""
    matches = count_matches(inbox, [snooze])[snooze.id]
    if matches.total:
        return matches
    return explain_none(inbox, snooze.scope)


def explain_none(inbox: "Inbox", scope: Scope) -> Matches:
    """Says of a scope that covers nothing what is near."""
    inventory = inbox.inventory()
    title = scope._replace(instance_id=None, control_id=None)
    elsewhere = sum(1 for _ in inventory.select(title, None)) if any(title.parts) else 0
    return Matches({}, inventory.find_nearest(scope), elsewhere)
