"""Findings as people and programs look them up: lists, one, its history."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.domain.errors import NotFound
from chalicelib.domain.finding import Finding, Severity
from chalicelib.domain.history import HistoryEvent
from chalicelib.domain.monthly import ListedFinding
from chalicelib.domain.snooze import Muting, Snooze, State, candidate_scopes, scope_id
from chalicelib.usecases.inbox import Inbox
from chalicelib.usecases.lookup_ports import Selection
from chalicelib.usecases.snooze_history import MOST_LINES, SnoozeLine, list_history_lines

# A list page looks no longer than this for rows that match a rare filter.
PAGE_TIME = timedelta(seconds=10)
# A list that is answered whole takes no longer; API Gateway ends at 29 s.
WHOLE_TIME = timedelta(seconds=20)
# Rows fetched at once where a filter may drop most of them.
FETCH = 200


@dataclass(frozen=True, slots=True)
class FindingFilter:
    """Which findings are wanted; `state` is `open` or `snoozed`, `q` part of title or instance."""

    instance_id: str | None = None
    title: str | None = None
    severity: Severity | None = None
    control_id: str | None = None
    state: str | None = None
    q: str | None = None

    @property
    def selection(self) -> Selection:
        """What an index can answer; a title beside an instance is left to `matches`."""
        return Selection(self.instance_id, None if self.instance_id else self.title)

    @property
    def rare(self) -> bool:
        """Whether rows that are read may be dropped again."""
        pair = self.instance_id is not None and self.title is not None
        return pair or any((self.severity, self.control_id is not None, self.state, self.q))

    def matches(self, row: ListedFinding) -> bool:
        """Whether a row is wanted."""
        finding = row.finding
        return (
            self.title in (None, finding.title)
            and self.severity in (None, finding.severity)
            and self.control_id in (None, finding.control_id)
            and self.state in (None, row.state)
            and self._found_in(finding)
        )

    def _found_in(self, finding: Finding) -> bool:
        if self.q is None:
            return True
        part = self.q.casefold()
        return part in finding.title.casefold() or part in finding.instance_id.casefold()


@dataclass(frozen=True, slots=True)
class FindingPage:
    """Rows of a list, and the finding id to go on behind; None at the end."""

    rows: tuple[ListedFinding, ...]
    after: str | None


@dataclass(frozen=True, slots=True)
class FindingDetail:
    """One finding, the snooze that mutes it, and every snooze that is about it and not ended."""

    listed: ListedFinding
    snoozes: tuple[Snooze, ...]


def list_findings(
    inbox: Inbox, wanted: FindingFilter, after: str | None, limit: int
) -> FindingPage:
    """A page of at most `limit` rows; shorter where matching rows are rare and time is up."""
    now = inbox.clock()
    until = now + PAGE_TIME
    rows: list[ListedFinding] = []
    size = max(limit + 1, FETCH) if wanted.rare else limit + 1
    for row, last in _rows(inbox, wanted, after, size, now):
        if row is not None:
            if len(rows) == limit:
                return FindingPage(tuple(rows), rows[-1].finding.finding_id)
            rows.append(row)
        elif inbox.clock() >= until:
            return FindingPage(tuple(rows), last)
    return FindingPage(tuple(rows), None)


class OutOfTimeError(Exception):
    """Reading every matching row would take longer than a request may."""


def all_findings(inbox: Inbox, wanted: FindingFilter) -> Iterator[ListedFinding]:
    """Every row that matches, page after page; `OutOfTimeError` where that takes too long."""
    now = inbox.clock()
    for row, _ in _rows(inbox, wanted, None, FETCH * 5, now):
        if row is not None:
            yield row
        elif inbox.clock() >= now + WHOLE_TIME:
            raise OutOfTimeError


def _rows(
    inbox: Inbox, wanted: FindingFilter, after: str | None, size: int, now: datetime
) -> Iterator[tuple[ListedFinding | None, str | None]]:
    """Matching rows, and after each batch None with the id of its last row."""
    muting = Muting(inbox.snoozes.unsettled(), now)
    while True:
        batch = inbox.finding_pages.page(wanted.selection, after, size)
        for finding in batch:
            row = ListedFinding(finding, muting.of(finding))
            if wanted.matches(row):
                yield row, None
        if len(batch) < size:
            return
        after = batch[-1].finding_id
        yield None, after


def get_finding(inbox: Inbox, wanted_id: str) -> FindingDetail:
    """One finding, or `NotFound`."""
    finding = inbox.findings.get([wanted_id]).get(wanted_id)
    if finding is None:
        raise NotFound(f"No finding {wanted_id} is stored. It may have been resolved.")
    now = inbox.clock()
    about = [
        snooze
        for snooze in inbox.snoozes.about(map(scope_id, candidate_scopes(finding)))
        if snooze.state(now) is not State.ENDED
    ]
    about.sort(key=lambda each: (each.created_at, each.id))
    return FindingDetail(ListedFinding(finding, Muting(about, now).of(finding)), tuple(about))


def list_pair_snoozes(inbox: Inbox, wanted_id: str) -> list[Snooze]:
    """The snoozes of the pair that a finding id is made of, ended ones included."""
    found = inbox.snoozes.about([wanted_id])
    return [each for each in found if each.instance_id is not None and each.title is not None]


def list_finding_history(
    inbox: Inbox, wanted_id: str
) -> tuple[Sequence[HistoryEvent], Sequence[SnoozeLine]]:
    """What happened to a finding, resolved ones included, and to the snoozes of its pair.

    `NotFound` where nothing is known of it.
    """
    events = inbox.archive.events_of(wanted_id)
    now = inbox.clock()
    lines = [
        line
        for snooze in list_pair_snoozes(inbox, wanted_id)
        for line in list_history_lines(snooze, inbox.snoozes.events(snooze.id), now)
    ]
    if not events and not lines and wanted_id not in inbox.findings.get([wanted_id]):
        raise NotFound(f"Nothing is known of a finding {wanted_id}.")
    return events[-MOST_LINES:], lines[-MOST_LINES:]
