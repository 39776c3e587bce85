"""Findings, snoozes, jobs and outcomes for the messages and files of these tests."""

from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from chalicelib.domain.announcement import Alert, Line, LineReason
from chalicelib.domain.finding import Finding, Severity
from chalicelib.domain.scan import Coverage, Job, JobKind, Outcome
from chalicelib.domain.snooze import ListedFinding, Reason, Snooze
from chalicelib.domain.summary import summarize_alert
from chalicelib.reports import slack_alert
from chalicelib.reports.slack_blocks import Origin, Rendered

ORIGIN = Origin("123456789012", "eu-central-1", "prod", "UTC")
BERLIN = replace(ORIGIN, timezone="Europe/Berlin")
AT = datetime(2026, 11, 23, 8, 15, 42, tzinfo=UTC)
SCAN_ID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"

TITLES = (
    (
        Severity.CRITICAL,
        (
            "SSH must not allow direct root login : "
            'Parse Config permitrootlogin is expected to cmp == "no"'
        ),
    ),
    (
        Severity.CRITICAL,
        'Only root may have UID 0 : /etc/passwd with uid == 0 users is expected to cmp == ["root"]',
    ),
    (
        Severity.CRITICAL,
        (
            "Metadata service must refuse requests without a token : "
            "HTTP GET on http://169.254.169.254/latest/meta-data/ status is expected to cmp == 401"
        ),
    ),
    (
        Severity.HIGH,
        (
            "SSH must not offer broken ciphers or MACs : "
            "Parse Config ciphers is expected not to match /(-cbc|arcfour|3des)/"
        ),
    ),
    (
        Severity.HIGH,
        (
            "No security update may be pending : "
            "number of pending security updates is expected to cmp <= 0"
        ),
    ),
    (
        Severity.HIGH,
        (
            "SSH host keys and configuration must be private to root : "
            'File /etc/ssh/ssh_host_rsa_key is expected not to be more permissive than "0640"'
        ),
    ),
    (
        Severity.HIGH,
        (
            "/etc/group must be owned by root and not be more permissive than 0644 : "
            'File /etc/group is expected not to be more permissive than "0644"'
        ),
    ),
    (
        Severity.MEDIUM,
        (
            "SSH must limit authentication attempts per connection : "
            "Parse Config maxauthtries is expected to cmp <= 4"
        ),
    ),
    (
        Severity.MEDIUM,
        "User names and UIDs must be unique : duplicate UIDs is expected to be empty",
    ),
    (
        Severity.LOW,
        (
            "Passwordless sudo must be limited to the image default user : "
            "NOPASSWD rules is expected to be empty"
        ),
    ),
    (
        Severity.LOW,
        'SSH must disable X11 forwarding : Parse Config x11forwarding is expected to cmp == "no"',
    ),
    (
        Severity.LOW,
        "No reboot may be pending : File /var/run/reboot-required is expected not to exist",
    ),
)
# Titles that try to be more than text.
HOSTILE = (
    "=cmd|' /C calc'!A0",
    "<!channel> @here <https://evil.example|click> & *bold* :fire:",
    "line one\r\nline two\tand \u202etxt.exe\u202c \x00\x07",
    "\u200b",
    'quote " back \\ slash ; =1+1',
)


def make_node_id(number: int) -> str:
    """Returns an instance id."""
    return f"i-{0x0A1B2C3D4E5F60000 + number * 7919:017x}"


def make_finding(
    title: str,
    number: int = 1,
    severity: Severity = Severity.HIGH,
    first_seen: datetime = AT,
) -> Finding:
    """Returns a finding on the node of this number."""
    return Finding(make_node_id(number), title, severity, "ec2-ssh-01", first_seen, SCAN_ID)


def make_new_lines(*findings: Finding) -> tuple[Line, ...]:
    """Returns the lines of new findings."""
    return tuple(Line(each, LineReason.NEW) for each in findings)


def make_snooze(snooze_id: str = "s-1", **fields: Any) -> Snooze:
    """Returns a snooze of one title that ended before the scan, with these fields changed."""
    snooze = Snooze(
        id=snooze_id,
        instance_id=None,
        title=TITLES[9][1],
        starts_at=AT - timedelta(days=30),
        ends_at=AT - timedelta(minutes=15),
        until_resolved=False,
        reason=Reason.FIX_SCHEDULED,
        comment="Waits for the new base image, SEC-481",
        created_by="first@example.org",
        created_via="api",
        created_at=AT - timedelta(days=30),
    )
    return replace(snooze, **fields)


def make_job(association: str = "6e37940a-23ba-4ab0-9b96-5d0a1a05464f", **fields: Any) -> Job:
    """Returns the job of an execution that began at `AT`, with these fields changed."""
    job = Job(
        key=f"{association}#2026-11-23T08:15:42Z",
        kind=JobKind.EXECUTION,
        event_at=AT,
        enqueued_at=AT,
        association_id=association,
        status="Success",
        executed_at=AT,
        nodes={"Success": 118},
    )
    return replace(job, **fields)


def make_outcome(coverage: Coverage) -> Outcome:
    """Returns the outcome of a scan of a fleet with 158 open findings."""
    by_severity = {Severity.CRITICAL: 21, Severity.HIGH: 64, Severity.MEDIUM: 45, Severity.LOW: 28}
    return Outcome(SCAN_ID, AT + timedelta(minutes=4), (), by_severity, coverage)


# Rows of a CSV: open, snoozed, snoozed without an end, and hostile ones.
ROWS = [
    ListedFinding(make_finding(TITLES[0][1], 1, Severity.CRITICAL), None, AT),
    ListedFinding(make_finding(TITLES[9][1], 2), make_snooze(ends_at=AT + timedelta(days=7))),
    ListedFinding(
        make_finding(TITLES[1][1], 3), make_snooze(ends_at=None, reason=Reason.ACCEPTED_RISK)
    ),
    ListedFinding(make_finding("Überprüfung : café is expected to exist", 4), None),
    *(ListedFinding(make_finding(title, 5), None) for title in HOSTILE),
]


def render_alert(alert: Alert, origin: Origin, fix: str = "") -> Rendered:
    """Renders the message of an alert, through its summary."""
    return slack_alert.render_alert(replace(summarize_alert(alert), fix=fix), origin)
