from chalicelib.domain.errors import DeliveryError
from chalicelib.domain.snooze import State
from chalicelib.usecases.inbox.overview import list_nodes, list_scans, summarize
from tests.fleet import HOUR, MINUTE, Service, make_snooze


def test_nodes_are_listed_once_each_whatever_the_page() -> None:
    service = Service()
    for number in range(7):
        service.report(f"i-{number}", "A")
    service.run()
    found, after = [], None
    while True:
        page = list_nodes(service.inbox, after, 3)
        found += [node.instance_id for node in page.nodes]
        after = page.after
        if after is None:
            break
    assert sorted(found) == [f"i-{number}" for number in range(7)]


def test_scans_come_newest_first_with_their_delivery() -> None:
    service = Service()
    service.report("i-1", "A")
    first = service.run()
    service.clock.forward(MINUTE)
    silent = service.run()
    service.clock.forward(MINUTE)
    service.channel.fail_post(DeliveryError("service_unavailable", retryable=True))
    service.report("i-1", "A", "B", run="run-2")
    stuck = service.run()
    page = list_scans(service.inbox, None, 2)
    assert [(scan.scan_id, state) for scan, state in page.scans] == [
        (stuck.scan_id, "pending"),
        (silent.scan_id, "no message"),
    ]
    rest = list_scans(service.inbox, page.after, 2)
    assert [(scan.scan_id, state) for scan, state in rest.scans] == [(first.scan_id, "sent")]
    assert rest.after is None


def test_the_summary_sums_nodes_and_counts_snoozes_by_state() -> None:
    service = Service()
    assert summarize(service.inbox).last_scan is None
    service.report("i-1", "A", "B")
    service.report("i-2", "A", severity="LOW")
    service.report("i-3", compliant=0)
    service.run()
    service.compliance.remove("i-1")
    service.clock.forward(MINUTE)
    report = service.run()
    service.ledger.snoozes |= {
        "s-1": make_snooze(),
        "s-2": make_snooze(id="s-2", ended_at=service.clock.now),
        "s-3": make_snooze(id="s-3", starts_at=service.clock.now + HOUR),
    }
    summary = summarize(service.inbox)
    assert summary.open == {"HIGH": 2, "LOW": 1}
    assert (summary.nodes_known, summary.nodes_missing, summary.nodes_unverified) == (3, 1, 1)
    assert summary.snoozes == {State.ACTIVE: 1, State.PENDING: 1, State.ENDED: 1}
    assert summary.last_scan
    assert summary.last_scan.scan_id == report.scan_id
    assert summary.messages_pending == 0
