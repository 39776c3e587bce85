"""Any message, of any alert or month: it keeps Slack's rules, and no text in it is parsed."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from chalicelib.domain.announcement import Alert, Line, LineReason, Lines, Topic
from chalicelib.domain.compliance import Doubt
from chalicelib.domain.finding import Severity
from chalicelib.domain.history import NAMED, VANISHED, ChangedFinding
from chalicelib.domain.monthly import MonthlyReport
from chalicelib.domain.scan import Coverage
from chalicelib.domain.text import one_line
from chalicelib.reports.slack_blocks import Rendered
from chalicelib.reports.slack_monthly import render_monthly
from tests.unit.reports import alerts
from tests.unit.reports.renew import render_messages
from tests.unit.reports.samples import (
    AT,
    HOSTILE,
    ORIGIN,
    make_finding,
    make_job,
    make_node_id,
    make_outcome,
    make_snooze,
    render_alert,
)
from tests.unit.reports.slack_blocks import (
    assert_harmless,
    assert_slack_accepts,
    get_field,
    list_rows,
)

MENTIONS = ("<!channel>", "<!here>", "<!everyone>", "<@U123>", "<https://evil.example|click>")
HOSTILE_TEXT = st.one_of(
    st.text(max_size=600),
    st.sampled_from(HOSTILE),
    st.text(st.sampled_from('&<>"\\\u202e\n\x00@!*`'), max_size=600),
)
FINDINGS = st.builds(
    make_finding, HOSTILE_TEXT, number=st.integers(0, 30), severity=st.sampled_from(Severity)
)
SNOOZES = st.builds(
    lambda number, author, comment, ends: make_snooze(
        str(number), created_by=author, comment=comment, ends_at=AT if ends else None
    ),
    st.integers(0, 8),
    HOSTILE_TEXT,
    HOSTILE_TEXT,
    st.booleans(),
)
LINES = st.one_of(
    st.builds(Line, FINDINGS, st.sampled_from((LineReason.NEW, LineReason.WORSE))),
    st.builds(lambda each, ended: Line(each, LineReason.SNOOZE_ENDED, ended), FINDINGS, SNOOZES),
)
COUNTS = st.integers(0, 10**9)
NODE_IDS = st.lists(st.integers(0, 99).map(make_node_id) | HOSTILE_TEXT, max_size=20).map(tuple)
COVERAGES = st.builds(
    Coverage,
    known=COUNTS,
    read=COUNTS,
    deferred=COUNTS,
    unverified=st.dictionaries(
        st.integers(0, 99).map(make_node_id), st.sampled_from(Doubt) | HOSTILE_TEXT, max_size=40
    ),
    untitled=COUNTS,
    missing=COUNTS,
    braked=st.booleans(),
    gone=COUNTS,
    unchecked=st.dictionaries(st.integers(0, 99).map(make_node_id), COUNTS, max_size=4),
    unchecked_since=st.none() | st.just(AT),
    partial=NODE_IDS,
)
JOBS = st.builds(
    lambda association, status, dated, succeeded: make_job(
        association,
        status=status,
        executed_at=AT if dated else None,
        nodes={"Success": succeeded, "Failed": 1} if succeeded else {},
    ),
    HOSTILE_TEXT,
    HOSTILE_TEXT,
    st.booleans(),
    COUNTS,
)
ALERTS = st.builds(
    Alert,
    topic=st.sampled_from(Topic),
    outcome=st.builds(make_outcome, COVERAGES),
    lines=st.builds(Lines, st.lists(LINES, max_size=30).map(tuple), COUNTS),
    changes=st.dictionaries(st.sampled_from(NAMED), COUNTS),
    vanished=st.lists(
        st.builds(ChangedFinding, FINDINGS, st.sampled_from(VANISHED)), max_size=20
    ).map(tuple),
    alternating=st.lists(st.integers(0, 99).map(make_node_id), max_size=20).map(tuple),
    recovered=st.booleans(),
    jobs=st.lists(JOBS, max_size=5).map(tuple),
    targets=COUNTS,
    reported=COUNTS,
    without_result=st.lists(st.integers(0, 99).map(make_node_id), max_size=20).map(tuple),
    last_alert_at=st.none() | st.just(AT),
    silent=NODE_IDS.map(lambda ids: dict.fromkeys(ids, AT)),
    gone_nodes=NODE_IDS,
    returned=NODE_IDS,
)
MONTHS = st.builds(
    MonthlyReport,
    at=st.just(AT),
    by_severity=st.dictionaries(st.sampled_from(Severity), COUNTS),
    affected_nodes=COUNTS,
    known_nodes=COUNTS,
    stale_nodes=COUNTS,
    oldest=st.none() | FINDINGS,
    snoozed=COUNTS,
    ending_soon=COUNTS,
    csv_key=st.text(max_size=100),
    oldest_result=st.none() | st.just(AT),
    old_nodes=COUNTS,
)


@pytest.mark.parametrize("message", render_messages().values(), ids=render_messages())
def test_slack_accepts_every_golden_message(message: Rendered) -> None:
    assert_slack_accepts(message)
    assert_harmless(message)


@given(ALERTS, st.text() | st.just("<!channel> " * 200))
def test_slack_accepts_any_alert_and_parses_nothing_in_it(alert: Alert, fix: str) -> None:
    message = render_alert(alert, ORIGIN, fix)

    assert_slack_accepts(message)
    assert_harmless(message)
    assert not any(mention in message.text for mention in MENTIONS)


@given(MONTHS)
def test_slack_accepts_any_month_and_parses_nothing_in_it(month: MonthlyReport) -> None:
    message = render_monthly(month, ORIGIN)

    assert_slack_accepts(message)
    assert_harmless(message)


@given(ALERTS, st.randoms())
def test_the_order_of_the_findings_does_not_matter(alert: Alert, random: Any) -> None:
    by_finding = {line.finding.key: line for line in alert.lines.announced}.values()
    by_snooze = {line.snooze.id: line.snooze for line in by_finding if line.snooze}
    lines = [replace(line, snooze=line.snooze and by_snooze[line.snooze.id]) for line in by_finding]
    shuffled = random.sample(lines, len(lines))

    one, other = (
        render_alert(replace(alert, lines=replace(alert.lines, announced=tuple(order))), ORIGIN)
        for order in (lines, shuffled)
    )

    assert one == other


def test_hostile_titles_are_shown_as_text_and_mention_nobody() -> None:
    message = render_alert(alerts.HOSTILE_TEXT, ORIGIN)

    titles = [row[1] for row in list_rows(message)]
    assert set(titles) == {one_line(title, 160) for title in HOSTILE}
    assert "(blank)" in titles
    assert "&lt;!here&gt;" in get_field(message, "Association")
