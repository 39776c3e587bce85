"""The shapes of answers, as the specification shows them."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from chalicelib.domain.finding import Severity
from chalicelib.domain.history import HistoryEvent
from chalicelib.domain.node import Node
from chalicelib.domain.scan import ScanRecord
from chalicelib.domain.snooze import ListedFinding, Reason, Snooze, State
from chalicelib.usecases.inbox.findings import FindingDetail
from chalicelib.usecases.inbox.overview import DeliveryState, Summary
from chalicelib.usecases.inbox.snooze_history import SERVICE, SnoozeLine
from chalicelib.usecases.inbox.snoozes import SnoozePreview


class SnoozeResponse(msgspec.Struct, frozen=True):
    """A snooze; ends_at null is for ever."""

    id: str
    instance_id: str | None
    title: str | None
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


class SnoozedBy(msgspec.Struct, frozen=True):
    """The snooze that mutes a finding longest."""

    id: str
    ends_at: datetime | None
    reason: Reason
    created_by: str


class FindingResponse(msgspec.Struct, frozen=True):
    """A finding."""

    finding_id: str
    instance_id: str
    title: str
    severity: Severity
    control_id: str
    first_seen: datetime
    scan_id: str
    state: str
    snoozed_by: SnoozedBy | None


class FindingDetailResponse(FindingResponse, frozen=True):
    """A finding with every snooze that is about it and has not ended."""

    snoozes: list[SnoozeResponse]


class FindingList(msgspec.Struct, frozen=True):
    """A page of findings; next is the cursor of the page after it, null at the end."""

    items: list[FindingResponse]
    next: str | None


class SnoozeList(msgspec.Struct, frozen=True):
    """A page of snoozes, newest first."""

    items: list[SnoozeResponse]
    next: str | None


class SnoozePreviewResponse(msgspec.Struct, frozen=True):
    """What a rule would mute now."""

    total: int
    by_severity: dict[Severity, int]
    sample: list[FindingResponse]


class EventResponse(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of a history: when, what, by whom, by which way."""

    at: datetime
    kind: str
    by: str
    via: str
    scan_id: str | None = None
    snooze_id: str | None = None
    ends_at: datetime | None = None
    reason: str | None = None
    comment: str | None = None


class EventList(msgspec.Struct, frozen=True):
    """A history, oldest first."""

    items: list[EventResponse]


class ExecutionResponse(msgspec.Struct, frozen=True):
    """What was last read and verified of a compliance type."""

    execution_id: str
    executed_at: datetime
    count: int


class NodeResponse(msgspec.Struct, frozen=True):
    """A node: what was last read of it, its open findings, whether it is in doubt."""

    instance_id: str
    executions: dict[str, ExecutionResponse]
    open: dict[Severity, int]
    missing_since: datetime | None
    unverified_since: datetime | None


class NodeList(msgspec.Struct, frozen=True):
    """A page of nodes."""

    items: list[NodeResponse]
    next: str | None


class ScanResponse(msgspec.Struct, frozen=True):
    """A pass in numbers, and how far its message has come."""

    scan_id: str
    at: datetime
    finished_at: datetime
    findings_new: int
    findings_fixed: int
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
    """A page of passes, newest first."""

    items: list[ScanResponse]
    next: str | None


class SummaryResponse(msgspec.Struct, frozen=True):
    """Totals; open counts snoozed findings too."""

    open: dict[Severity, int]
    nodes_known: int
    nodes_missing: int
    nodes_unverified: int
    snoozes: dict[State, int]
    messages_pending: int
    last_scan_id: str | None
    last_scan_at: datetime | None


class Health(msgspec.Struct, frozen=True):
    """The service runs."""

    status: str


def snooze_response(snooze: Snooze, now: datetime) -> SnoozeResponse:
    """A snooze with its state as of now."""
    return msgspec.convert({**_fields(snooze), "state": snooze.state(now)}, SnoozeResponse)


def finding_response(row: ListedFinding) -> FindingResponse:
    """A finding with what mutes it."""
    return msgspec.convert(_finding(row), FindingResponse)


def detail_response(detail: FindingDetail, now: datetime) -> FindingDetailResponse:
    """A finding with all its snoozes."""
    snoozes = [snooze_response(each, now) for each in detail.snoozes]
    return msgspec.convert({**_finding(detail.listed), "snoozes": snoozes}, FindingDetailResponse)


def preview_response(muted: SnoozePreview) -> SnoozePreviewResponse:
    """The result of a dry run."""
    return SnoozePreviewResponse(
        total=sum(muted.by_severity.values()),
        by_severity=muted.by_severity,
        sample=[finding_response(ListedFinding(each, None)) for each in muted.sample],
    )


def history_response(events: Sequence[HistoryEvent], lines: Sequence[SnoozeLine]) -> EventList:
    """Events of a finding and of snoozes in one history."""
    told = [
        EventResponse(each.at, each.kind, SERVICE, "scan", scan_id=each.scan_id) for each in events
    ]
    told += [
        EventResponse(
            each.at,
            f"snooze {each.kind}",
            each.by,
            each.via,
            snooze_id=each.snooze_id,
            ends_at=each.ends_at,
            reason=each.reason,
            comment=each.comment,
        )
        for each in lines
    ]
    return EventList(sorted(told, key=lambda each: each.at))


def node_response(node: Node) -> NodeResponse:
    """A node."""
    return NodeResponse(
        instance_id=node.instance_id,
        executions={
            name: ExecutionResponse(run.execution_id, run.executed_at, run.count)
            for name, run in node.executions.items()
        },
        open=dict(node.severities),
        missing_since=node.missing_since,
        unverified_since=node.unverified_since,
    )


def scan_response(scan: ScanRecord, delivery: DeliveryState) -> ScanResponse:
    """A pass and its delivery."""
    return msgspec.convert({**_fields(scan), "delivery": delivery}, ScanResponse)


def summary_response(summary: Summary) -> SummaryResponse:
    """The totals."""
    last = summary.last_scan
    return SummaryResponse(
        open=dict(summary.open),
        nodes_known=summary.nodes_known,
        nodes_missing=summary.nodes_missing,
        nodes_unverified=summary.nodes_unverified,
        snoozes=dict(summary.snoozes),
        messages_pending=summary.messages_pending,
        last_scan_id=last.scan_id if last else None,
        last_scan_at=last.at if last else None,
    )


def _finding(row: ListedFinding) -> Mapping[str, object]:
    snooze = row.snooze
    return {
        **_fields(row.finding),
        "finding_id": row.finding.finding_id,
        "state": row.state,
        "snoozed_by": snooze and SnoozedBy(snooze.id, snooze.end, snooze.reason, snooze.created_by),
    }


def _fields(value: object) -> Mapping[str, object]:
    """The fields of a domain value by name."""
    return {name: getattr(value, name) for name in value.__dataclass_fields__}  # type: ignore[attr-defined]
