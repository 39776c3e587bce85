"""The shapes of answers, as the specification shows them."""

from datetime import datetime

import msgspec

from chalicelib.domain.finding import Severity
from chalicelib.domain.snooze import Reason, State
from chalicelib.usecases.overview import DeliveryState


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
