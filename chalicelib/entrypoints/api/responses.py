"""Response bodies: each type beside the function that builds it from domain values."""

from collections.abc import Sequence
from datetime import date, datetime

import msgspec
from msgspec.structs import asdict

from chalicelib.domain.control import ControlText
from chalicelib.domain.finding import Severity
from chalicelib.domain.history import AWAY, BACK, EventKind, HistoryEvent
from chalicelib.domain.node import Node
from chalicelib.domain.scan import Day, ScanRecord
from chalicelib.domain.snooze import ListedFinding, Reason, Snooze, State
from chalicelib.usecases.inbox.bulk import BulkResult, Result
from chalicelib.usecases.inbox.findings import FindingDetail
from chalicelib.usecases.inbox.overview import DeliveryState, Summary
from chalicelib.usecases.inbox.snooze_history import SERVICE, SnoozeLine
from chalicelib.usecases.inbox.snoozes import SnoozePreview
from chalicelib.usecases.inventory import Matches, TitleGroup


class MatchesResponse(msgspec.Struct, frozen=True):
    """The open findings that a snooze covers now. note says what to do if there are none."""

    total: int
    by_severity: dict[Severity, int]
    note: str | None


def build_matches_response(matches: Matches) -> MatchesResponse:
    """Returns counts, and in words that there is nothing to count."""
    note = None
    if not matches.total:
        near = f" The nearest is: {matches.nearest}" if matches.nearest else ""
        if matches.elsewhere:
            finding = "finding does" if matches.elsewhere == 1 else "findings do"
            near += f" {matches.elsewhere:,} {finding} with another instance, control or severity."
        note = f"No open finding matches now.{near}"
    return MatchesResponse(matches.total, matches.by_severity, note)


class SnoozeResponse(msgspec.Struct, frozen=True):
    """A snooze. If ends_at is null it has no end. max_severity is the worst it mutes, null: any."""

    id: str
    instance_id: str | None
    title: str | None
    title_pattern: str | None
    control_id: str | None
    max_severity: Severity | None
    state: State
    starts_at: datetime
    ends_at: datetime | None
    until_resolved: bool
    reason: Reason
    comment: str
    created_by: str
    created_via: str
    created_at: datetime
    ended_at: datetime | None
    settled_at: datetime | None
    version: int
    matches: MatchesResponse


class SnoozeList(msgspec.Struct, frozen=True):
    """A page of snoozes, newest first. next is the cursor of the next page, null at the end."""

    items: list[SnoozeResponse]
    next: str | None


def build_snooze_response(snooze: Snooze, matches: Matches, now: datetime) -> SnoozeResponse:
    """Returns a snooze with its state as of now, and what it matches."""
    content = {
        **asdict(snooze),
        "state": snooze.state(now),
        "matches": build_matches_response(matches),
    }
    return msgspec.convert(content, SnoozeResponse)


class SnoozeResult(msgspec.Struct, frozen=True):
    """What a call for many did with one finding, and the snooze that it has."""

    finding_id: str
    result: Result
    snooze_id: str | None


class SnoozeResults(msgspec.Struct, frozen=True):
    """What a call for many did, in the order of the ids."""

    items: list[SnoozeResult]


def build_snooze_results(results: Sequence[BulkResult]) -> SnoozeResults:
    """Returns one result for each id."""
    return SnoozeResults(
        [SnoozeResult(each.finding_id, each.result, each.snooze_id) for each in results]
    )


class SnoozedBy(msgspec.Struct, frozen=True):
    """The snooze that mutes a finding longest."""

    id: str
    ends_at: datetime | None
    reason: Reason
    created_by: str


class FindingResponse(msgspec.Struct, frozen=True):
    """A finding.

    checked_at is when its node was last verified, null if that is not known or did not
    check the finding. unchecked_since is null unless it is not checked any more, fixed_at
    unless it was fixed.
    """

    finding_id: str
    instance_id: str
    title: str
    severity: Severity
    control_id: str
    first_seen: datetime
    scan_id: str
    state: str
    snoozed_by: SnoozedBy | None
    checked_at: datetime | None
    unchecked_since: datetime | None
    fixed_at: datetime | None


class FindingList(msgspec.Struct, frozen=True):
    """A page of findings. next is the cursor of the next page, null at the end.

    total is the number of findings of all pages, null if that is not known.
    """

    items: list[FindingResponse]
    next: str | None
    total: int | None


def build_finding_response(row: ListedFinding) -> FindingResponse:
    """Returns a finding with the snooze that mutes it."""
    return msgspec.convert(_list_finding_fields(row), FindingResponse)


class FindingDetailResponse(FindingResponse, frozen=True):
    """A finding with every snooze that covers it and has not ended.

    description is what its control asks, fix how to mend the node; null if that is not known.
    """

    snoozes: list[SnoozeResponse]
    description: str | None
    fix: str | None


def build_detail_response(detail: FindingDetail, now: datetime) -> FindingDetailResponse:
    """Returns a finding with its snoozes as of now."""
    snoozes = [build_snooze_response(each, detail.matches[each.id], now) for each in detail.snoozes]
    control = detail.control or ControlText()
    content = {
        **_list_finding_fields(detail.listed),
        "snoozes": snoozes,
        "description": control.description or None,
        "fix": control.fix or None,
    }
    return msgspec.convert(content, FindingDetailResponse)


class SnoozePreviewResponse(MatchesResponse, frozen=True):
    """What a rule would mute now, and a sample, worst first."""

    sample: list[FindingResponse]


def build_preview_response(preview: SnoozePreview) -> SnoozePreviewResponse:
    """Returns the result of a dry run."""
    matches = build_matches_response(preview.matches)
    return SnoozePreviewResponse(
        **asdict(matches),
        sample=[build_finding_response(each) for each in preview.sample],
    )


class ChangeResponse(msgspec.Struct, frozen=True):
    """A field before and after a change. Times are ISO 8601 text."""

    before: str | int | bool | None
    after: str | int | bool | None


class EventResponse(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of a history: when, what, by whom, by which way.

    `changes` has each field that a change of a snooze changed.
    """

    at: datetime
    kind: str
    by: str
    via: str
    scan_id: str | None = None
    snooze_id: str | None = None
    ends_at: datetime | None = None
    reason: str | None = None
    comment: str | None = None
    changes: dict[str, ChangeResponse] | None = None


class EventList(msgspec.Struct, frozen=True):
    """A history, oldest first."""

    items: list[EventResponse]


def build_history_response(
    events: Sequence[HistoryEvent], lines: Sequence[SnoozeLine]
) -> EventList:
    """Merges the events of a finding and of snoozes into one history."""
    history = [
        EventResponse(each.at, each.kind, SERVICE, "scan", scan_id=each.scan_id or None)
        for each in events
    ]
    history += map(_build_snooze_event, lines)
    return EventList(sorted(history, key=lambda each: each.at))


def _build_snooze_event(line: SnoozeLine) -> EventResponse:
    changes = {name: ChangeResponse(each.before, each.after) for name, each in line.changes.items()}
    fields = {**asdict(line), "kind": f"snooze {line.kind}", "changes": changes or None}
    return msgspec.convert(fields, EventResponse)


class ExecutionResponse(msgspec.Struct, frozen=True):
    """The last verified execution of a compliance type."""

    execution_id: str
    executed_at: datetime
    count: int


class NodeResponse(msgspec.Struct, frozen=True):
    """A node: its last verified executions, the oldest of them, and its open findings.

    unchecked counts findings that are not checked any more, since unchecked_since.
    """

    instance_id: str
    executions: dict[str, ExecutionResponse]
    open: dict[Severity, int]
    unchecked: int
    unchecked_since: datetime | None
    missing_since: datetime | None
    unverified_since: datetime | None
    checked_at: datetime | None


class NodeList(msgspec.Struct, frozen=True):
    """A page of nodes. next is the cursor of the next page, null at the end."""

    items: list[NodeResponse]
    next: str | None


def build_node_response(node: Node) -> NodeResponse:
    """Returns a node."""
    content = {**asdict(node), "open": node.severities, "checked_at": node.checked_at}
    return msgspec.convert(content, NodeResponse, from_attributes=True)


class ScanResponse(msgspec.Struct, frozen=True):
    """A scan in numbers, and the delivery of its message."""

    scan_id: str
    at: datetime
    finished_at: datetime
    findings_new: int
    findings_worse: int
    findings_reworded: int
    findings_fixed: int
    findings_unchecked: int
    findings_checked_again: int
    findings_gone: int
    open: dict[Severity, int]
    nodes_known: int
    nodes_listed: int
    nodes_read: int
    nodes_deferred: int
    nodes_unverified: int
    nodes_missing: int
    nodes_gone: int
    braked: bool
    untitled_items: int
    message_id: str | None
    delivery: DeliveryState


class ScanList(msgspec.Struct, frozen=True):
    """A page of scans, newest first. next is the cursor of the next page, null at the end."""

    items: list[ScanResponse]
    next: str | None


def build_scan_response(scan: ScanRecord, delivery: DeliveryState) -> ScanResponse:
    """Returns a scan with its delivery."""
    return msgspec.convert({**asdict(scan), "delivery": delivery}, ScanResponse)


class TitleResponse(msgspec.Struct, frozen=True):
    """A title over the fleet: its worst severity, and how many findings of it there are.

    nodes counts those on which it is open, snoozed those of them that a snooze mutes.
    """

    title: str
    control_id: str
    severity: Severity
    open: dict[Severity, int]
    nodes: int
    snoozed: int
    unchecked: int


class TitleList(msgspec.Struct, frozen=True):
    """A page of titles, worst first. next is the cursor of the next page, null at the end.

    total is the number of titles of all pages.
    """

    items: list[TitleResponse]
    next: str | None
    total: int


def build_title_response(group: TitleGroup, snoozed: int) -> TitleResponse:
    """Returns a title with the number of its findings that a snooze mutes."""
    return msgspec.convert({**asdict(group), "snoozed": snoozed}, TitleResponse)


class CallerResponse(msgspec.Struct, frozen=True):
    """Who calls, and what the caller may do. role is null if API_AUTH is iam."""

    name: str
    role: str | None
    longest_snooze_days: int
    allow_permanent_snooze: bool


class SummaryResponse(msgspec.Struct, frozen=True):
    """Totals. open includes snoozed findings, and not those that are not checked any more.

    permanent, ending_soon (within 14 days) and by_person count snoozes that have not ended.
    """

    open: dict[Severity, int]
    snoozed: int
    unchecked: int
    nodes_known: int
    nodes_missing: int
    nodes_unverified: int
    snoozes: dict[State, int]
    permanent: int
    ending_soon: int
    by_person: dict[str, int]
    messages_pending: int
    last_scan_id: str | None
    last_scan_at: datetime | None


def build_summary_response(summary: Summary) -> SummaryResponse:
    """Returns the totals."""
    last = summary.last_scan
    scan = {"last_scan_id": last and last.scan_id, "last_scan_at": last and last.at}
    return msgspec.convert({**asdict(summary), **scan}, SummaryResponse)


class DayResponse(msgspec.Struct, frozen=True):
    """A day (UTC) in numbers: what scans did on it, and what its last scan left.

    open includes snoozed findings; snoozed is null while it is not known. nodes_reported
    counts the nodes that gave a result on this day. fixed_median_age_days is how long the
    findings that were fixed had been known, null if none was.
    """

    day: date
    open: dict[Severity, int]
    snoozed: int | None
    unchecked: int
    findings_new: int
    findings_worse: int
    findings_reworded: int
    findings_fixed: int
    findings_unchecked: int
    findings_checked_again: int
    findings_gone: int
    fixed_median_age_days: float | None
    nodes_known: int
    nodes_reported: int


class TrendList(msgspec.Struct, frozen=True):
    """Days, oldest first. The last one may not be over. A day on which no scan ended is absent."""

    items: list[DayResponse]


def build_trends_response(days: Sequence[Day]) -> TrendList:
    """Returns days in numbers."""
    return TrendList([_build_day(each) for each in days])


def _build_day(day: Day) -> DayResponse:
    content = {
        **asdict(day),
        "snoozed": day.muted and day.muted.findings,
        "findings_new": day.count(EventKind.NEW),
        "findings_worse": day.count(EventKind.WORSE),
        "findings_reworded": day.count(EventKind.REWORDED),
        "findings_fixed": day.count(EventKind.FIXED),
        "findings_unchecked": day.count(*AWAY),
        "findings_checked_again": day.count(*BACK),
        "findings_gone": day.count(EventKind.GONE),
        "fixed_median_age_days": day.median_age,
    }
    return msgspec.convert(content, DayResponse)


def _list_finding_fields(row: ListedFinding) -> dict[str, object]:
    snooze = row.snooze
    return {
        **asdict(row.finding),
        "finding_id": row.finding.finding_id,
        "state": row.state,
        "checked_at": row.checked_at,
        "unchecked_since": row.unchecked_since,
        "fixed_at": row.fixed_at,
        "snoozed_by": snooze and SnoozedBy(snooze.id, snooze.end, snooze.reason, snooze.created_by),
    }
