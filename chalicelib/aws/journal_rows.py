"""History and passes as rows of the ledger.

`FINDING#<finding id>` / `<time>#<kind>` is history, `SCAN` / `<scan id>` a pass.
"""

from datetime import timedelta

from chalicelib.aws.dynamodb_pages import Row
from chalicelib.aws.dynamodb_times import expiry, from_text, to_text
from chalicelib.domain.finding import Severity
from chalicelib.domain.history import EventKind, HistoryEvent
from chalicelib.domain.scan_record import ScanRecord

SCANS = "SCAN"
_HISTORY = "FINDING#"
KEEP_HISTORY = timedelta(days=400)
KEEP_SCANS = timedelta(days=90)


def history_partition(finding_id: str) -> str:
    """The partition key of a finding's history."""
    return f"{_HISTORY}{finding_id}"


def event_row(event: HistoryEvent) -> Row:
    """The row of an event; its key says what happened when, so a repeat is no second line."""
    return {
        "pk": history_partition(event.finding_id),
        "sk": f"{to_text(event.at)}#{event.kind}",
        "at": to_text(event.at),
        "kind": event.kind.value,
        "scan_id": event.scan_id,
        "expires_at": expiry(event.at, KEEP_HISTORY),
    }


def event_of(row: Row) -> HistoryEvent:
    """The event of a row."""
    return HistoryEvent(
        finding_id=row["pk"].removeprefix(_HISTORY),
        at=from_text(row["at"]),
        kind=EventKind(row["kind"]),
        scan_id=row["scan_id"],
    )


def scan_row(scan: ScanRecord) -> Row:
    """The row of a pass."""
    row: Row = {
        "pk": SCANS,
        "sk": scan.scan_id,
        "at": to_text(scan.at),
        "finished_at": to_text(scan.finished_at),
        "findings_new": scan.findings_new,
        "findings_fixed": scan.findings_fixed,
        "findings_gone": scan.findings_gone,
        "open": {severity.value: count for severity, count in scan.open.items()},
        "nodes_known": scan.nodes_known,
        "nodes_listed": scan.nodes_listed,
        "nodes_read": scan.nodes_read,
        "nodes_deferred": scan.nodes_deferred,
        "nodes_unverified": scan.nodes_unverified,
        "nodes_missing": scan.nodes_missing,
        "nodes_gone": scan.nodes_gone,
        "braked": scan.braked,
        "untitled_items": scan.untitled_items,
        "expires_at": expiry(scan.finished_at, KEEP_SCANS),
    }
    if scan.message_id is not None:
        row["message_id"] = scan.message_id
    return row


def scan_of(row: Row) -> ScanRecord:
    """The pass of a row."""
    return ScanRecord(
        scan_id=row["sk"],
        at=from_text(row["at"]),
        finished_at=from_text(row["finished_at"]),
        findings_new=int(row["findings_new"]),
        findings_fixed=int(row["findings_fixed"]),
        findings_gone=int(row["findings_gone"]),
        open={Severity(name): int(count) for name, count in row["open"].items()},
        nodes_known=int(row["nodes_known"]),
        nodes_listed=int(row["nodes_listed"]),
        nodes_read=int(row["nodes_read"]),
        nodes_deferred=int(row["nodes_deferred"]),
        nodes_unverified=int(row["nodes_unverified"]),
        nodes_missing=int(row["nodes_missing"]),
        nodes_gone=int(row["nodes_gone"]),
        braked=row["braked"],
        untitled_items=int(row["untitled_items"]),
        message_id=row.get("message_id"),
    )
