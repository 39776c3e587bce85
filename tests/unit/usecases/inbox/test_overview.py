"""Nodes, scans and totals, looked up through the API."""

from chalicelib.domain.errors import DeliveryError
from chalicelib.domain.snooze import State
from chalicelib.usecases.inbox.overview import DeliveryState, list_nodes, list_scans, summarize
from tests.fleet import HOUR, MINUTE, Service


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
