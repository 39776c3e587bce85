"""Compares what a node shows with its list: new, fixed, not checked any more, reworded, worse.

A finding that vanished is fixed only if that is proven. Without proof it is remembered: its
entry stays on the list, and it keeps its first sight for the day when it fails again.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct, field
from msgspec.structs import replace

from chalicelib.domain.compliance import Item, NodeReport, derive_control_ids, is_numbered
from chalicelib.domain.finding import (
    MAX_ABSENCES,
    MAX_FORMER_IDS,
    Entry,
    Finding,
    Observation,
    Severity,
    finding_id,
    mark_control,
    mark_type,
    to_entry_time,
)
from chalicelib.domain.history import AWAY, ENDING, NAMED, EventKind

# Words that matchers of InSpec write around an expectation, in the old and the new form.
_EXPECTED = re.compile(r"\bis expected (not )?to\b")
_MATCHERS = frozenset({"should", "be", "eq", "cmp", "=="})
_QUOTES = str.maketrans("", "", "\"'`´‘’“”„«»")  # noqa: RUF001 - all kinds of quotes
_NUMBER = re.compile(r"(?<![^\s()\[\]{},;])\d+(?![^\s()\[\]{},;])")


class TypeEvidence(Struct, frozen=True):
    """What a verified execution of one compliance type shows beside what fails.

    passed: ids of listed findings whose title passed · controls: marks of the controls
    that ran · is_numbered: the Ids of all items end in one unbroken running index, so that
    control ids can be trusted · is_new: no scan has verified this execution before. Passed
    checks are read only if a listed finding does not fail any more.
    """

    passed: frozenset[str] = frozenset()
    controls: frozenset[int] = frozenset()
    is_numbered: bool = False
    is_new: bool = True


def find_vanished(
    observed: Iterable[Observation], listed: Mapping[str, Entry]
) -> tuple[Entry, ...]:
    """Returns the listed findings of a node that do not fail in a reading."""
    if not listed:
        return ()
    failing = {finding_id(each.instance_id, each.title) for each in observed}
    return tuple(each for key, each in listed.items() if key not in failing)


def find_types_to_prove(report: NodeReport, vanished: Sequence[Entry]) -> tuple[str, ...]:
    """Returns the types whose passed items must be read, spelt as their rows spell them.

    Those are types of a listed finding that does not fail any more. A type without a
    passed item proves nothing, and needs no reading.
    """
    return tuple(
        row.compliance_type
        for row in report.rows
        if row.compliant and any(each.has_type(mark_type(row.folded_type)) for each in vanished)
    )


def show_types(
    report: NodeReport,
    failed: Sequence[Item],
    passed: Sequence[Item],
    vanished: Sequence[Entry],
) -> dict[str, TypeEvidence]:
    """Returns what each type of a reading shows. `passed` was read where it is needed."""
    if not vanished:
        return {row.folded_type: TypeEvidence() for row in report.rows}
    shown = {}
    ids = {each.finding_id for each in vanished}
    for row in report.rows:
        own = [each for each in passed if each.compliance_type.casefold() == row.folded_type]
        items = [
            *own,
            *(each for each in failed if each.compliance_type.casefold() == row.folded_type),
        ]
        titles = (each.title for each in own if each.title)
        controls = (mark_control(each) for each in derive_control_ids(items) if each)
        shown[row.folded_type] = TypeEvidence(
            passed=frozenset(ids & {finding_id(report.instance_id, each) for each in titles}),
            controls=frozenset(controls),
            is_numbered=is_numbered(items) and len(own) == row.compliant,
        )
    return shown


class Evidence(Struct, frozen=True):
    """What a reading proves about findings that the node does not fail any more.

    verified: by compliance type · unverified: types of the node that prove nothing now ·
    proving: types that have shown a passed check on any node, ever. Without such a check a
    reporter writes only failures, and what it does not write is fixed · withholds_fixes:
    nothing may be fixed now, whatever is proven.
    """

    verified: Mapping[str, TypeEvidence] = field(default_factory=dict)
    unverified: frozenset[str] = frozenset()
    proving: frozenset[str] = frozenset()
    withholds_fixes: bool = False

    def judge(self, entry: Entry) -> EventKind | None:
        """Returns how a listed finding left that does not fail now; None if it stays."""
        kind = self._judge(entry)
        return None if kind is EventKind.FIXED and self.withholds_fixes else kind

    def _judge(self, entry: Entry) -> EventKind | None:
        if not self.verified or any(entry.has_type(mark_type(each)) for each in self.unverified):
            return None
        kinds = [each for each in self.verified if entry.has_type(mark_type(each))]
        if any(entry.finding_id in self.verified[each].passed for each in kinds):
            return EventKind.FIXED
        if kinds and not self.proving.intersection(kinds):
            return EventKind.FIXED
        if entry.in_turn:
            return EventKind.IN_TURN
        if any(entry.control_mark in self.verified[each].controls for each in kinds):
            return EventKind.NOT_FOUND
        return EventKind.UNCHECKED

    def is_new(self, entry: Entry) -> bool:
        """Whether an execution that could have checked it was not verified before."""
        return any(
            shown.is_new and entry.has_type(mark_type(name))
            for name, shown in self.verified.items()
        )

    def is_numbered(self, compliance_type: str) -> bool:
        """Whether the control ids of this type can be trusted."""
        shown = self.verified.get(compliance_type)
        return shown is not None and shown.is_numbered


class Sight(Struct, frozen=True):
    """When a reading was made: the time of the execution, the scan, and the scan's time.

    `forget_after` is how long a finding is remembered that is not checked.
    """

    seen_at: datetime
    scan_id: str
    now: datetime
    forget_after: timedelta


class Change(Struct, frozen=True):
    """What to write for one finding. `kind` None: it is written again, and nothing happened.

    `before` and `after` are its entries, None if it is not on the list. They have
    different ids if it was reworded. `finding` is how it is afterwards; of one that leaves,
    how it was, if that is known.
    """

    kind: EventKind | None
    before: Entry | None
    after: Entry | None
    finding: Finding | None = None

    @property
    def finding_id(self) -> str:
        """The id that the fact names: the new one, if it has one."""
        entry = self.after or self.before
        return entry.finding_id if entry else ""

    @property
    def is_named(self) -> bool:
        """Whether people are told by name what happened."""
        return self.kind in NAMED


class Diff(Struct, frozen=True):
    """What to write for one node, and the entries of its list that are not written."""

    changes: tuple[Change, ...] = ()
    unchanged: tuple[Entry, ...] = ()

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The list after it is applied."""
        return (*(each.after for each in self.changes if each.after), *self.unchanged)

    def select(self, kinds: Collection[EventKind]) -> tuple[Change, ...]:
        """Returns the changes of these kinds."""
        return tuple(each for each in self.changes if each.kind in kinds)


def compare(
    listed: Mapping[str, Entry],
    observed: Iterable[Observation],
    evidence: Evidence,
    sight: Sight,
    absent: Collection[str] = (),
) -> Diff:
    """Compares by finding id. `absent` are open ids that have no row in the findings table."""
    by_id = {finding_id(each.instance_id, each.title): each for each in observed}
    changes: list[Change] = []
    unchanged: list[Entry] = []
    for key, entry in listed.items():
        match = by_id.get(key)
        if match is None:
            change = _leave(entry, evidence, sight)
        else:
            change = _fail_again(entry, match, sight, is_absent=key in absent)
        if isinstance(change, Entry):
            unchanged.append(change)
        else:
            changes.append(change)
    for key, match in by_id.items():
        if key not in listed:
            put = _build_finding(match, sight.seen_at, sight.scan_id)
            changes.append(Change(EventKind.NEW, None, Entry.of(put), put))
    return Diff(tuple(changes), tuple(unchanged))


def _fail_again(
    entry: Entry, match: Observation, sight: Sight, *, is_absent: bool
) -> Change | Entry:
    """Compares a listed finding that fails with how it fails."""
    # the writer gives it the time that is stored
    put = _build_finding(match, entry.since, sight.scan_id)
    after = replace(
        Entry.of(put),
        worst=_find_worst(entry, match.severity),
        in_turn=entry.in_turn or entry.is_unchecked,
        is_reworded=entry.is_reworded,
    )
    if is_worse(entry, match.severity):
        return Change(EventKind.WORSE, entry, after, put)
    if entry.is_unchecked:
        kind = EventKind.BACK_IN_TURN if entry.in_turn else EventKind.CHECKED_AGAIN
        return Change(kind, entry, after, put)
    return entry if entry == after and not is_absent else Change(None, entry, after, put)


def is_worse(entry: Entry, severity: Severity) -> bool:
    """Whether a severity is news: above the highest that was announced, if that was one."""
    return entry.worst is not Severity.UNSPECIFIED and severity.rank < entry.worst.rank


def _find_worst(entry: Entry, severity: Severity) -> Severity:
    return min(entry.worst, severity, key=lambda each: each.rank)


def _leave(entry: Entry, evidence: Evidence, sight: Sight) -> Change | Entry:
    """Judges a listed finding that does not fail."""
    kind = evidence.judge(entry)
    if kind is None:
        return entry
    if kind in ENDING:
        return Change(kind, entry, None)
    if not entry.is_unchecked:
        since = to_entry_time(sight.seen_at)
        return Change(kind, entry, replace(entry, since=since, is_unchecked=True, absences=0))
    if evidence.is_new(entry):
        entry = replace(entry, absences=min(entry.absences + 1, MAX_ABSENCES))
    is_old = sight.now - entry.since >= sight.forget_after
    if is_old and entry.absences == MAX_ABSENCES:
        return Change(EventKind.FORGOTTEN, entry, None)
    return entry


def join_reworded(
    found: Diff, evidence: Evidence, find_names: Callable[[Iterable[Entry]], Iterable[Finding]]
) -> Diff:
    """Joins a finding that vanished and a new one, if they are one in other words.

    They are if both have the same control, which can be trusted, and the same normal form,
    and no other finding vanished or appeared with these. `find_names` returns the
    findings of entries.
    """
    new = [
        (each.finding, each.after)
        for each in found.select({EventKind.NEW})
        if each.finding and each.after and evidence.is_numbered(each.finding.compliance_type)
    ]
    controls = {entry.control_mark for _, entry in new}
    vanished = {
        each.before.finding_id: each.before
        for each in found.select(AWAY)
        if each.before and each.before.control_mark in controls
    }
    if not vanished:
        return found
    named = tuple(find_names(vanished.values()))
    if len(named) < len(vanished):
        # one without a name may have the same form
        return found
    gone: dict[tuple[int, str, str], list[Finding]] = defaultdict(list)
    for finding in named:
        gone[_get_form(finding, vanished[finding.finding_id].type_mark)].append(finding)
    come: dict[tuple[int, str, str], list[Finding]] = defaultdict(list)
    for finding, entry in new:
        come[_get_form(finding, entry.type_mark)].append(finding)
    joined = [
        _reword(vanished[former[0].finding_id], former[0], present[0])
        for form, former in gone.items()
        for present in (come.get(form, []),)
        if len(former) == len(present) == 1
    ]
    old = {each.before.finding_id for each in joined if each.before}
    old |= {each.finding_id for each in joined}
    kept = (each for each in found.changes if each.finding_id not in old)
    return replace(found, changes=(*kept, *joined))


def _get_form(finding: Finding, type_mark: int) -> tuple[int, str, str]:
    return type_mark, finding.control_id, normalize_title(finding.title)


def _reword(entry: Entry, former: Finding, present: Finding) -> Change:
    """Returns the change of a finding whose title is worded otherwise now."""
    after = replace(
        Entry.of(present),
        worst=_find_worst(entry, present.severity),
        since=entry.since,
        in_turn=entry.in_turn,
        is_reworded=True,
    )
    put = replace(
        present,
        first_seen=former.first_seen,
        former_ids=add_former_id(former, present.finding_id),
    )
    kind = EventKind.WORSE if is_worse(entry, present.severity) else EventKind.REWORDED
    return Change(kind, entry, after, put)


def add_former_id(former: Finding, finding_id: str) -> tuple[str, ...]:
    """Returns the former ids of a finding that has this id now: the first, and the newest."""
    if former.finding_id == finding_id:
        return former.former_ids
    first, *others = (*former.former_ids, former.finding_id)
    return (first, *others[1 - MAX_FORMER_IDS :])


def normalize_title(title: str) -> str:
    """Returns a title without what differs between wordings of one expectation.

    Quotes and the words of matchers are dropped, a number that is a word is `#`. Names and
    `not` stay.
    """
    text = unicodedata.normalize("NFC", title).translate(_QUOTES)
    words = _EXPECTED.sub(r"\1", text).split()
    return _NUMBER.sub("#", " ".join(each for each in words if each not in _MATCHERS))


def forget(entries: Iterable[Entry], kind: EventKind) -> Diff:
    """Returns how all of these entries leave: open ones by `kind`, remembered ones forgotten."""
    return Diff(
        tuple(
            Change(EventKind.FORGOTTEN if each.is_unchecked else kind, each, None)
            for each in entries
        )
    )


def _build_finding(observed: Observation, first_seen: datetime, scan_id: str) -> Finding:
    return Finding(
        observed.instance_id,
        observed.title,
        observed.severity,
        observed.control_id,
        first_seen,
        scan_id,
        observed.compliance_type,
    )
