"""Values to store. Their times lie ahead: DynamoDB Local really removes what has expired."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from chalicelib.domain.announcement import Topic
from chalicelib.domain.finding import Finding, Severity
from chalicelib.domain.history import EventKind, FieldChange, SnoozeEvent, SnoozeEventKind
from chalicelib.domain.message import CsvFile, Message, Source
from chalicelib.domain.monthly import MonthlyReport
from chalicelib.domain.scan import Job, JobKind, ScanRecord
from chalicelib.domain.snooze import Reason, Snooze
from chalicelib.domain.summary import (
    AlertSummary,
    CoverageSummary,
    EndedSnooze,
    JobSummary,
    NamedNodes,
    TitleSummary,
    UnverifiedNodes,
    VanishedTitle,
)

NOW = datetime(2040, 2, 29, 23, 59, 59, 123456, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def make_finding(number: int, *, node: str = "i-0123456789abcdef0", title: str = "") -> Finding:
    return Finding(
        instance_id=node,
        title=title or f"control {number}",
        severity=Severity.HIGH,
        control_id=f"control-{number}",
        first_seen=NOW,
        scan_id="scan-1",
    )


def make_job(key: str, *, minutes: int = 0) -> Job:
    return Job(
        key=key,
        kind=JobKind.EXECUTION,
        event_at=NOW,
        enqueued_at=NOW + minutes * MINUTE,
        association_id="6e37940a-23ba-4ab0-9b96-5d0a1a05464f",
        status="Success",
        executed_at=NOW - MINUTE,
        nodes={"Success": 3, "Failed": 1},
    )


# The steps of a message with a file.
POST, FILE, STORE = "chat.post", "chat.file", "bucket.store"

ALERT = AlertSummary(
    topic=Topic.NEW,
    scan_id="scan-1",
    at=NOW,
    coverage=CoverageSummary(
        known=9,
        deferred=1,
        missing=2,
        braked=True,
        gone=3,
        untitled=4,
        unverified=(UnverifiedNodes("No check ran", NamedNodes(2, ("i-1",))),),
        unverified_nodes=2,
        unchecked=4,
        unchecked_nodes=2,
        unchecked_since=NOW,
    ),
    new={Severity.HIGH: 2},
    announced={Severity.HIGH: 2, Severity.LOW: 1},
    open={Severity.UNSPECIFIED: 7},
    worse={Severity.LOW: 1},
    changes={EventKind.FIXED: 1, EventKind.GONE: 2},
    muted=3,
    titles=(TitleSummary("é <&> \x00\n", Severity.HIGH, 2, "i-1"),),
    title_count=5,
    vanished=(VanishedTitle(EventKind.UNCHECKED, TitleSummary("t", Severity.LOW, 1, "i-1")),),
    vanished_count=9,
    alternating=NamedNodes(1, ("i-9",)),
    snoozes=(
        EndedSnooze(None, 2, 2, "i-1", NOW, "oncall", "other", ""),
        EndedSnooze("title", 1, 1, "i-2", None, "", "maintenance", "ticket"),
    ),
    more_snoozed=8,
    jobs=(JobSummary("a-1", "Success", 3, 4),),
    job_count=6,
    reported=3,
    without_result=NamedNodes(11, ("i-3",)),
    last_alert_at=NOW,
    recovered=True,
    csv_key="alerts/1.csv",
)
MONTH = MonthlyReport(
    at=NOW,
    by_severity={Severity.LOW: 1},
    affected_nodes=1,
    known_nodes=2,
    stale_nodes=3,
    oldest=make_finding(1),
    snoozed=4,
    ending_soon=5,
    csv_key="monthly/1.csv",
)


def make_message(number: int, *, minutes: int = 0, csv: bool = True) -> Message:
    return Message(
        id=f"message-{number}",
        created_at=NOW + minutes * MINUTE,
        alert=ALERT,
        files=(CsvFile(f"alerts/{number}.csv", "Findings", Source.SCANS),) if csv else (),
        scan_ids=("scan-1", "scan-2"),
        snooze_ids=("snooze-1",),
        steps=(POST, FILE, STORE) if csv else (POST,),
    )


def make_snooze(number: int) -> Snooze:
    return Snooze(
        id=f"snooze-{number}",
        instance_id="i-0123456789abcdef0",
        title=f"control {number}",
        starts_at=NOW,
        ends_at=NOW + 10 * MINUTE,
        until_resolved=True,
        reason=Reason.FIX_SCHEDULED,
        comment="",
        created_by="oncall",
        created_via="api",
        created_at=NOW,
    )


def make_snooze_event(
    about: Snooze,
    kind: SnoozeEventKind = SnoozeEventKind.CREATED,
    *,
    minutes: int = 0,
    changes: Mapping[str, FieldChange] | None = None,
) -> SnoozeEvent:
    return SnoozeEvent(
        snooze_id=about.id,
        at=NOW + minutes * MINUTE,
        kind=kind,
        by="oncall",
        via="api",
        version=about.version,
        ends_at=about.ends_at,
        reason=about.reason.value,
        comment=about.comment,
        changes=changes or {},
    )


def make_scan_record(number: int) -> ScanRecord:
    return ScanRecord(
        scan_id=f"scan-{number:03}",
        at=NOW,
        finished_at=NOW + MINUTE,
        findings_new=1,
        findings_fixed=2,
        findings_gone=3,
        open={Severity.HIGH: 3, Severity.UNSPECIFIED: 4},
        nodes_known=5,
        nodes_listed=6,
        nodes_read=7,
        nodes_deferred=8,
        nodes_unverified=9,
        nodes_missing=10,
        nodes_gone=11,
        braked=True,
        untitled_items=12,
        message_id=f"message-{number}",
    )
