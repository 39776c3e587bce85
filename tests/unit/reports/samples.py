"""The messages and the file that are kept as golden files, in the domain's words."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from chalicelib.domain.announcement import Alert, Line, LineReason, Lines, Topic
from chalicelib.domain.compliance import Doubt
from chalicelib.domain.finding import Finding, Severity
from chalicelib.domain.job import Job, JobKind
from chalicelib.domain.message import Rendered
from chalicelib.domain.monthly import MonthlyReport
from chalicelib.domain.scan import Coverage, Outcome
from chalicelib.domain.snooze import ListedFinding, Reason, Snooze
from chalicelib.reports.csv_file import render_csv
from chalicelib.reports.slack_alert import render_alert
from chalicelib.reports.slack_monthly import render_monthly
from chalicelib.reports.text import Origin

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


def node(number: int) -> str:
    """An instance id."""
    return f"i-{0x0A1B2C3D4E5F60000 + number * 7919:017x}"


def finding(
    title: str,
    number: int = 1,
    severity: Severity = Severity.HIGH,
    first_seen: datetime = AT,
) -> Finding:
    """A finding on one node."""
    return Finding(node(number), title, severity, "ec2-ssh-01", first_seen, SCAN_ID)


def new(*findings: Finding) -> tuple[Line, ...]:
    """Lines of new findings."""
    return tuple(Line(each, LineReason.NEW) for each in findings)


def snooze(identity: str = "s-1", **fields: object) -> Snooze:
    """A snooze of one title, ended a quarter of an hour ago unless told otherwise."""
    usual = Snooze(
        id=identity,
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
    return replace(usual, **fields)  # type: ignore[arg-type]


def job(association: str = "6e37940a-23ba-4ab0-9b96-5d0a1a05464f", **fields: object) -> Job:
    """An association execution that began at `AT`."""
    usual = Job(
        key=f"{association}#2026-11-23T08:15:42Z",
        kind=JobKind.EXECUTION,
        event_at=AT,
        enqueued_at=AT,
        association_id=association,
        status="Success",
        executed_at=AT,
        nodes={"Success": 118},
    )
    return replace(usual, **fields)  # type: ignore[arg-type]


def outcome(coverage: Coverage, fixed: int = 0) -> Outcome:
    """The result of a pass over a fleet with 158 open findings."""
    by_severity = {Severity.CRITICAL: 21, Severity.HIGH: 64, Severity.MEDIUM: 45, Severity.LOW: 28}
    return Outcome(SCAN_ID, AT + timedelta(minutes=4), (), fixed, 0, by_severity, coverage)


def _ended() -> tuple[Line, ...]:
    by_title = snooze()
    on_node = snooze(
        "s-2",
        instance_id=node(44),
        title=TITLES[0][1],
        reason=Reason.ACCEPTED_RISK,
        comment="Break-glass host until the migration",
        created_by="arn:aws:sts::123456789012:assumed-role/SecurityOperator/oncall",
    )
    lines = [
        Line(finding(TITLES[9][1], n, Severity.LOW), LineReason.SNOOZE_ENDED, by_title)
        for n in (7, 8, 9)
    ]
    return (
        *lines,
        Line(finding(TITLES[0][1], 44, Severity.CRITICAL), LineReason.SNOOZE_ENDED, on_node),
    )


def alert_new() -> Alert:
    """Twelve titles on many nodes, two snoozes that ended, an association that failed partly."""
    findings = [
        finding(title, 10 * rank + copy, severity)
        for rank, (severity, title) in enumerate(TITLES)
        for copy in range(1 + rank * 5 % 7)
    ]
    failed = job(status="Failed", nodes={"Success": 110, "Failed": 8, "TimedOut": 2})
    return Alert(
        topic=Topic.NEW,
        outcome=outcome(Coverage(known=120, read=118, untitled=1, gone=2, missing=2), fixed=5),
        lines=Lines((*new(*findings), *_ended()), muted=2),
        jobs=(failed, job("0b3f1a52-1111-4ab0-9b96-5d0a1a05464f", nodes={"Success": 1})),
        reported=118,
        not_scanned=(node(301), node(302)),
        last_alert_at=AT - timedelta(days=2),
    )


def alert_one() -> Alert:
    """A single new finding, found by a pass without an execution to answer."""
    return Alert(
        topic=Topic.NEW,
        outcome=outcome(Coverage(known=120, read=3)),
        lines=Lines(new(finding(TITLES[0][1], 1, Severity.CRITICAL))),
        reported=3,
    )


def alert_part() -> Alert:
    """New findings of a pass that had no time for all nodes, and doubts about some."""
    seen = Coverage(
        known=120, read=90, deferred=30, unverified={node(5): Doubt.COUNT_DIFFERS}, missing=1
    )
    findings = [finding(title, number) for number, (_, title) in enumerate(TITLES[3:5])]
    return Alert(Topic.NEW, outcome(seen), Lines(new(*findings)), reported=90)


def alert_snooze_ended() -> Alert:
    """Nothing new, but snoozes of more rules than are named ended."""
    many = tuple(
        Line(
            finding(title, number, severity),
            LineReason.SNOOZE_ENDED,
            snooze(f"s-1{number}", title=None, instance_id=node(number)),
        )
        for number in range(6)
        for severity, title in TITLES[3 : 4 + number % 2]
    )
    return Alert(
        topic=Topic.NEW,
        outcome=outcome(Coverage(known=120, read=0)),
        lines=Lines((*_ended(), *many)),
        recovered=True,
    )


def alert_nothing_new() -> Alert:
    """An all-clear, with nodes that were not scanned."""
    return Alert(
        topic=Topic.NOTHING_NEW,
        outcome=outcome(Coverage(known=132, read=118, missing=1), fixed=3),
        lines=Lines(muted=2),
        recovered=True,
        jobs=(job(),),
        reported=118,
        not_scanned=tuple(node(300 + each) for each in range(13)),
        last_alert_at=AT - timedelta(days=2),
    )


def alert_no_report() -> Alert:
    """No node reported for half an hour."""
    return Alert(
        topic=Topic.NO_REPORT,
        outcome=outcome(Coverage(known=2)),
        jobs=(job(status="Failed", nodes={"Failed": 2}, executed_at=None),),
        not_scanned=(node(1), node(2)),
    )


def alert_incomplete() -> Alert:
    """Everything that can be in doubt at once."""
    unverified = {node(each): Doubt.UNREADABLE for each in range(12)}
    unverified |= {node(90): Doubt.NOTHING_CHECKED, node(91): Doubt.NOTHING_CHECKED}
    return Alert(
        topic=Topic.INCOMPLETE,
        outcome=outcome(
            Coverage(
                known=120, read=31, deferred=25, unverified=unverified, missing=62, braked=True
            ),
        ),
        jobs=tuple(job(f"{each}e37940a-23ba") for each in range(5)),
        reported=31,
        last_alert_at=AT - timedelta(hours=3),
    )


def alert_complete_again() -> Alert:
    """What was in doubt is not any more."""
    return Alert(
        topic=Topic.COMPLETE_AGAIN,
        outcome=outcome(Coverage(known=120, read=14), fixed=1),
        recovered=True,
        reported=14,
        last_alert_at=AT - timedelta(hours=3),
    )


HOSTILE = (
    "=cmd|' /C calc'!A0",
    "<!channel> @here <https://evil.example|click> & *bold* :fire:",
    "line one\r\nline two\tand \u202etxt.exe\u202c \x00\x07",
    "\u200b",
    'quote " back \\ slash ; =1+1',
)


def alert_hostile() -> Alert:
    """Titles, authors and comments that try to be more than text."""
    ended = snooze(title=HOSTILE[1], comment=HOSTILE[2], created_by=HOSTILE[1])
    lines = new(*(finding(title, number) for number, title in enumerate(HOSTILE)))
    return Alert(
        topic=Topic.NEW,
        outcome=outcome(Coverage(known=5, read=5, unverified={"<i-1>": "<!here>"})),
        lines=Lines((*lines, Line(finding(HOSTILE[1], 9), LineReason.SNOOZE_ENDED, ended))),
        jobs=(job("<!here>-association", status="<b>"),),
        reported=5,
    )


def report() -> MonthlyReport:
    """A month of a fleet with some of everything."""
    return MonthlyReport(
        at=datetime(2026, 12, 1, 8, 0, 3, tzinfo=UTC),
        by_severity={Severity.CRITICAL: 12, Severity.HIGH: 480, Severity.LOW: 1_204},
        affected_nodes=97,
        known_nodes=120,
        stale_nodes=3,
        oldest=finding(TITLES[5][1], 3, first_seen=datetime(2026, 1, 4, 6, 30, tzinfo=UTC)),
        snoozed=41,
        ending_soon=6,
        csv_key="monthly/2026/12/non-compliant-2026-12-01.csv",
    )


def report_empty() -> MonthlyReport:
    """A month of a fleet that nobody knows."""
    return MonthlyReport(
        at=datetime(2026, 7, 1, 8, 0, tzinfo=UTC),
        by_severity={},
        affected_nodes=0,
        known_nodes=0,
        stale_nodes=0,
        oldest=None,
        snoozed=0,
        ending_soon=0,
        csv_key="monthly/2026/07/non-compliant-2026-07-01.csv",
    )


def rows() -> list[ListedFinding]:
    """Rows of a CSV: open, snoozed, snoozed for ever, and hostile ones."""
    return [
        ListedFinding(finding(TITLES[0][1], 1, Severity.CRITICAL), None),
        ListedFinding(finding(TITLES[9][1], 2), snooze(ends_at=AT + timedelta(days=7))),
        ListedFinding(finding(TITLES[1][1], 3), snooze(ends_at=None, reason=Reason.ACCEPTED_RISK)),
        ListedFinding(finding("Überprüfung : café is expected to exist", 4), None),
        *(ListedFinding(finding(title, 5), None) for title in HOSTILE),
    ]


def messages() -> dict[str, Rendered]:
    """Every golden message by the name of its file."""
    return {
        "new": render_alert(alert_new(), ORIGIN),
        "one": render_alert(alert_one(), BERLIN),
        "part": render_alert(alert_part(), ORIGIN),
        "snooze_ended": render_alert(alert_snooze_ended(), ORIGIN),
        "nothing_new": render_alert(alert_nothing_new(), BERLIN),
        "no_report": render_alert(alert_no_report(), ORIGIN),
        "incomplete": render_alert(alert_incomplete(), ORIGIN),
        "complete_again": render_alert(alert_complete_again(), ORIGIN),
        "hostile": render_alert(alert_hostile(), ORIGIN),
        "monthly": render_monthly(report(), BERLIN),
        "monthly_empty": render_monthly(report_empty(), BERLIN),
    }


def golden_files() -> dict[str, bytes]:
    """File name to content: a message as Slack gets it, and the CSV."""
    files = {
        f"{name}.json": json.dumps(
            {"text": message.text, "blocks": message.blocks}, indent=2, ensure_ascii=False
        ).encode()
        + b"\n"
        for name, message in messages().items()
    }
    return {**files, "findings.csv": b"".join(render_csv(rows()))}
