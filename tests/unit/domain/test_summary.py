"""The summary of an alert: what its message shows, and nothing that grows with the fleet."""

import msgspec
import pytest
from msgspec.structs import replace

from chalicelib.domain.announcement import Alert, Line, LineReason, Lines, Topic
from chalicelib.domain.finding import Severity
from chalicelib.domain.message import CsvFile, Message, Source
from chalicelib.domain.scan import Coverage
from chalicelib.domain.summary import (
    NAMED_JOBS,
    NAMED_NODES,
    NAMED_SNOOZES,
    NAMED_TITLES,
    NamedNodes,
    name_nodes,
    summarize_alert,
)
from tests.unit.reports import alerts
from tests.unit.reports.samples import (
    AT,
    make_finding,
    make_job,
    make_new_lines,
    make_node_id,
    make_outcome,
    make_snooze,
)

# DynamoDB's limit for an item is 400 KB.
LARGEST_ROW = 400 * 1024
NODES, FINDINGS = 8_000, 100_000


def build_row(alert: Alert) -> bytes:
    """Returns the row of an alert's message, as the ledger keeps it."""
    file = CsvFile("alerts/2026/11/23/scan.csv", "Findings", Source.SCANS)
    return msgspec.json.encode(Message("scan", AT, alert=summarize_alert(alert), files=(file,)))


def test_a_row_stays_small_for_100_000_findings_on_8_000_nodes() -> None:
    titles = [f"{number:04} {'é' * 495}" for number in range(1_000)]
    snoozes = [
        make_snooze(str(number), comment="é" * 2_000, created_by="é" * 500) for number in range(500)
    ]
    lines = [
        Line(
            make_finding(titles[number % 1_000], number % NODES),
            LineReason.SNOOZE_ENDED if number % 2 else LineReason.NEW,
            snoozes[number % 500] if number % 2 else None,
        )
        for number in range(FINDINGS)
    ]
    nodes = [make_node_id(number) for number in range(NODES)]
    coverage = Coverage(NODES, unverified={node: f"reason {node[-2:]}" for node in nodes})
    alert = Alert(
        Topic.NEW,
        make_outcome(coverage),
        Lines(tuple(lines)),
        jobs=tuple(make_job(str(number)) for number in range(1_000)),
        without_result=tuple(nodes),
    )

    assert len(build_row(alert)) < LARGEST_ROW / 4


def test_what_is_not_named_is_counted() -> None:
    new = make_new_lines(*(make_finding(f"title {number:02}", number) for number in range(30)))
    ended = tuple(
        Line(make_finding("ended", number), LineReason.SNOOZE_ENDED, make_snooze(str(number % 8)))
        for number in range(16)
    )
    jobs = tuple(make_job(str(number)) for number in range(7))
    alert = replace(alerts.NEW, lines=Lines((*new, *ended)), jobs=jobs)

    summary = summarize_alert(alert)

    assert (len(summary.titles), summary.title_count) == (NAMED_TITLES, 30)
    assert (len(summary.snoozes), summary.more_snoozed) == (NAMED_SNOOZES, 6)
    assert (len(summary.jobs), summary.job_count) == (NAMED_JOBS, 7)


@pytest.mark.parametrize("number", [0, 1, NAMED_NODES, NAMED_NODES + 1])
def test_the_first_nodes_are_named_and_all_are_counted(number: int) -> None:
    nodes = [make_node_id(each) for each in range(number)]

    assert name_nodes(nodes) == NamedNodes(number, tuple(nodes[:NAMED_NODES]))


def test_a_title_shows_its_worst_severity_and_the_first_node_that_has_it() -> None:
    findings = (
        make_finding("t", 1, Severity.LOW),
        make_finding("t", 3, Severity.HIGH),
        make_finding("t", 2, Severity.HIGH),
    )
    alert = replace(alerts.ONE_FINDING, lines=Lines(make_new_lines(*findings)))

    (title,) = summarize_alert(alert).titles

    assert (title.severity, title.nodes) == (Severity.HIGH, 3)
    assert title.first_node == make_node_id(2)


def test_the_headline_counts_ended_snoozes_only_if_nothing_is_new() -> None:
    summary, ended = summarize_alert(alerts.NEW), summarize_alert(alerts.SNOOZE_ENDED)

    assert summary.counted == summary.new
    assert sum(summary.announced.values()) - sum(summary.new.values()) == 4
    assert ended.new == {}
    assert ended.counted == ended.announced


@pytest.mark.parametrize("alert", [alerts.NEW, alerts.INCOMPLETE, alerts.NO_REPORT])
def test_a_summary_is_stored_unchanged(alert: Alert) -> None:
    stored = msgspec.json.decode(build_row(alert), type=Message)

    assert stored.alert == summarize_alert(alert)
