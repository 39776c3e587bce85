"""Nodes, scans and totals, looked up through the API."""

from typing import TYPE_CHECKING

import pytest

from chalicelib.domain.errors import DeliveryError, NotFound
from chalicelib.domain.finding import Severity
from chalicelib.domain.snooze import State
from chalicelib.usecases.inbox.overview import (
    DeliveryState,
    TitleFilter,
    get_node,
    list_nodes,
    list_scans,
    list_titles,
    summarize,
)
from tests.fleet import DAY, HOUR, MINUTE, Service

if TYPE_CHECKING:
    from chalicelib.usecases.inventory import TitleGroup


def test_nodes_are_listed_once_each_page_by_page() -> None:
    service = Service()
    for number in range(7):
        service.report(f"i-{number}", "A")
    service.run()

    listed: list[str] = []
    after = None
    while True:
        page = list_nodes(service.inbox, after, 3)
        listed += [node.instance_id for node in page.nodes]
        after = page.after
        if after is None:
            break

    assert sorted(listed) == [f"i-{number}" for number in range(7)]


def test_scans_are_listed_newest_first_with_the_delivery_of_their_message() -> None:
    service = Service()
    service.report("i-1", "A")
    sent = service.run()
    service.clock.forward(MINUTE)
    silent = service.run()
    service.clock.forward(MINUTE)
    service.channel.fail_post(DeliveryError("service_unavailable", retryable=True))
    service.report("i-1", "A", "B", run="run-2")
    pending = service.run()

    first = list_scans(service.inbox, None, 2)
    second = list_scans(service.inbox, first.after, 2)

    assert [(scan.scan_id, state) for scan, state in first.scans] == [
        (pending.scan_id, DeliveryState.PENDING),
        (silent.scan_id, DeliveryState.NO_MESSAGE),
    ]
    assert [(scan.scan_id, state) for scan, state in second.scans] == [
        (sent.scan_id, DeliveryState.SENT)
    ]
    assert second.after is None


def test_before_the_first_scan_there_is_no_last_scan() -> None:
    assert summarize(Service().inbox).last_scan is None


def test_the_summary_sums_up_nodes_and_counts_snoozes_by_state() -> None:
    service = Service()
    service.report("i-1", "A", "B")
    service.report("i-2", "A", severity="LOW")
    service.report("i-3", compliant=0)
    service.run()
    service.compliance.remove("i-1")
    service.clock.forward(MINUTE)
    report = service.run()
    service.add_snooze()
    service.add_snooze(id="s-2", ended_at=service.clock.now)
    service.add_snooze(id="s-3", starts_at=service.clock.now + HOUR)

    summary = summarize(service.inbox)

    assert summary.open == {"HIGH": 2, "LOW": 1}
    assert (summary.nodes_known, summary.nodes_missing, summary.nodes_unverified) == (3, 1, 1)
    assert summary.snoozes == {State.ACTIVE: 1, State.PENDING: 1, State.ENDED: 1}
    assert summary.last_scan is not None
    assert summary.last_scan.scan_id == report.scan_id
    assert summary.messages_pending == 0


def test_the_summary_tells_snoozed_and_unchecked_findings_apart() -> None:
    service = Service()
    service.report("i-1", "A", "B", "C")
    service.report("i-2", "A")
    service.run()
    service.report("i-1", "A", "B", run="run-2", passed=[])
    service.run()
    service.add_snooze(id="s-1", instance_id=None, title="A", ends_at=service.clock.now + DAY)
    service.add_snooze(id="s-2", instance_id="i-1", title="B", ends_at=None, created_by="second")
    service.add_snooze(id="s-3", instance_id="i-9", title=None, starts_at=service.clock.now + HOUR)

    summary = summarize(service.inbox)

    assert (sum(summary.open.values()), summary.snoozed, summary.unchecked) == (3, 3, 1)
    assert (summary.permanent, summary.ending_soon) == (1, 2)
    assert summary.by_person == {"first": 2, "second": 1}


def test_a_reworded_finding_counts_as_snoozed_by_the_snooze_of_its_former_title() -> None:
    service = Service()
    service.report("i-1", "A")
    service.run()
    finding = next(iter(service.findings.all()))
    snooze = {"title": "A before", "reworded_ids": (finding.finding_id,), "ends_at": None}
    service.add_snooze(instance_id="i-1", **snooze)

    assert summarize(service.inbox).snoozed == 1


def test_titles_are_listed_once_each_worst_first() -> None:
    service = Service()
    service.report("i-1", "A", "B", "C", severity="LOW")
    service.report("i-2", "A", "D", severity="CRITICAL", control="d-01")
    service.report("i-3", "B", "C", severity="LOW")
    service.run()
    service.report("i-1", "A", "B", run="run-2", severity="LOW", passed=[])
    service.run()
    service.add_snooze(instance_id=None, title="B", ends_at=None)

    listed: list[tuple[TitleGroup, int]] = []
    after = None
    while True:
        page = list_titles(service.inbox, TitleFilter(), after, 3)
        listed += page.titles
        assert page.total == 4
        after = page.after
        if after is None:
            break

    found = [
        (each.title, each.severity, each.nodes, number, each.unchecked) for each, number in listed
    ]
    assert found[2:] == [("B", Severity.LOW, 2, 2, 0), ("C", Severity.LOW, 1, 0, 1)]
    assert {each[0] for each in found[:2]} == {"A", "D"}
    assert found[0] == ("A", Severity.CRITICAL, 2, 0, 0)


@pytest.mark.parametrize(
    ("wanted", "titles"),
    [
        (TitleFilter(severity=Severity.CRITICAL), {"SSH  off"}),
        (TitleFilter(control_id="ssh-02"), {"SSH  off"}),
        (TitleFilter(q="ssh OFF"), {"SSH  off"}),
        (TitleFilter(q="nothing"), set()),
        (TitleFilter(), {"A", "SSH  off"}),
    ],
)
def test_titles_can_be_filtered(wanted: TitleFilter, titles: set[str]) -> None:
    service = Service()
    service.report("i-1", "A")
    service.report("i-2", "SSH  off", severity="CRITICAL", control="ssh-02")
    service.run()

    page = list_titles(service.inbox, wanted, None, 10)

    assert {each.title for each, _ in page.titles} == titles


def test_a_title_that_nobody_checks_any_more_or_that_has_expired_is_listed() -> None:
    service = Service()
    service.report("i-1", "A", "B")
    service.run()
    service.report("i-1", "B", run="run-2", passed=[])
    service.run()
    service.titles.expire("B")

    found = [each for each, _ in list_titles(service.inbox, TitleFilter(), None, 10).titles]

    assert [(each.title, each.nodes, each.unchecked) for each in found] == [("", 1, 0), ("A", 0, 1)]


def test_a_cursor_of_a_title_that_is_gone_begins_anew() -> None:
    service = Service()
    service.report("i-1", "A")
    service.run()

    assert len(list_titles(service.inbox, TitleFilter(), "f" * 16, 10).titles) == 1


def test_a_node_is_shown_or_is_not_known() -> None:
    service = Service()
    service.report("i-1", "A")
    service.run()

    assert get_node(service.inbox, "i-1").open_findings == 1
    with pytest.raises(NotFound, match="i-9"):
        get_node(service.inbox, "i-9")
