"""How domain values become the shapes of answers."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from chalicelib.domain.history import HistoryEvent
from chalicelib.domain.monthly import Listed
from chalicelib.domain.node import Node
from chalicelib.domain.scan_record import ScanRecord
from chalicelib.domain.snooze import Snooze
from chalicelib.entrypoints.api_shapes import (
    EventAnswer,
    EventList,
    ExecutionAnswer,
    FindingAnswer,
    FindingDetailAnswer,
    MutedAnswer,
    NodeAnswer,
    ScanAnswer,
    SnoozeAnswer,
    SnoozedBy,
    SummaryAnswer,
)
from chalicelib.usecases.findings import FindingDetail
from chalicelib.usecases.overview import DeliveryState, Summary
from chalicelib.usecases.snooze_history import SERVICE, SnoozeLine
from chalicelib.usecases.snoozes import Muted


def snooze_answer(snooze: Snooze, now: datetime) -> SnoozeAnswer:
    """A snooze with its state as of now."""
    return msgspec.convert({**_fields(snooze), "state": snooze.state(now)}, SnoozeAnswer)


def finding_answer(row: Listed) -> FindingAnswer:
    """A finding with what mutes it."""
    return msgspec.convert(_finding(row), FindingAnswer)


def detail_answer(detail: FindingDetail, now: datetime) -> FindingDetailAnswer:
    """A finding with all its snoozes."""
    snoozes = [snooze_answer(each, now) for each in detail.snoozes]
    return msgspec.convert({**_finding(detail.listed), "snoozes": snoozes}, FindingDetailAnswer)


def muted_answer(muted: Muted) -> MutedAnswer:
    """The result of a dry run."""
    return MutedAnswer(
        total=sum(muted.by_severity.values()),
        by_severity=muted.by_severity,
        sample=[finding_answer(Listed(each, None)) for each in muted.sample],
    )


def history_answer(events: Sequence[HistoryEvent], lines: Sequence[SnoozeLine]) -> EventList:
    """Events of a finding and of snoozes in one history."""
    told = [
        EventAnswer(each.at, each.kind, SERVICE, "scan", scan_id=each.scan_id) for each in events
    ]
    told += [
        EventAnswer(
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


def node_answer(node: Node) -> NodeAnswer:
    """A node."""
    return NodeAnswer(
        instance_id=node.instance_id,
        executions={
            name: ExecutionAnswer(run.execution_id, run.executed_at, run.count)
            for name, run in node.executions.items()
        },
        open=dict(node.severities),
        missing_since=node.missing_since,
        unproven_since=node.unproven_since,
    )


def scan_answer(scan: ScanRecord, delivery: DeliveryState) -> ScanAnswer:
    """A pass and its delivery."""
    return msgspec.convert({**_fields(scan), "delivery": delivery}, ScanAnswer)


def summary_answer(summary: Summary) -> SummaryAnswer:
    """The totals."""
    last = summary.last_scan
    return SummaryAnswer(
        open=dict(summary.open),
        nodes_known=summary.nodes_known,
        nodes_missing=summary.nodes_missing,
        nodes_unproven=summary.nodes_unproven,
        snoozes=dict(summary.snoozes),
        messages_pending=summary.messages_pending,
        last_scan_id=last.scan_id if last else None,
        last_scan_at=last.at if last else None,
    )


def _finding(row: Listed) -> Mapping[str, object]:
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
