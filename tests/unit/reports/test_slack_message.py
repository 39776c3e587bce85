import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.announcement import Alert, Line, LineReason, Lines, Topic
from chalicelib.domain.compliance import Doubt
from chalicelib.domain.finding import Severity
from chalicelib.domain.message import MAX_ATTACHED_ROWS, Rendered
from chalicelib.domain.monthly import MonthlyReport
from chalicelib.domain.scan import Coverage
from chalicelib.reports import slack_blocks
from chalicelib.reports.slack_alert import render_alert
from chalicelib.reports.slack_monthly import render_monthly
from chalicelib.reports.text import one_line, visible
from devstack.slack.check_message import validate_blocks
from tests.unit.reports.renew import GOLDEN
from tests.unit.reports.samples import (
    AT,
    HOSTILE,
    ORIGIN,
    SCAN_ID,
    alert_hostile,
    alert_incomplete,
    alert_new,
    alert_no_report,
    alert_nothing_new,
    alert_one,
    alert_part,
    alert_snooze_ended,
    finding,
    golden_files,
    job,
    messages,
    new,
    node,
    outcome,
    report,
    snooze,
)

PINGS = ("<!channel>", "<!here>", "<!everyone>", "<@U123>", "<https://evil.example|click>")
HOSTILE_TEXT = st.one_of(
    st.text(max_size=600),
    st.sampled_from(HOSTILE),
    st.text(st.sampled_from('&<>"\\\u202e\n\x00@!*`'), max_size=600),
)
FINDINGS = st.builds(
    lambda title, number, severity: replace(finding(title, number), severity=severity),
    HOSTILE_TEXT,
    st.integers(0, 30),
    st.sampled_from(Severity),
)
SNOOZES = st.builds(
    lambda identity, author, comment, ends: snooze(
        str(identity), created_by=author, comment=comment, ends_at=AT if ends else None
    ),
    st.integers(0, 8),
    HOSTILE_TEXT,
    HOSTILE_TEXT,
    st.booleans(),
)
LINES = st.one_of(
    st.builds(lambda each: Line(each, LineReason.NEW), FINDINGS),
    st.builds(lambda each, ended: Line(each, LineReason.SNOOZE_ENDED, ended), FINDINGS, SNOOZES),
)
COUNTS = st.integers(0, 10**9)
COVERAGES = st.builds(
    Coverage,
    known=COUNTS,
    read=COUNTS,
    deferred=COUNTS,
    unverified=st.dictionaries(
        st.integers(0, 99).map(node), st.sampled_from(Doubt) | HOSTILE_TEXT, max_size=40
    ),
    untitled=COUNTS,
    missing=COUNTS,
    braked=st.booleans(),
    gone=COUNTS,
)
DEBTS = st.builds(
    lambda association, status, dated, succeeded: job(
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
    outcome=st.builds(outcome, COVERAGES, COUNTS),
    lines=st.builds(Lines, st.lists(LINES, max_size=30).map(tuple), COUNTS),
    recovered=st.booleans(),
    jobs=st.lists(DEBTS, max_size=5).map(tuple),
    reported=COUNTS,
    not_scanned=st.lists(st.integers(0, 99).map(node), max_size=20).map(tuple),
    last_alert_at=st.none() | st.just(AT),
)
REPORTS = st.builds(
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
)


def texts(value: object, kind: str | None = None) -> Iterator[str]:
    """Every text of blocks, or those of one kind of text object."""
    if isinstance(value, Mapping):
        if isinstance(value.get("text"), str) and kind in (None, value["type"]):
            yield value["text"]
        for child in value.values():
            yield from texts(child, kind)
    elif isinstance(value, list | tuple):
        for child in value:
            yield from texts(child, kind)


def shown(message: Rendered) -> str:
    return "\n".join(texts(message.blocks))


def rows_of(message: Rendered) -> list[list[str]]:
    tables = [block for block in message.blocks if block["type"] == "table"]
    return [[cell["text"] for cell in row] for table in tables for row in table["rows"][1:]]


def label(message: Rendered, name: str) -> str:
    """The value of a field."""
    found = [text for text in texts(message.blocks, "mrkdwn") if text.startswith(f"*{name}*\n")]
    assert len(found) == 1, (name, shown(message))
    return found[0].split("\n", 1)[1]


def assert_slack_takes(message: Rendered) -> None:
    blocks: list[dict[str, Any]] = json.loads(json.dumps(message.blocks))
    assert validate_blocks(message.text, blocks)
    assert len(json.dumps(blocks, ensure_ascii=False)) + len(message.text) < 10_000
    assert len(blocks) <= slack_blocks.BLOCKS


def assert_harmless(message: Rendered) -> None:
    for text in (message.text, *texts(message.blocks, "mrkdwn")):
        assert "<" not in text
        assert ">" not in text
    for text in (message.text, *texts(message.blocks)):
        assert visible(text.replace("\n", "")) == text.replace("\n", "")


@pytest.mark.parametrize("name", sorted(golden_files()))
def test_the_golden_files_still_hold(name: str) -> None:
    assert (GOLDEN / name).read_bytes() == golden_files()[name]


def test_no_golden_file_is_left_over() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == golden_files().keys()


@pytest.mark.parametrize("message", messages().values(), ids=messages())
def test_slack_takes_every_golden_message(message: Rendered) -> None:
    assert_slack_takes(message)
    assert_harmless(message)


@given(ALERTS)
def test_slack_takes_any_alert_and_nothing_in_it_is_parsed(alert: Alert) -> None:
    message = render_alert(alert, ORIGIN)
    assert_slack_takes(message)
    assert_harmless(message)
    assert not any(ping in message.text for ping in PINGS)


@given(REPORTS)
def test_slack_takes_any_month_and_nothing_in_it_is_parsed(month: MonthlyReport) -> None:
    message = render_monthly(month, ORIGIN)
    assert_slack_takes(message)
    assert_harmless(message)


@given(ALERTS, st.randoms())
def test_the_order_of_the_findings_does_not_matter(alert: Alert, random: Any) -> None:
    told = {line.finding.key: line for line in alert.lines.announced}.values()
    ended = {line.snooze.id: line.snooze for line in told if line.snooze}
    lines = [replace(each, snooze=each.snooze and ended[each.snooze.id]) for each in told]
    shuffled = random.sample(lines, len(lines))
    one, other = (
        render_alert(replace(alert, lines=replace(alert.lines, announced=tuple(order))), ORIGIN)
        for order in (lines, shuffled)
    )
    assert one == other


@pytest.mark.parametrize("alert", [alert_new(), alert_incomplete(), alert_nothing_new()])
def test_every_message_says_where_it_comes_from(alert: Alert) -> None:
    message = render_alert(alert, ORIGIN)
    assert shown(message).endswith(f"account 123456789012 · eu-central-1 · prod · scan {SCAN_ID}")
    assert message.text.endswith("account 123456789012 · eu-central-1 · prod")


def test_one_finding_is_singular() -> None:
    message = render_alert(alert_one(), ORIGIN)
    assert message.blocks[0]["text"]["text"] == "1 new non-compliant finding"
    assert message.text.startswith("1 new non-compliant finding · 1 critical · account")


def test_a_notification_says_how_bad_it_is_and_how_many_nodes_reported() -> None:
    text = render_alert(alert_new(), ORIGIN).text
    assert "· 11 critical, 17 high, 7 medium, 13 low · 118 of 120 nodes reported ·" in text


def test_times_are_shown_in_the_readers_time_zone() -> None:
    berlin = replace(ORIGIN, timezone="Europe/Berlin")
    assert label(render_alert(alert_new(), berlin), "Scan") == "2026-11-23 09:15 CET"
    assert label(render_alert(alert_new(), ORIGIN), "Scan") == "2026-11-23 08:15 UTC"


def test_the_table_shows_the_worst_ten_titles_and_how_many_more_there_are() -> None:
    message = render_alert(alert_new(), ORIGIN)
    rows = rows_of(message)
    assert len(rows) == 10
    assert [row[0] for row in rows] == [*["Critical"] * 3, *["High"] * 4, *["Medium"] * 2, "Low"]
    assert [int(row[2]) for row in rows[:3]] == [6, 4, 1]
    assert "2 more titles are in the CSV in the thread." in shown(message)


def test_a_long_message_shortens_its_lists_until_it_fits() -> None:
    told = new(*(finding('"' * 500 + str(number), number) for number in range(12)))
    ended = tuple(
        Line(
            finding("\\" * 500 + str(number)),
            LineReason.SNOOZE_ENDED,
            snooze(str(number), comment='"' * 500),
        )
        for number in range(5)
    )
    unverified = {f"{reason}{number}": reason for number in range(40) for reason in Doubt}
    alert = replace(
        alert_new(),
        lines=Lines((*told, *ended)),
        outcome=outcome(Coverage(known=9, deferred=1, unverified=unverified)),
    )
    message = render_alert(alert, ORIGIN)
    assert_slack_takes(message)
    assert 0 < len(rows_of(message)) < 10


def test_a_failed_association_says_on_how_many_nodes_it_succeeded() -> None:
    associations = label(render_alert(alert_new(), ORIGIN), "Associations").splitlines()
    assert associations == [
        "6e37940a *Failed*, 110 of 120 nodes succeeded",
        "0b3f1a52 Success, 1 of 1 node succeeded",
    ]


def test_more_than_three_associations_are_a_number() -> None:
    associations = label(render_alert(alert_incomplete(), ORIGIN), "Associations").splitlines()
    assert len(associations) == 4
    assert associations[-1] == "and 2 more"


def test_an_association_that_did_not_count_its_nodes_shows_its_status() -> None:
    alert = replace(alert_new(), jobs=(job(nodes={}),))
    assert label(render_alert(alert, ORIGIN), "Association") == "6e37940a Success"


def test_a_part_says_how_many_nodes_are_left() -> None:
    message = render_alert(alert_part(), ORIGIN)
    assert message.blocks[0]["text"]["text"] == "2 new non-compliant findings (partial scan, 30 nodes deferred)"
    assert "*30 nodes deferred.*" in shown(message)


def test_findings_that_were_snoozed_are_not_called_new() -> None:
    message = render_alert(alert_snooze_ended(), ORIGIN)
    assert message.blocks[0]["text"]["text"] == "13 findings still fail after their snooze ended"
    assert label(message, "New") == "0"
    assert label(message, "Snooze ended, still failing") == "13"
    assert "• 5 more findings in the CSV" in shown(message)


def test_one_finding_whose_snooze_ended_is_singular() -> None:
    alert = replace(
        alert_one(), lines=Lines((Line(finding("t"), LineReason.SNOOZE_ENDED, snooze()),))
    )
    header = render_alert(alert, ORIGIN).blocks[0]["text"]["text"]
    assert header == "1 finding still fails after its snooze ended"


def test_an_ended_snooze_names_who_set_it_and_why() -> None:
    said = shown(render_alert(alert_new(), ORIGIN))
    assert (
        "NOPASSWD rules is expected to be empty on 3 nodes\n   snoozed by first@example.org" in said
    )
    assert "until 2026-11-23 08:00 UTC · fix scheduled · Waits for the new base image" in said


def test_an_all_clear_names_the_nodes_that_were_not_scanned_up_to_ten() -> None:
    message = render_alert(alert_nothing_new(), ORIGIN)
    assert message.blocks[0]["text"]["text"] == "No new non-compliant findings"
    said = shown(message)
    assert f"{node(309)} and 3 more." in said
    assert node(310) not in said
    assert label(message, "New but snoozed") == "2"
    assert label(message, "Last alert") == "2026-11-21 08:15 UTC"


@pytest.mark.parametrize("alert", [alert_incomplete(), alert_no_report()])
def test_what_was_not_checked_never_reads_like_an_all_clear(alert: Alert) -> None:
    message = render_alert(alert, ORIGIN)
    assert "no new" not in (shown(message) + message.text).lower()


def test_an_incomplete_scan_says_what_was_not_read_and_how_to_release_the_brake() -> None:
    said = shown(render_alert(alert_incomplete(), ORIGIN))
    assert "This is not an all-clear." in said
    assert "62 of 120 known nodes are missing from SSM. Nothing was removed." in said
    assert 'invoke `reconcile` with `{"accept_missing": true}`' in said
    assert "*25 nodes deferred.*" in said
    assert f"{Doubt.UNREADABLE} (12 nodes): {node(0)}" in said
    assert "and 2 more\n" in said


def test_missing_and_gone_nodes_without_a_brake_are_small_print() -> None:
    alert = replace(alert_one(), outcome=outcome(Coverage(known=9, missing=3, gone=1)))
    said = shown(render_alert(alert, ORIGIN))
    assert "2 nodes missing from SSM. If they stay missing for an hour, their findings are removed." in said
    assert "1 node no longer reports: 0 findings were removed." in said


def test_no_alert_yet_is_said() -> None:
    assert label(render_alert(alert_no_report(), ORIGIN), "Last alert") == "no alert yet"


def test_hostile_titles_are_shown_as_they_are_and_ping_nobody() -> None:
    message = render_alert(alert_hostile(), ORIGIN)
    titles = [row[1] for row in rows_of(message)]
    assert set(titles) == {one_line(title, 160) for title in HOSTILE}
    assert "(blank)" in titles
    assert "&lt;!here&gt;" in label(message, "Association")


def test_a_month_shows_the_oldest_finding_and_its_age() -> None:
    said = shown(render_monthly(report(), ORIGIN))
    assert "first seen 2026-01-04 06:30 UTC, 331 days ago" in said
    assert "CSV in the thread and in S3: monthly/2026/12/non-compliant-2026-12-01.csv" in said


def test_a_month_of_an_unknown_fleet_is_no_all_clear() -> None:
    message = render_monthly(replace(report(), known_nodes=0, oldest=None), ORIGIN)
    assert "*No nodes are known.* Nothing was checked." in shown(message)


def test_more_rows_than_a_thread_gets_are_said_to_be_in_the_bucket() -> None:
    key = "alerts/2026/11/23/scan.csv"
    line = new(finding("A title", 1))[0]
    at_most = replace(alert_one(), lines=Lines((line,) * MAX_ATTACHED_ROWS), csv_key=key)
    assert key not in shown(render_alert(at_most, ORIGIN))
    too_many = replace(at_most, lines=Lines((line,) * (MAX_ATTACHED_ROWS + 1)))
    where = "The CSV in the thread has the worst 20,000 of 20,001 findings. The complete CSV is in S3: "
    assert f"{where}{key}" in shown(render_alert(too_many, ORIGIN))
    month = replace(report(), by_severity={Severity.LOW: MAX_ATTACHED_ROWS + 1})
    assert f"{where}{month.csv_key}" in shown(render_monthly(month, ORIGIN))
