from datetime import timedelta

from chalicelib.domain.finding import Finding, Severity
from chalicelib.domain.monthly import SOON, NodeCount, count_nodes, summarize_month
from chalicelib.domain.node import Node
from chalicelib.domain.snooze import Muting, list_with_snoozes
from tests.fleet import START, make_snooze


def test_a_month_counts_what_is_snoozed_and_what_ends_soon() -> None:
    found = [Finding(f"i-{n}", "A", Severity.HIGH, "c", START, "scan") for n in range(4)]
    soon = make_snooze(instance_id="i-0", title="A", ends_at=START + SOON)
    late = make_snooze(
        id="s-2", instance_id="i-1", title="A", ends_at=START + SOON + timedelta(seconds=1)
    )
    forever = make_snooze(id="s-3", instance_id="i-2", title="A", ends_at=None)
    rows = list_with_snoozes(found, Muting([soon, late, forever], START))
    report = summarize_month(rows, NodeCount(known=6, stale=1), START, "monthly/a.csv")
    assert (report.total, report.affected_nodes) == (4, 4)
    assert (report.known_nodes, report.stale_nodes) == (6, 1)
    assert (report.snoozed, report.ending_soon) == (3, 1)
    assert report.oldest == found[0]


def test_a_node_that_is_missing_or_unproven_is_doubtful_once() -> None:
    nodes = [
        Node("i-1"),
        Node("i-2", missing_since=START),
        Node("i-3", unverified_since=START),
        Node("i-4", missing_since=START, unverified_since=START),
    ]
    assert count_nodes(iter(nodes)) == NodeCount(known=4, stale=3)
    assert count_nodes([]) == NodeCount(known=0, stale=0)
