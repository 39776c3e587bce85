"""An alert of every topic, and months: what the golden messages show."""

from datetime import UTC, datetime, timedelta

from chalicelib.domain.announcement import Alert, Line, LineReason, Lines, Topic
from chalicelib.domain.compliance import Doubt
from chalicelib.domain.finding import Severity
from chalicelib.domain.history import ChangedFinding, EventKind
from chalicelib.domain.monthly import MonthlyReport
from chalicelib.domain.scan import Coverage
from chalicelib.domain.snooze import Reason, SnoozeNotes
from tests.unit.reports.samples import (
    AT,
    HOSTILE,
    TITLES,
    make_finding,
    make_job,
    make_new_lines,
    make_node_id,
    make_outcome,
    make_snooze,
)

# A snooze of a title ended for three nodes, and one of a pair.
ENDED = (
    *(
        Line(
            make_finding(TITLES[9][1], number, Severity.LOW),
            LineReason.SNOOZE_ENDED,
            make_snooze(),
        )
        for number in (7, 8, 9)
    ),
    Line(
        make_finding(TITLES[0][1], 44, Severity.CRITICAL),
        LineReason.SNOOZE_ENDED,
        make_snooze(
            "s-2",
            instance_id=make_node_id(44),
            title=TITLES[0][1],
            reason=Reason.ACCEPTED_RISK,
            comment="Break-glass host until the migration",
            created_by="arn:aws:sts::123456789012:assumed-role/SecurityOperator/oncall",
        ),
    ),
)
# Twelve titles on many nodes, two snoozes that ended, an association that failed partly.
NEW = Alert(
    topic=Topic.NEW,
    outcome=make_outcome(Coverage(known=120, read=118, untitled=1, gone=2, missing=2)),
    changes={EventKind.FIXED: 5, EventKind.GONE: 7},
    gone_nodes=(make_node_id(303), make_node_id(304)),
    lines=Lines(
        (
            *make_new_lines(
                *(
                    make_finding(title, 10 * rank + copy, severity)
                    for rank, (severity, title) in enumerate(TITLES)
                    for copy in range(1 + rank * 5 % 7)
                )
            ),
            *ENDED,
        ),
        muted=2,
    ),
    jobs=(
        make_job(status="Failed", nodes={"Success": 110, "Failed": 8, "TimedOut": 2}),
        make_job("0b3f1a52-1111-4ab0-9b96-5d0a1a05464f", nodes={"Success": 1}),
    ),
    targets=120,
    reported=118,
    without_result=(make_node_id(301), make_node_id(302)),
    last_alert_at=AT - timedelta(days=2),
)
# A single new finding, of a scan without an execution to answer.
FIX = "Set PermitRootLogin no in /etc/ssh/sshd_config and reload sshd."
ONE_FINDING = Alert(
    topic=Topic.NEW,
    outcome=make_outcome(Coverage(known=120, read=3)),
    lines=Lines(make_new_lines(make_finding(TITLES[0][1], 1, Severity.CRITICAL))),
    reported=3,
)
# New findings of a scan that deferred nodes and did not verify one.
PARTIAL = Alert(
    topic=Topic.NEW,
    outcome=make_outcome(
        Coverage(
            known=120,
            read=90,
            deferred=30,
            unverified={make_node_id(5): Doubt.COUNT_DIFFERS},
            missing=1,
        )
    ),
    lines=Lines(
        make_new_lines(
            *(make_finding(title, number) for number, (_, title) in enumerate(TITLES[3:5]))
        )
    ),
    reported=90,
)
# Nothing is new, and more snoozes ended than a message names.
SNOOZE_ENDED = Alert(
    topic=Topic.NEW,
    outcome=make_outcome(Coverage(known=120, read=0)),
    lines=Lines(
        (
            *ENDED,
            *(
                Line(
                    make_finding(title, number, severity),
                    LineReason.SNOOZE_ENDED,
                    make_snooze(f"s-1{number}", title=None, instance_id=make_node_id(number)),
                )
                for number in range(6)
                for severity, title in TITLES[3 : 4 + number % 2]
            ),
        )
    ),
    recovered=True,
)
# An all-clear.
NOTHING_NEW = Alert(
    topic=Topic.NOTHING_NEW,
    outcome=make_outcome(Coverage(known=132, read=118, missing=1)),
    changes={EventKind.FIXED: 3},
    lines=Lines(muted=2),
    recovered=True,
    jobs=(make_job(),),
    targets=118,
    reported=118,
    last_alert_at=AT - timedelta(days=2),
)
# Some of the targets gave no result.
PARTLY_CHECKED = Alert(
    topic=Topic.PARTLY_CHECKED,
    outcome=make_outcome(Coverage(known=132, read=38, partial=(make_node_id(300),))),
    changes={EventKind.FIXED: 3},
    jobs=(make_job(status="Failed", nodes={"Success": 39, "Failed": 12}),),
    targets=51,
    reported=38,
    without_result=tuple(make_node_id(300 + number) for number in range(13)),
    last_alert_at=AT - timedelta(days=2),
)
# The event did not say how many targets there are.
PERHAPS_CHECKED = Alert(
    topic=Topic.PARTLY_CHECKED,
    outcome=make_outcome(Coverage(known=132, read=12)),
    jobs=(make_job(nodes={}),),
    reported=12,
)
# Every target gave a result, and findings of some are not checked any more.
NOT_CHECKED = Alert(
    topic=Topic.PARTLY_CHECKED,
    outcome=make_outcome(
        Coverage(
            known=132,
            read=12,
            unchecked={make_node_id(7): 4},
            unchecked_since=AT - timedelta(days=3),
        )
    ),
    jobs=(make_job(),),
    targets=118,
    reported=118,
)
# Snoozes that people made of much, or for ever, and one that ends soon.
SNOOZED = Alert(
    topic=Topic.SNOOZED,
    outcome=make_outcome(Coverage(known=132)),
    lines=Lines(
        notes=SnoozeNotes(
            made=(
                make_snooze(
                    title=None,
                    title_pattern="SSH * must be *",
                    max_severity=Severity.HIGH,
                    ends_at=AT + timedelta(days=30),
                ),
                make_snooze(
                    instance_id=make_node_id(7),
                    title=None,
                    control_id="ssh-01",
                    ends_at=None,
                    reason=Reason.ACCEPTED_RISK,
                    comment="Is replaced in spring",
                ),
            ),
            ending=(make_snooze(instance_id=make_node_id(3), ends_at=AT + timedelta(days=2)),),
        )
    ),
    last_alert_at=AT - timedelta(days=2),
)
# Fixes that no other message has told.
FIXED = Alert(
    topic=Topic.FIXED,
    outcome=make_outcome(Coverage(known=132)),
    changes={EventKind.FIXED: 3},
    last_alert_at=AT - timedelta(days=2),
)
# No target gave a result for half an hour.
NO_REPORT = Alert(
    topic=Topic.NO_REPORT,
    outcome=make_outcome(Coverage(known=2)),
    jobs=(make_job(status="Failed", nodes={"Failed": 2}, executed_at=None),),
    targets=2,
    without_result=(make_node_id(1), make_node_id(2)),
)
# Everything that can be incomplete at once.
INCOMPLETE = Alert(
    topic=Topic.INCOMPLETE,
    outcome=make_outcome(
        Coverage(
            known=120,
            read=31,
            deferred=25,
            unverified={
                **{make_node_id(number): Doubt.UNREADABLE for number in range(12)},
                **{make_node_id(number): Doubt.NOTHING_CHECKED for number in (90, 91)},
            },
            missing=62,
            braked=True,
        ),
    ),
    jobs=tuple(make_job(f"{number}e37940a-23ba") for number in range(5)),
    reported=31,
    last_alert_at=AT - timedelta(hours=3),
)
# The profile ran only in part on some nodes, and two profiles overwrite each other on others.
UNCHECKED = Alert(
    topic=Topic.UNCHECKED,
    outcome=make_outcome(Coverage(known=120, read=118)),
    changes={
        EventKind.UNCHECKED: 12,
        EventKind.NOT_FOUND: 1,
        EventKind.FIXED: 2,
        EventKind.CHECKED_AGAIN: 3,
        EventKind.REWORDED: 1,
        EventKind.FORGOTTEN: 4,
    },
    vanished=tuple(
        ChangedFinding(
            make_finding(title, 10 * rank + copy, severity),
            EventKind.NOT_FOUND if rank == 1 else EventKind.UNCHECKED,
        )
        for rank, (severity, title) in enumerate(TITLES[:7])
        for copy in range(1 if rank == 1 else 2)
    ),
    alternating=("i-0a1b2c3d4e5f60001", "i-0a1b2c3d4e5f60002"),
    jobs=(make_job(),),
    reported=118,
    last_alert_at=AT - timedelta(days=2),
)
# What was incomplete is complete again.
COMPLETE_AGAIN = Alert(
    topic=Topic.COMPLETE_AGAIN,
    outcome=make_outcome(Coverage(known=120, read=14)),
    changes={EventKind.FIXED: 1},
    recovered=True,
    reported=14,
    last_alert_at=AT - timedelta(hours=3),
)
# More nodes fell silent than a message names, others left, one reports again.
SILENT = Alert(
    topic=Topic.SILENT,
    outcome=make_outcome(Coverage(known=120, gone=1, missing=1, partial=(make_node_id(50),))),
    silent={
        make_node_id(number): AT - timedelta(days=3, minutes=20 * number) for number in range(13)
    },
    changes={EventKind.GONE: 6},
    gone_nodes=(make_node_id(31), make_node_id(32)),
    returned=(make_node_id(40),),
)
# Titles, authors and comments that try to be more than text.
HOSTILE_TEXT = Alert(
    topic=Topic.NEW,
    outcome=make_outcome(Coverage(known=5, read=5, unverified={"<i-1>": "<!here>"})),
    lines=Lines(
        (
            *make_new_lines(*(make_finding(title, number) for number, title in enumerate(HOSTILE))),
            Line(
                make_finding(HOSTILE[1], 9),
                LineReason.SNOOZE_ENDED,
                make_snooze(title=HOSTILE[1], comment=HOSTILE[2], created_by=HOSTILE[1]),
            ),
        ),
        notes=SnoozeNotes(
            made=(
                make_snooze(
                    title=None,
                    title_pattern=HOSTILE[1],
                    control_id=HOSTILE[0],
                    comment=HOSTILE[2],
                    created_by=HOSTILE[1],
                ),
            )
        ),
    ),
    jobs=(make_job("<!here>-association", status="<b>"),),
    reported=5,
)
# A month of a fleet with some of everything.
MONTH = MonthlyReport(
    at=datetime(2026, 12, 1, 8, 0, 3, tzinfo=UTC),
    by_severity={Severity.CRITICAL: 12, Severity.HIGH: 480, Severity.LOW: 1_204},
    affected_nodes=97,
    known_nodes=120,
    stale_nodes=3,
    oldest=make_finding(TITLES[5][1], 3, first_seen=datetime(2026, 1, 4, 6, 30, tzinfo=UTC)),
    snoozed=41,
    ending_soon=6,
    csv_key="monthly/2026/12/non-compliant-2026-12-01.csv",
    oldest_result=datetime(2026, 11, 2, 3, 15, tzinfo=UTC),
    old_nodes=4,
    unchecked=14,
    unchecked_nodes=2,
    unchecked_since=datetime(2026, 11, 20, 6, 30, tzinfo=UTC),
)
# A month in which no node is known.
EMPTY_MONTH = MonthlyReport(
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
