"""Domain values with hostile texts as Hypothesis strategies."""

from datetime import UTC, datetime

from hypothesis import strategies as st

from chalicelib.domain.announcement import Alert, Line, LineReason, Lines, Topic
from chalicelib.domain.compliance import Doubt
from chalicelib.domain.finding import Finding, Severity
from chalicelib.domain.history import NAMED, VANISHED, ChangedFinding
from chalicelib.domain.monthly import MonthlyReport
from chalicelib.domain.scan import Coverage, Job, JobKind, Outcome
from chalicelib.domain.snooze import ListedFinding, Reason, Snooze
from tests.fuzz.strategies import RAW_TEXT, TEXT, TIMES

AT = datetime(2026, 11, 23, 8, 15, 42, tzinfo=UTC)
COUNTS = st.integers(0, 10**9)
NODES = st.sampled_from(("i-0a1b2c3d4e5f60001", "mi-0a1b2c3d4e5f60001")) | TEXT
FINDINGS = st.builds(Finding, NODES, TEXT, st.sampled_from(Severity), TEXT, TIMES, TEXT)
SNOOZES = st.builds(
    Snooze,
    id=st.sampled_from(("s-1", "s-2", "s-3")) | TEXT,
    instance_id=NODES,
    title=st.none() | TEXT,
    starts_at=TIMES,
    ends_at=st.none() | TIMES,
    until_resolved=st.booleans(),
    reason=st.sampled_from(Reason),
    comment=RAW_TEXT,
    created_by=RAW_TEXT,
    created_via=TEXT,
    created_at=TIMES,
    ended_at=st.none() | TIMES,
)
ROWS = st.lists(st.builds(ListedFinding, FINDINGS, st.none() | SNOOZES), max_size=3)
JOBS = st.builds(
    Job,
    key=TEXT,
    kind=st.just(JobKind.EXECUTION),
    event_at=TIMES,
    enqueued_at=TIMES,
    association_id=RAW_TEXT,
    status=st.sampled_from(("Success", "Failed")) | RAW_TEXT,
    executed_at=st.none() | TIMES,
    nodes=st.dictionaries(st.just("Success") | RAW_TEXT, COUNTS, max_size=4),
)
COVERAGES = st.builds(
    Coverage,
    known=COUNTS,
    read=COUNTS,
    deferred=COUNTS,
    unverified=st.dictionaries(NODES, st.sampled_from(Doubt) | RAW_TEXT, max_size=15),
    untitled=COUNTS,
    missing=COUNTS,
    braked=st.booleans(),
    gone=COUNTS,
    unchecked=st.dictionaries(NODES, COUNTS, max_size=3),
    unchecked_since=st.none() | TIMES,
)
OUTCOMES = st.builds(
    Outcome,
    scan_id=RAW_TEXT,
    at=TIMES,
    new=st.just(()),
    changes=st.dictionaries(st.sampled_from(NAMED), COUNTS),
    by_severity=st.dictionaries(st.sampled_from(Severity), COUNTS),
    coverage=COVERAGES,
)
LINES = st.one_of(
    st.builds(Line, FINDINGS, st.sampled_from((LineReason.NEW, LineReason.WORSE))),
    st.builds(Line, FINDINGS, st.just(LineReason.SNOOZE_ENDED), SNOOZES),
)
# Few of each kind, so that many alerts can be tried. `build_longest` in test_slack.py has many.
ALERTS = st.builds(
    Alert,
    topic=st.sampled_from(Topic),
    outcome=OUTCOMES,
    lines=st.builds(Lines, st.lists(LINES, max_size=4).map(tuple), COUNTS),
    changes=st.dictionaries(st.sampled_from(NAMED), COUNTS),
    vanished=st.lists(
        st.builds(ChangedFinding, FINDINGS, st.sampled_from(VANISHED)), max_size=3
    ).map(tuple),
    alternating=st.lists(NODES, max_size=3).map(tuple),
    recovered=st.booleans(),
    jobs=st.lists(JOBS, max_size=2).map(tuple),
    targets=COUNTS,
    reported=COUNTS,
    without_result=st.lists(NODES, max_size=4).map(tuple),
    last_alert_at=st.none() | TIMES,
)
MONTHS = st.builds(
    MonthlyReport,
    at=TIMES,
    by_severity=st.dictionaries(st.sampled_from(Severity), COUNTS),
    affected_nodes=COUNTS,
    known_nodes=COUNTS,
    stale_nodes=COUNTS,
    oldest=st.none() | FINDINGS,
    snoozed=COUNTS,
    ending_soon=COUNTS,
    csv_key=RAW_TEXT,
)
