"""How domain values become the shapes of answers."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from chalicelib.domain.history import HistoryEvent
from chalicelib.domain.monthly import ListedFinding
from chalicelib.domain.node import Node
from chalicelib.domain.scan_record import ScanRecord
from chalicelib.domain.snooze import Snooze
from chalicelib.entrypoints.api_shapes import (
    EventList,
    EventResponse,
    ExecutionResponse,
    FindingDetailResponse,
    FindingResponse,
    NodeResponse,
    ScanResponse,
    SnoozedBy,
    SnoozePreviewResponse,
    SnoozeResponse,
    SummaryResponse,
)
from chalicelib.usecases.findings import FindingDetail
from chalicelib.usecases.overview import DeliveryState, Summary
from chalicelib.usecases.snooze_history import SERVICE, SnoozeLine
from chalicelib.usecases.snoozes import SnoozePreview


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
