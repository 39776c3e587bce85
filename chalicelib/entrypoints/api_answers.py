"""The shapes of answers, and how domain values become them."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from chalicelib.domain.finding import Severity
from chalicelib.domain.history import HistoryEvent
from chalicelib.domain.monthly import Listed
from chalicelib.domain.node import Node
from chalicelib.domain.scan_record import ScanRecord
from chalicelib.domain.snooze import Reason, Snooze, State
from chalicelib.usecases.findings import FindingDetail
from chalicelib.usecases.overview import DeliveryState, Summary
from chalicelib.usecases.snooze_history import SERVICE, SnoozeLine
from chalicelib.usecases.snoozes import Muted


class SnoozeAnswer(msgspec.Struct, frozen=True):
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
    told_at: datetime | None
    version: int


class SnoozedBy(msgspec.Struct, frozen=True):
    """The snooze that mutes a finding longest."""

    id: str
    ends_at: datetime | None
    reason: Reason
    created_by: str


class FindingAnswer(msgspec.Struct, frozen=True):
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


class FindingDetailAnswer(FindingAnswer, frozen=True):
    """A finding with every snooze that is about it and has not ended."""

    snoozes: list[SnoozeAnswer]


class FindingList(msgspec.Struct, frozen=True):
    """A page of findings; next is the cursor of the page after it, null at the end."""

    items: list[FindingAnswer]
    next: str | None


class SnoozeList(msgspec.Struct, frozen=True):
    """A page of snoozes, newest first."""

    items: list[SnoozeAnswer]
    next: str | None


class MutedAnswer(msgspec.Struct, frozen=True):
    """What a rule would mute now."""

    total: int
    by_severity: dict[Severity, int]
    sample: list[FindingAnswer]


class EventAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
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

    items: list[EventAnswer]


class ExecutionAnswer(msgspec.Struct, frozen=True):
    """What was last read and proven of a compliance type."""

    execution_id: str
    executed_at: datetime
    count: int


class NodeAnswer(msgspec.Struct, frozen=True):
    """A node: what was last read of it, its open findings, whether it is in doubt."""

    instance_id: str
    executions: dict[str, ExecutionAnswer]
    open: dict[Severity, int]
    missing_since: datetime | None
    unproven_since: datetime | None


class NodeList(msgspec.Struct, frozen=True):
    """A page of nodes."""

    items: list[NodeAnswer]
    next: str | None


class ScanAnswer(msgspec.Struct, frozen=True):
    """A pass in numbers, and how far its message has come."""

    scan_id: str
    at: datetime
    finished_at: datetime
    opened: int
    resolved: int
    open: dict[Severity, int]
    nodes_known: int
    nodes_listed: int
    nodes_read: int
    nodes_left: int
    nodes_unproven: int
    nodes_missing: int
    nodes_gone: int
    braked: bool
    untitled_items: int
    message_id: str | None
    delivery: DeliveryState


class ScanList(msgspec.Struct, frozen=True):
    """A page of passes, newest first."""

    items: list[ScanAnswer]
    next: str | None


class SummaryAnswer(msgspec.Struct, frozen=True):
    """Totals; open counts snoozed findings too."""

    open: dict[Severity, int]
    nodes_known: int
    nodes_missing: int
    nodes_unproven: int
    snoozes: dict[State, int]
    messages_pending: int
    last_scan_id: str | None
    last_scan_at: datetime | None


class Health(msgspec.Struct, frozen=True):
    """The service runs."""

    status: str


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
