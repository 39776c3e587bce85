"""The message of a scan, by example."""

import pytest
from msgspec.structs import replace

from chalicelib.domain.announcement import Alert, Line, LineReason, Lines
from chalicelib.domain.compliance import Doubt
from chalicelib.domain.history import EventKind
from chalicelib.domain.scan import Coverage
from chalicelib.reports.slack_blocks import MAX_ATTACHED_ROWS
from tests.unit.reports import alerts
from tests.unit.reports.samples import (
    AT,
    BERLIN,
    ORIGIN,
    SCAN_ID,
    make_finding,
    make_job,
    make_new_lines,
    make_node_id,
    make_outcome,
    make_snooze,
    render_alert,
)
from tests.unit.reports.slack_blocks import (
    assert_slack_accepts,
    get_field,
    get_headline,
    get_text,
    list_rows,
)


@pytest.mark.parametrize("alert", [alerts.NEW, alerts.INCOMPLETE, alerts.NOTHING_NEW])
def test_a_message_names_its_account_region_stage_and_scan(alert: Alert) -> None:
    message = render_alert(alert, ORIGIN)

    origin = "account 123456789012 · eu-central-1 · prod"
    assert get_text(message).endswith(f"{origin} · scan {SCAN_ID}")
    assert message.text.endswith(origin)


def test_one_new_finding_is_singular() -> None:
    message = render_alert(alerts.ONE_FINDING, ORIGIN)

    assert get_headline(message) == "1 new non-compliant finding"
    assert message.text.startswith("1 new non-compliant finding · 1 critical · account")


def test_one_finding_whose_snooze_ended_is_singular() -> None:
    line = Line(make_finding("t"), LineReason.SNOOZE_ENDED, make_snooze())
    alert = replace(alerts.ONE_FINDING, lines=Lines((line,)))

    message = render_alert(alert, ORIGIN)

    assert get_headline(message) == "1 finding still fails after its snooze ended"


def test_the_notification_counts_findings_by_severity_and_the_nodes_that_reported() -> None:
    text = render_alert(alerts.NEW, ORIGIN).text

    assert "· 11 critical, 17 high, 7 medium, 13 low · 118 of 120 nodes reported ·" in text


def test_times_are_shown_in_the_time_zone_of_the_readers() -> None:
    berlin, utc = render_alert(alerts.NEW, BERLIN), render_alert(alerts.NEW, ORIGIN)

    assert get_field(berlin, "Scan") == "2026-11-23 09:15 CET"
    assert get_field(utc, "Scan") == "2026-11-23 08:15 UTC"


def test_the_table_shows_the_ten_worst_titles_and_how_many_more_there_are() -> None:
    message = render_alert(alerts.NEW, ORIGIN)

    rows = list_rows(message)
    assert len(rows) == 10
    assert [row[0] for row in rows] == [*["Critical"] * 3, *["High"] * 4, *["Medium"] * 2, "Low"]
    assert [int(row[2]) for row in rows[:3]] == [6, 4, 1]
    assert "2 more titles are in the CSV in the thread." in get_text(message)


def test_a_message_that_is_too_long_has_shorter_lists() -> None:
    new = make_new_lines(*(make_finding('"' * 500 + str(each), each) for each in range(12)))
    ended = tuple(
        Line(
            make_finding("\\" * 500 + str(number)),
            LineReason.SNOOZE_ENDED,
            make_snooze(str(number), comment='"' * 500),
        )
        for number in range(5)
    )
    unverified = {f"{doubt}{number}": doubt for number in range(40) for doubt in Doubt}
    alert = replace(
        alerts.NEW,
        lines=Lines((*new, *ended)),
        outcome=make_outcome(Coverage(known=9, deferred=1, unverified=unverified)),
    )

    message = render_alert(alert, ORIGIN)

    assert_slack_accepts(message)
    assert 0 < len(list_rows(message)) < 10


def test_an_association_shows_its_status_and_on_how_many_nodes_it_succeeded() -> None:
    message = render_alert(alerts.NEW, ORIGIN)

    assert get_field(message, "Associations").splitlines() == [
        "6e37940a *Failed*, 110 of 120 nodes succeeded",
        "0b3f1a52 Success, 1 of 1 node succeeded",
    ]


def test_an_association_without_node_counts_shows_its_status() -> None:
    message = render_alert(replace(alerts.NEW, jobs=(make_job(nodes={}),)), ORIGIN)

    assert get_field(message, "Association") == "6e37940a Success"


def test_three_associations_are_shown_and_the_others_counted() -> None:
    message = render_alert(alerts.INCOMPLETE, ORIGIN)

    associations = get_field(message, "Associations").splitlines()
    assert len(associations) == 4
    assert associations[-1] == "and 2 more"


def test_a_partial_scan_says_how_many_nodes_are_deferred() -> None:
    message = render_alert(alerts.PARTIAL, ORIGIN)

    headline = "2 new non-compliant findings (partial scan, 30 nodes deferred)"
    assert get_headline(message) == headline
    assert "*30 nodes deferred.*" in get_text(message)


def test_findings_whose_snooze_ended_are_not_called_new() -> None:
    message = render_alert(alerts.SNOOZE_ENDED, ORIGIN)

    assert get_headline(message) == "13 findings still fail after their snooze ended"
    assert get_field(message, "New") == "0"
    assert get_field(message, "Snooze ended, still failing") == "13"
    assert "• 5 more findings in the CSV" in get_text(message)


def test_a_snooze_that_ended_shows_who_made_it_and_why() -> None:
    text = get_text(render_alert(alerts.NEW, ORIGIN))

    who = "NOPASSWD rules is expected to be empty on 3 nodes\n   snoozed by first@example.org"
    assert who in text
    assert "until 2026-11-23 08:00 UTC · fix scheduled · Waits for the new base image" in text


def test_a_partial_answer_says_what_was_covered_and_names_at_most_ten_other_targets() -> None:
    message = render_alert(alerts.PARTLY_CHECKED, ORIGIN)

    assert get_headline(message) == "Nothing new on 38 of 51 nodes; 13 gave no result"
    assert f"Gave no result: {make_node_id(300)}" in get_text(message)
    assert f"{make_node_id(309)} and 3 more." in get_text(message)
    assert make_node_id(310) not in get_text(message)
    assert get_field(message, "Nodes reported") == "38 of 51 targets"


@pytest.mark.parametrize(("reported", "what"), [(1, "1 node"), (12, "12 nodes")])
def test_without_any_count_an_answer_counts_only_the_nodes_that_reported(
    reported: int, what: str
) -> None:
    message = render_alert(replace(alerts.PERHAPS_CHECKED, reported=reported), ORIGIN)

    assert get_headline(message) == f"Nothing new on the {what} that reported"
    assert f"· {what} reported ·" in message.text
    assert get_field(message, "Nodes reported") == f"{reported} of 132 known"
    assert "SSM did not say which nodes the association was for" in get_text(message)


def test_an_answer_says_how_many_findings_are_not_checked_any_more() -> None:
    one = Coverage(known=2, unchecked={"i-1": 1}, unchecked_since=AT)
    alert = replace(alerts.NOT_CHECKED, outcome=make_outcome(one))

    assert get_headline(render_alert(alerts.NOT_CHECKED, ORIGIN)) == (
        "Nothing new in what was checked; "
        "4 findings on 1 node are not checked since 2026-11-20 08:15 UTC"
    )
    assert get_headline(render_alert(alert, ORIGIN)).endswith(
        "1 finding on 1 node is not checked since 2026-11-23 08:15 UTC"
    )


def test_fixes_have_a_headline_of_their_own() -> None:
    one = replace(alerts.FIXED, changes={EventKind.FIXED: 1})

    assert get_headline(render_alert(alerts.FIXED, ORIGIN)) == "3 findings fixed"
    assert get_headline(render_alert(one, ORIGIN)) == "1 finding fixed"


def test_an_all_clear_speaks_for_all_targets() -> None:
    message = render_alert(alerts.NOTHING_NEW, ORIGIN)

    assert get_headline(message) == "No new non-compliant findings"
    assert get_field(message, "Nodes reported") == "118 of 118 targets"
    assert get_field(message, "New but snoozed") == "2"
    assert get_field(message, "Last alert") == "2026-11-21 08:15 UTC"


@pytest.mark.parametrize(
    "alert",
    [
        alerts.COMPLETE_AGAIN,
        alerts.FIXED,
        alerts.INCOMPLETE,
        alerts.NO_REPORT,
        alerts.NOT_CHECKED,
        alerts.PARTLY_CHECKED,
        alerts.PERHAPS_CHECKED,
        alerts.SILENT,
    ],
)
def test_a_message_about_unchecked_nodes_never_reads_like_an_all_clear(alert: Alert) -> None:
    message = render_alert(alert, ORIGIN)

    assert "no new" not in (get_text(message) + message.text).lower()


def test_an_incomplete_scan_says_what_is_unknown_and_how_to_release_the_brake() -> None:
    text = get_text(render_alert(alerts.INCOMPLETE, ORIGIN))

    assert "This is not an all-clear." in text
    assert "62 of 120 known nodes are missing from SSM. Nothing was removed." in text
    assert 'invoke `reconcile` with `{"accept_missing": true}`' in text
    assert "*25 nodes deferred.*" in text
    assert f"{Doubt.UNREADABLE} (12 nodes): {make_node_id(0)}" in text
    assert "and 2 more\n" in text


def test_missing_and_gone_nodes_are_shown_while_the_brake_is_off() -> None:
    coverage = Coverage(known=9, missing=3, gone=1)

    gone = {EventKind.GONE: 7}
    alert = replace(alerts.ONE_FINDING, outcome=make_outcome(coverage), changes=gone)
    text = get_text(render_alert(replace(alert, gone_nodes=("i-7",)), ORIGIN))
    nameless = get_text(render_alert(alert, ORIGIN))

    missing = (
        "2 nodes missing from SSM. If they stay missing for an hour, their findings are removed."
    )
    assert missing in text
    assert "*1 node has left: SSM no longer lists it. 7 findings were removed with it.*" in text
    assert "i-7" in text
    assert "*Nodes left: SSM no longer lists them. 7 findings were removed with" in nameless


def test_before_the_first_alert_the_message_says_so() -> None:
    message = render_alert(alerts.NO_REPORT, ORIGIN)

    assert get_field(message, "Last alert") == "no alert yet"


def test_an_alert_with_more_rows_than_a_thread_gets_names_the_file_in_the_bucket() -> None:
    key = "alerts/2026/11/23/scan.csv"
    (line,) = make_new_lines(make_finding("A title", 1))
    most = replace(alerts.ONE_FINDING, lines=Lines((line,) * MAX_ATTACHED_ROWS), csv_key=key)
    too_many = replace(most, lines=Lines((line,) * (MAX_ATTACHED_ROWS + 1)))

    where = "The CSV in the thread has the worst 20,000 of 20,001 findings. "
    assert key not in get_text(render_alert(most, ORIGIN))
    assert f"{where}The complete CSV is in S3: {key}" in get_text(render_alert(too_many, ORIGIN))


def test_silent_nodes_are_named_with_their_last_result_the_longest_silent_first() -> None:
    message = render_alert(alerts.SILENT, ORIGIN)
    text = get_text(message)

    assert get_headline(message) == "13 nodes have fallen silent"
    assert "*13 nodes have given no result for at least twice the usual time.*" in text
    assert f"• {make_node_id(12)}: last result 2026-11-20 04:15 UTC" in text
    assert make_node_id(2) not in text
    assert "and 3 more" in text
    assert "*2 nodes have left: SSM no longer lists them. 6 findings were removed with" in text
    assert f"{make_node_id(31)}, {make_node_id(32)}" in text
    assert f"1 silent node reports again: {make_node_id(40)}." in text


def test_nodes_that_left_have_a_headline_of_their_own() -> None:
    gone = replace(alerts.SILENT, silent={})

    assert get_headline(render_alert(gone, ORIGIN)) == "2 nodes have left"
    assert get_headline(render_alert(replace(gone, gone_nodes=()), ORIGIN)) == "Nodes have left"


def test_silent_nodes_ride_in_an_alert() -> None:
    message = render_alert(replace(alerts.ONE_FINDING, silent=alerts.SILENT.silent), ORIGIN)

    assert get_headline(message) == "1 new non-compliant finding"
    assert "*13 nodes have given no result" in get_text(message)


def test_nodes_where_few_checks_ran_are_named() -> None:
    outcome = make_outcome(Coverage(known=9, partial=("i-3", "i-5")))
    text = get_text(render_alert(replace(alerts.ONE_FINDING, outcome=outcome), ORIGIN))

    assert "Fewer than half of the usual checks ran on 2 nodes: i-3, i-5." in text


def test_the_headline_counts_what_is_worse_if_nothing_is_new() -> None:
    worse = Line(make_finding("t", 1), LineReason.WORSE)

    text = render_alert(replace(alerts.ONE_FINDING, lines=Lines((worse,))), ORIGIN).text

    assert text.startswith("1 finding is worse · ")
