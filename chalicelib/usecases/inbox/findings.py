"""Findings, looked up by people and programs: lists, one finding, its history."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from chalicelib.domain.errors import NotFound
from chalicelib.domain.finding import Severity
from chalicelib.domain.history import HistoryEvent, add_beginnings
from chalicelib.domain.snooze import (
    ListedFinding,
    Muting,
    Snooze,
    State,
    list_unchecked,
    list_with_snoozes,
)
from chalicelib.usecases.context import Inbox
from chalicelib.usecases.inbox.snooze_history import MOST_LINES, SnoozeLine, list_history_lines
from chalicelib.usecases.inventory import Matches, count_matches
from chalicelib.usecases.ports import Selection, UncheckedKey

# A page stops looking for rows that match a rare filter after this time.
PAGE_TIME = timedelta(seconds=10)
# A list in one response must end after this time: API Gateway stops at 29 s.
WHOLE_TIME = timedelta(seconds=20)
# Rows read in one call if a filter may drop most of them.
FETCH = 200
# The state of a finding that is not checked any more and is remembered.
UNCHECKED = "unchecked"


class FindingFilter(Struct, frozen=True):
    """Which findings to list.

    `state` is `open`, `snoozed` or `unchecked`; without it, findings that are not checked any
    more are left out. `q` is a part of the title or instance id, ignoring case.
    """

    instance_id: str | None = None
    title: str | None = None
    severity: Severity | None = None
    control_id: str | None = None
    state: str | None = None
    q: str | None = None

    @property
    def selection(self) -> Selection:
        """What an index can select; `matches` checks a title beside an instance."""
        return Selection(self.instance_id, None if self.instance_id else self.title)

    @property
    def rare(self) -> bool:
        """Whether rows of the selection may be dropped."""
        pair = self.instance_id is not None and self.title is not None
        return pair or any((self.severity, self.control_id is not None, self.state, self.q))

    def matches(self, row: ListedFinding) -> bool:
        """Whether to list a row."""
        finding = row.finding
        return (
            self.title in (None, finding.title)
            and self.severity in (None, finding.severity)
            and self.control_id in (None, finding.control_id)
            and self.state in (None, row.state)
            and (
                self.q is None
                or self.q.casefold() in finding.title.casefold()
                or self.q.casefold() in finding.instance_id.casefold()
            )
        )


class FindingPage(Struct, frozen=True):
    """Rows of a list, and the key to continue after; None at the end."""

    rows: tuple[ListedFinding, ...]
    after: str | None


class FindingDetail(Struct, frozen=True):
    """One finding, the snooze that mutes it, and every snooze that covers it and has not ended.

    `matches` has what each of these covers, by its id.
    """

    listed: ListedFinding
    snoozes: tuple[Snooze, ...]
    matches: Mapping[str, Matches]


class OutOfTimeError(Exception):
    """Reading every matching row would take longer than a request may."""


def list_findings(
    inbox: Inbox, wanted: FindingFilter, after: str | None, limit: int
) -> FindingPage:
    """Returns a page of at most `limit` rows. It is shorter if time runs out."""
    now = inbox.clock()
    until = now + PAGE_TIME
    rows: list[ListedFinding] = []
    size = max(limit + 1, FETCH) if wanted.rare else limit + 1
    for row, last in _read_rows(inbox, wanted, after, size, now):
        if row is not None:
            if len(rows) == limit:
                return FindingPage(add_ages(inbox, rows), _get_key(rows[-1]))
            rows.append(row)
        elif inbox.clock() >= until:
            return FindingPage(add_ages(inbox, rows), last)
    return FindingPage(add_ages(inbox, rows), None)


def all_findings(inbox: Inbox, wanted: FindingFilter) -> Iterator[ListedFinding]:
    """Yields every row that matches, without ages; `OutOfTimeError` if that takes too long."""
    now = inbox.clock()
    for row, _ in _read_rows(inbox, wanted, None, FETCH * 5, now):
        if row is not None:
            yield row
        elif inbox.clock() >= now + WHOLE_TIME:
            raise OutOfTimeError


def add_ages(inbox: Inbox, rows: Sequence[ListedFinding]) -> tuple[ListedFinding, ...]:
    """Returns the rows with the time when their nodes were last verified.

    Reads the row of each node once, a hundred in a call. Where a finding is not
    checked any more, that time would say nothing of it.
    """
    checked = {row.finding.instance_id for row in rows if row.unchecked_since is None}
    nodes = inbox.nodes.get(checked) if checked else {}
    ages = {name: node.checked_at for name, node in nodes.items()}
    return tuple(
        row if row.unchecked_since else replace(row, checked_at=ages.get(row.finding.instance_id))
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
    return FindingDetail(row, tuple(covering), count_matches(inbox, covering))


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
        for snooze in inbox.snoozes.about([wanted_id])
        if snooze.scope.is_pair
        for line in list_history_lines(snooze, inbox.snoozes.events(snooze.id), now)
    ]
    if not events and not lines:
        raise NotFound(f"Nothing is known of a finding {wanted_id}.")
    return events[-MOST_LINES:], lines[-MOST_LINES:]


def _read_rows(
    inbox: Inbox, wanted: FindingFilter, after: str | None, size: int, now: datetime
) -> Iterator[tuple[ListedFinding | None, str | None]]:
    """Yields matching rows, and after each batch None with the key of its last row."""
    muting = Muting(inbox.snoozes.unsettled(), now)
    while True:
        batch = _read_batch(inbox, wanted, after, size, muting)
        for row in batch:
            if wanted.matches(row):
                yield row, None
        if len(batch) < size:
            return
        after = _get_key(batch[-1])
        yield None, after


def _read_batch(
    inbox: Inbox, wanted: FindingFilter, after: str | None, size: int, muting: Muting
) -> tuple[ListedFinding, ...]:
    """Reads the rows after a key, from the table of open findings or from what is remembered."""
    if wanted.state == UNCHECKED:
        key = UncheckedKey(*after.split("#", 1)) if after else None
        return tuple(list_unchecked(inbox.unchecked.page(wanted.selection, key, size), muting))
    return tuple(list_with_snoozes(inbox.findings.page(wanted.selection, after, size), muting, {}))


def _get_key(row: ListedFinding) -> str:
    """Returns the key of a row in the list that it is from. An instance id has no `#`."""
    finding_id = row.finding.finding_id
    return f"{row.finding.instance_id}#{finding_id}" if row.unchecked_since else finding_id
