"""Compares nodes with their lists, and names the findings that a list has without text."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from chalicelib.domain.compliance import NodeReport
from chalicelib.domain.diff import (
    Change,
    Diff,
    Evidence,
    Sight,
    add_former_id,
    compare,
    forget,
    join_reworded,
)
from chalicelib.domain.finding import (
    Entry,
    Finding,
    Title,
    UncheckedFinding,
    count_by_severity,
    finding_id,
    mark_control,
    pack_list,
    title_reference,
    to_entry_time,
    unpack_list,
)
from chalicelib.domain.history import EventKind, NodeFacts
from chalicelib.domain.node import (
    Node,
    add_run,
    has_new_execution,
    note_unverified,
    note_verified,
)
from chalicelib.usecases.context import Acceptance, Context
from chalicelib.usecases.ports import UncheckedKey
from chalicelib.usecases.scan.read import Reading


class NodeChange(Struct, frozen=True):
    """What to write for one node: its difference, and its row after it; None removes the row.

    `before` is the stored row, or an empty one. `at` is when it happened.
    """

    before: Node
    after: Node | None
    found: Diff
    at: datetime

    @property
    def ids(self) -> dict[EventKind, tuple[str, ...]]:
        """The finding ids by what happened to them."""
        ids: dict[EventKind, list[str]] = {}
        for each in self.found.changes:
            if each.kind:
                ids.setdefault(each.kind, []).append(each.finding_id)
        return {kind: tuple(each) for kind, each in ids.items()}

    @property
    def facts(self) -> NodeFacts:
        """The facts that follow."""
        return NodeFacts(self.before.instance_id, self.at, self.ids)


def with_list(node: Node, entries: Iterable[Entry]) -> Node:
    """Returns the node row with this list, and what it counts of it."""
    entries = tuple(entries)
    unchecked = [each for each in entries if each.is_unchecked]
    return replace(
        node,
        severities=count_by_severity(each.severity for each in entries if not each.is_unchecked),
        open_list=pack_list(entries),
        unchecked=len(unchecked),
        in_turn=sum(each.in_turn for each in unchecked),
        unchecked_since=min((each.since for each in unchecked if not each.in_turn), default=None),
    )


def read_list(node: Node) -> dict[str, Entry]:
    """Returns the list of a node row, by finding id."""
    return unpack_list(node.open_list or b"")


class Names:
    """The titles of one scan, and findings by name. Titles are read when the first is needed."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._known: dict[str, Title] | None = None
        self._fetched: dict[str, Finding] = {}

    def add(self, findings: Iterable[Finding], now: datetime) -> None:
        """Stores the titles that are not stored yet, or are stored with another control."""
        seen = {each.title: each.control_id for each in findings}
        if not seen:
            return
        known = self.read()
        added = {
            reference: Title(text, control_id)
            for text, control_id in seen.items()
            for reference in (title_reference(text),)
            if known.get(reference) != Title(text, control_id)
        }
        if added:
            self._context.titles.put(added.values(), now)
            known.update(added)

    def note(self, entry: Entry, finding: Finding) -> None:
        """Notes a finding whose row is about to be deleted, unless its title names it then."""
        if not _fits(finding.instance_id, entry, self.read()):
            self._fetched[finding.finding_id] = finding

    def find(self, instance_id: str, entries: Iterable[Entry]) -> tuple[Finding, ...]:
        """Returns the findings of a node's entries.

        An entry whose title or control is not the known one is read from its row, which
        is there before the delete. One that is not there either has no name, and is left
        out.
        """
        entries = tuple(entries)
        if not entries:
            return ()
        known = self.read()
        missing = [
            each
            for each in entries
            if each.finding_id not in self._fetched and not _fits(instance_id, each, known)
        ]
        if missing:
            stored = find_stored(self._context, [(instance_id, each) for each in missing])
            self._fetched.update(stored)
        named = (self._build(instance_id, each, known) for each in entries)
        return tuple(each for each in named if each is not None)

    def _build(self, instance_id: str, entry: Entry, known: Mapping[str, Title]) -> Finding | None:
        if entry.finding_id in self._fetched:
            return self._fetched[entry.finding_id]
        title = known.get(entry.reference)
        if title is None or not _fits(instance_id, entry, known):
            return None
        return Finding(
            instance_id, title.text, entry.severity, title.control_id, entry.since, scan_id=""
        )

    def read(self) -> dict[str, Title]:
        """Returns every known title, by its reference."""
        if self._known is None:
            self._known = dict(self._context.titles.all())
        return self._known


def _fits(instance_id: str, entry: Entry, known: Mapping[str, Title]) -> bool:
    """Whether the known title is all that the row of the entry has.

    References are short, so this is proven.
    """
    title = known.get(entry.reference)
    return (
        title is not None
        and not (entry.is_unchecked or entry.is_reworded)
        and mark_control(title.control_id) == entry.control_mark
        and finding_id(instance_id, title.text) == entry.finding_id
    )


def find_stored(context: Context, entries: Sequence[tuple[str, Entry]]) -> dict[str, Finding]:
    """Returns the rows of entries by finding id, open ones and remembered ones."""
    keys = [UncheckedKey(node, each.finding_id) for node, each in entries if each.is_unchecked]
    remembered = context.unchecked.get(keys) if keys else {}
    found = context.findings.get([each.finding_id for _, each in entries if not each.is_unchecked])
    return {**found, **{key: each.finding for key, each in remembered.items()}}


class Comparison(Struct, frozen=True):
    """A reading beside the row of its node, and what it proves."""

    reading: Reading
    node: Node | None
    evidence: Evidence
    sight: Sight
    absent: Collection[str] = ()


def compare_nodes(
    context: Context, names: Names, comparisons: Iterable[Comparison]
) -> list[NodeChange]:
    """Compares readings with the lists of their nodes. Only verified types move a watermark."""
    found = []
    for each in comparisons:
        before = each.node or Node(each.reading.report.instance_id)
        diff = compare(
            read_list(before),
            each.reading.folded.observations,
            each.evidence,
            each.sight,
            each.absent,
        )
        joined = join_reworded(diff, each.evidence, partial(names.find, before.instance_id))
        found.append((each, before, joined))
    entries = [
        (before.instance_id, change.before)
        for _, before, diff in found
        for change in diff.changes
        if change.before and (change.before.is_unchecked or change.after)
    ]
    stored = find_stored(context, entries) if entries else {}
    changes = []
    for each, before, diff in found:
        completed = replace(
            diff,
            changes=tuple(
                _complete(change, before.instance_id, stored, names) for change in diff.changes
            ),
        )
        changes.append(_build_change(each, before, completed))
    return changes


def _complete(
    change: Change, instance_id: str, stored: Mapping[str, Finding], names: Names
) -> Change:
    """Gives a change what is stored of its finding: its first sight, and its former ids.

    Of a finding that is remembered from now on, all of it must be known. One that has no
    name any more is not remembered.
    """
    before, after = change.before, change.after
    if before is None:
        return change
    was = stored.get(before.finding_id)
    if was and change.is_named:
        names.note(before, was)
    if after is None:
        return replace(change, finding=was)
    if after.is_unchecked:
        was = was or next(iter(names.find(instance_id, [before])), None)
        if was is None:
            return replace(change, after=None)
        # a finding whose row is lost has no known type
        entry = Entry.of_unchecked(UncheckedFinding(was, after.since, after.worst))
        return replace(change, finding=was, after=replace(entry, in_turn=after.in_turn))
    put = change.finding
    if put is None or was is None:
        return change
    put = replace(
        put,
        first_seen=was.first_seen,
        # the CSV of an alert is found by this
        scan_id=put.scan_id if change.kind is EventKind.WORSE else was.scan_id,
        former_ids=add_former_id(was, after.finding_id),
    )
    after = replace(after, since=to_entry_time(put.first_seen), is_reworded=bool(put.former_ids))
    return replace(change, finding=put, after=after)


def _build_change(compared: Comparison, before: Node, found: Diff) -> NodeChange:
    reading, now = compared.reading, compared.sight.now
    report = reading.report
    if reading.doubt is None:
        after = note_verified(before, report)
        if has_new_execution(before, report):
            after = add_run(after, report, now)
    else:
        after = note_unverified(before, report, reading.fingerprint, now)
    passed_types = _add_passed_types(before, report)
    after = replace(after, untitled=reading.folded.untitled, passed_types=passed_types)
    if found.changes or found.entries != tuple(read_list(before).values()):
        after = with_list(after, found.entries)
    return NodeChange(before, after, found, compared.sight.seen_at)


def _add_passed_types(before: Node, report: NodeReport) -> tuple[str, ...]:
    passed = {row.folded_type for row in report.rows if row.compliant}
    return tuple(sorted(passed.union(before.passed_types)))


def remove_node(node: Node, now: datetime) -> NodeChange:
    """Removes a gone node with all its findings."""
    # a person may accept that a node is gone before any list was stored without it
    at = node.missing_since or node.last_read or now
    return NodeChange(node, None, forget(read_list(node).values(), EventKind.GONE), at)


def accept_unchecked(
    node: Node, acceptance: Acceptance, names: Names, now: datetime
) -> NodeChange | None:
    """Forgets what a person accepts as not checked any more; None if that is nothing."""
    if acceptance.instance_id not in (None, node.instance_id) or not node.unchecked:
        return None
    entries = read_list(node)
    remembered = [each for each in entries.values() if each.is_unchecked]
    if acceptance.control_id is not None:
        named = names.find(node.instance_id, remembered)
        remembered = [
            entries[each.finding_id] for each in named if each.control_id == acceptance.control_id
        ]
    if not remembered:
        return None
    kept = [each for each in entries.values() if each not in remembered]
    found = replace(forget(remembered, EventKind.FORGOTTEN), unchanged=tuple(kept))
    return NodeChange(node, with_list(node, found.entries), found, now)
