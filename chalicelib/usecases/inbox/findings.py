"""Findings, looked up by people and programs: lists, one finding, its history."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from chalicelib.domain.control import ControlText
from chalicelib.domain.errors import NotFound
from chalicelib.domain.finding import Finding, Severity, UncheckedFinding, title_reference
from chalicelib.domain.history import HistoryEvent, add_beginnings
from chalicelib.domain.snooze import (
    ListedFinding,
    Muting,
    Scope,
    Snooze,
    State,
    list_unchecked,
    list_with_snoozes,
)
from chalicelib.domain.text import has_part, match_key
from chalicelib.usecases.context import Inbox
from chalicelib.usecases.inbox.snooze_history import (
    MOST_LINES,
    SnoozeLine,
    list_history_lines,
    read_pairs,
)
from chalicelib.usecases.inventory import Matches, count_matches
from chalicelib.usecases.ports import Selection, UncheckedKey

T = TypeVar("T")

# A page stops looking for rows that match a rare filter after this time.
PAGE_TIME = timedelta(seconds=10)
# A list in one response must end after this time: API Gateway stops at 29 s.
WHOLE_TIME = timedelta(seconds=20)
# Rows read in one call if a filter may drop most of them.
FETCH = 200
# The state of a finding that is not checked any more and is remembered.
UNCHECKED = "unchecked"


class Position(NamedTuple):
    """Where a finding is in a list that comes worst first. Its text is `<rank>#<finding id>`."""

    rank: int
    finding_id: str

    @classmethod
    def read(cls, text: str) -> "Position":
        """Reads the text of a position; one of another form is the beginning."""
        rank, _, finding_id = text.partition("#")
        return cls(int(rank), finding_id) if rank.isdecimal() else cls(0, "")

    def __str__(self) -> str:
        return f"{self.rank}#{self.finding_id}"


class OrderedList(NamedTuple):
    """The positions of a list, worst first, and its rows if they are read already, by id."""

    positions: Sequence[Position]
    rows: Mapping[str, Finding] | None = None


class FindingFilter(Struct, frozen=True):
    """Which findings to list.

    `state` is `open`, `snoozed`, `unchecked` or `fixed`; without it, the list has those that
    are open or snoozed. `title` and `q`, a part of the title or instance id, are compared by
    the match key. `first_seen_after` leaves older ones out.
    """

    instance_id: str | None = None
    title: str | None = None
    severity: Severity | None = None
    control_id: str | None = None
    state: str | None = None
    q: str | None = None
    first_seen_after: datetime | None = None

    @property
    def is_ordered(self) -> bool:
        """Whether the list is one of a node or a title, which comes worst first."""
        is_narrow = self.instance_id is not None or self.title is not None
        return is_narrow and self.state != UNCHECKED

    @property
    def selection(self) -> Selection:
        """What an index can select."""
        return Selection(self.instance_id, None)

    @property
    def rare(self) -> bool:
        """Whether rows that a node or a title has may be dropped."""
        return self.control_id is not None or any(
            (self.severity, self.state, self.q, self.first_seen_after)
        )

    def matches(self, row: ListedFinding) -> bool:
        """Whether to list a row."""
        finding = row.finding
        return (
            (self.title is None or Scope(title=self.title).matches(finding))
            and self.severity in (None, finding.severity)
            and self.control_id in (None, finding.control_id)
            and self.state in (None, row.state)
            and (self.first_seen_after is None or finding.first_seen > self.first_seen_after)
            and (
                self.q is None
                or has_part(finding.title, self.q)
                or has_part(finding.instance_id, self.q)
            )
        )


class FindingPage(Struct, frozen=True):
    """Rows of a list, and the key to continue after; None at the end.

    `total` is the number of rows of all pages, None if that is not known.
    """

    rows: tuple[ListedFinding, ...]
    after: str | None
    total: int | None = None


class FindingDetail(Struct, frozen=True):
    """One finding, the snooze that mutes it, and every snooze that covers it and has not ended.

    `matches` has what each of these covers, by its id. `control` is what its control says,
    None if that is not known.
    """

    listed: ListedFinding
    snoozes: tuple[Snooze, ...]
    matches: Mapping[str, Matches]
    control: ControlText | None


class OutOfTimeError(Exception):
    """Reading every matching row would take longer than a request may."""


def list_findings(
    inbox: Inbox, wanted: FindingFilter, after: str | None, limit: int
) -> FindingPage:
    """Returns a page of at most `limit` rows. It is shorter if time runs out.

    A list of a node or a title comes worst first, any other in no order.
    """
    now = inbox.clock()
    until = now + PAGE_TIME
    found: list[ListedFinding] = []
    size = max(limit + 1, FETCH) if wanted.rare else limit + 1
    ordered = _order(inbox, wanted)
    total = None if ordered is None or _drops_rows(wanted) else len(ordered.positions)
    for row, last in _read_rows(inbox, wanted, ordered, after, size, now):
        if row is not None:
            if len(found) == limit:
                return FindingPage(add_ages(inbox, found), _get_key(wanted, found[-1]), total)
            found.append(row)
        elif inbox.clock() >= until:
            return FindingPage(add_ages(inbox, found), last, total)
    return FindingPage(add_ages(inbox, found), None, total)


def all_findings(inbox: Inbox, wanted: FindingFilter) -> Iterator[ListedFinding]:
    """Yields every row that matches, without ages; `OutOfTimeError` if that takes too long."""
    now = inbox.clock()
    for row, _ in _read_rows(inbox, wanted, _order(inbox, wanted), None, FETCH * 5, now):
        if row is not None:
            yield row
        elif inbox.clock() >= now + WHOLE_TIME:
            raise OutOfTimeError


def add_ages(inbox: Inbox, rows: Sequence[ListedFinding]) -> tuple[ListedFinding, ...]:
    """Returns the rows with the time when their nodes were last verified.

    Reads the row of each node once, a hundred in a call. Where a finding is fixed or not
    checked any more, that time would say nothing of it.
    """
    checked = {row.finding.instance_id for row in rows if row.is_checked}
    nodes = inbox.nodes.get(checked) if checked else {}
    ages = {name: node.checked_at for name, node in nodes.items()}
    return tuple(
        replace(row, checked_at=ages.get(row.finding.instance_id)) if row.is_checked else row
        for row in rows
    )


def get_finding(inbox: Inbox, wanted_id: str) -> FindingDetail:
    """Returns one finding, or raises `NotFound`."""
    finding = inbox.findings.get([wanted_id]).get(wanted_id)
    if finding is None:
        raise NotFound(
            f"No finding {wanted_id} is stored. It may have been fixed, or it is not checked any "
            "more (state=unchecked)."
        )
    now = inbox.clock()
    covering = [
        snooze
        for snooze in inbox.snoozes.unsettled()
        if snooze.state(now) is not State.ENDED and snooze.covers(finding)
    ]
    covering.sort(key=lambda each: (each.created_at, each.id))
    (row,) = add_ages(inbox, [ListedFinding(finding, Muting(covering, now).of(finding))])
    control = inbox.controls.find(finding.control_id) if finding.control_id else None
    return FindingDetail(row, tuple(covering), count_matches(inbox, covering), control)


def list_finding_history(
    inbox: Inbox, wanted_id: str
) -> tuple[Sequence[HistoryEvent], Sequence[SnoozeLine]]:
    """Returns what happened to a finding, also a fixed one, and to the snoozes of its pair.

    Raises `NotFound` if nothing is known of it.
    """
    stored = inbox.findings.get([wanted_id]).get(wanted_id)
    events = add_beginnings(inbox.archive.events_of(wanted_id), stored)
    now = inbox.clock()
    lines = [
        line
        for snooze in read_pairs(inbox, wanted_id, stored)
        for line in list_history_lines(snooze, inbox.snoozes.events(snooze.id), now)
    ]
    if not events and not lines:
        raise NotFound(f"Nothing is known of a finding {wanted_id}.")
    return events[-MOST_LINES:], lines[-MOST_LINES:]


def _order(inbox: Inbox, wanted: FindingFilter) -> OrderedList | None:
    """Lists a node's or title's findings, worst first; None for other lists.

    A node or a title with few findings takes a query of its index, which reads them.
    Otherwise the lists of all nodes say which there are, as of the last scan.
    """
    if not wanted.is_ordered:
        return None
    scope = Scope(wanted.instance_id, wanted.title, control_id=wanted.control_id)
    pages = [inbox.findings.page(each, None, FETCH) for each in _select(inbox, wanted)]
    if pages and all(len(page) < FETCH for page in pages):
        rows = {each.finding_id: each for page in pages for each in page if scope.matches(each)}
        return OrderedList(sorted(map(_locate, rows.values())), rows)
    places = inbox.inventory().select(scope, None)
    return OrderedList(
        sorted(Position(each.entry.severity.rank, each.entry.key.hex()) for each in places)
    )


def _select(inbox: Inbox, wanted: FindingFilter) -> Sequence[Selection]:
    """Returns what indexes can select of it: a node, or the title as nodes write it.

    Nothing if that would be long.
    """
    if wanted.instance_id is not None:
        return [Selection(wanted.instance_id)]
    if wanted.title is None or Scope(title=wanted.title).is_prefix:
        return []
    inventory = inbox.inventory()
    written = inventory.list_titles(match_key(wanted.title))
    places = (inventory.by_title.get(title_reference(each), ()) for each in written)
    if any(len(each) >= FETCH for each in places):
        return []
    # one that is not known any more may still be open
    return [Selection(title=each) for each in written or [wanted.title]]


def _locate(finding: Finding) -> Position:
    return Position(finding.severity.rank, finding.finding_id)


def _drops_rows(wanted: FindingFilter) -> bool:
    """Whether a filter drops rows of a list in order."""
    return any((wanted.severity, wanted.state, wanted.q, wanted.first_seen_after))


def _read_rows(
    inbox: Inbox,
    wanted: FindingFilter,
    ordered: OrderedList | None,
    after: str | None,
    size: int,
    now: datetime,
) -> Iterator[tuple[ListedFinding | None, str | None]]:
    """Yields matching rows, and after each batch None with the key of its last row."""
    muting = Muting(inbox.snoozes.unsettled(), now)
    while True:
        batch, last = _read_batch(inbox, wanted, ordered, after, size)
        for row in _list(batch, muting):
            if wanted.matches(row):
                yield row, None
        if last is None:
            return
        after = last
        yield None, after


def _list(
    batch: Iterable[Finding] | Iterable[UncheckedFinding], muting: Muting
) -> Iterator[ListedFinding]:
    for each in batch:
        if isinstance(each, UncheckedFinding):
            yield from list_unchecked([each], muting)
        else:
            yield from list_with_snoozes([each], muting, {})


def _read_batch(
    inbox: Inbox,
    wanted: FindingFilter,
    ordered: OrderedList | None,
    after: str | None,
    size: int,
) -> tuple[Sequence[Finding] | Sequence[UncheckedFinding], str | None]:
    """Reads the rows after a key. Returns them and the last key, None at the end."""
    if ordered is not None:
        positions = ordered.positions
        begin = 0 if after is None else bisect_right(positions, Position.read(after))
        part = positions[begin : begin + size]
        stored = ordered.rows or inbox.findings.get([each.finding_id for each in part])
        rows = [stored[each.finding_id] for each in part if each.finding_id in stored]
        return rows, str(part[-1]) if len(positions) > begin + size else None
    if wanted.state == UNCHECKED:
        instance_id, _, finding_id = (after or "").partition("#")
        key = UncheckedKey(instance_id, finding_id) if after else None
        unchecked = inbox.unchecked.page(wanted.selection, key, size)
        return unchecked, _end_of(unchecked, size, _get_unchecked_key)
    found = inbox.findings.page(Selection(), after, size)
    return found, _end_of(found, size, lambda each: each.finding_id)


def _end_of(rows: Sequence[T], size: int, get_key: Callable[[T], str]) -> str | None:
    """Returns the key of the last row if further ones may follow it."""
    return None if len(rows) < size else get_key(rows[-1])


def _get_unchecked_key(unchecked: UncheckedFinding) -> str:
    """Returns a key. An instance id has no `#`."""
    return f"{unchecked.finding.instance_id}#{unchecked.finding.finding_id}"


def _get_key(wanted: FindingFilter, row: ListedFinding) -> str:
    """Returns the key of a row in the list that it is from."""
    if row.unchecked_since:
        return f"{row.finding.instance_id}#{row.finding.finding_id}"
    return str(_locate(row.finding)) if wanted.is_ordered else row.finding.finding_id
