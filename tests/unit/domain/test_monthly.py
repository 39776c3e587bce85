"""The totals of a monthly report."""

from datetime import timedelta

from chalicelib.domain.compliance import Execution
from chalicelib.domain.finding import Finding, Severity
from chalicelib.domain.monthly import OLD_RESULT, SOON, NodeCount, count_nodes, summarize_month
from chalicelib.domain.node import Node
from chalicelib.domain.snooze import Muting, list_with_snoozes
from tests.fleet import START, make_snooze


def test_a_month_counts_snoozed_findings_and_snoozes_that_end_soon() -> None:
    findings = [Finding(f"i-{n}", "A", Severity.HIGH, "c", START, "scan") for n in range(4)]
    just_later = START + SOON + timedelta(seconds=1)
    snoozes = [
        make_snooze(id=f"s-{n}", instance_id=f"i-{n}", title="A", ends_at=ends_at)
        for n, ends_at in enumerate((START + SOON, just_later, None))
    ]
    rows = list_with_snoozes(findings, Muting(snoozes, START), {})

    report = summarize_month(rows, NodeCount(known=6, stale=1, findings=0), START, "monthly/a.csv")

    assert (report.total, report.affected_nodes) == (4, 4)
    assert (report.known_nodes, report.stale_nodes) == (6, 1)
    assert (report.snoozed, report.ending_soon) == (3, 1)
    assert report.oldest == findings[0]


def test_a_missing_or_unverified_node_is_stale_and_counted_once() -> None:
    nodes = [
        Node("i-1"),
        Node("i-2", missing_since=START),
        Node("i-3", unverified_since=START),
        Node("i-4", missing_since=START, unverified_since=START),
    ]

    assert count_nodes(iter(nodes)) == NodeCount(known=4, stale=3, findings=0)
    assert count_nodes([]) == NodeCount(known=0, stale=0, findings=0)


def test_a_month_says_how_old_its_results_are() -> None:
    ages = (timedelta(hours=1), OLD_RESULT, OLD_RESULT - timedelta(seconds=1), timedelta(days=30))
    nodes = [
        Node(f"i-{number}", {"custom:inspec": Execution("run", START - age, 1)})
        for number, age in enumerate(ages)
    ]
    counted = count_nodes([*nodes, Node("i-never-verified")])
    finding = Finding("i-3", "A", Severity.HIGH, "c", START, "scan")
    other = Finding("i-never-verified", "A", Severity.HIGH, "c", START, "scan")

    rows = list(list_with_snoozes([finding, other], Muting([], START), counted.checked_at))
    report = summarize_month(rows, counted, START, "monthly/a.csv")

    assert [row.checked_at for row in rows] == [START - ages[3], None]
    assert (report.oldest_result, report.old_nodes) == (START - ages[3], 2)
    assert summarize_month([], count_nodes([]), START, "").oldest_result is None
