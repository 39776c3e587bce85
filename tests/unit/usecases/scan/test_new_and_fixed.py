"""What a scan stores and announces when findings appear, change and disappear."""

from chalicelib.domain.finding import Finding, Severity, finding_id
from chalicelib.usecases.context import Options
from chalicelib.usecases.inbox.findings import list_finding_history
from tests.fleet import HOUR, START, TYPE, Service, make_item


def test_the_first_scan_announces_every_finding_once(service: Service) -> None:
    service.enqueue()
    service.report("i-1", "A", "B")
    service.report("i-2", "A")

    report = service.run()

    assert service.list_titles() == ["A", "A", "B"]
    assert report.announcement.announced == 3
    assert service.messages == ["new: A,B,A"]
    assert len(service.channel.attachments) == 1
    assert service.list_jobs() == ()

    service.run()

    assert len(service.messages) == 1


def test_an_unchanged_node_is_not_read_again(service: Service) -> None:
    service.report("i-1", "A")
    service.report("i-2", "B")
    service.run()

    service.report("i-2", "B", run="run-2")
    service.run()

    assert service.compliance.reads == ("i-1", "i-2", "i-2")


def test_a_fixed_finding_is_removed_and_a_new_one_is_announced(service: Service) -> None:
    service.report("i-1", "A", "B")
    service.run()

    service.clock.forward(HOUR)
    service.report("i-1", "B", "C", run="run-2")
    outcome = service.run_to_outcome()

    assert service.list_titles("i-1") == ["B", "C"]
    assert outcome.fixed == 1
    assert service.messages[-1] == "new: C"


def test_first_seen_and_scan_id_survive_a_changed_severity(service: Service) -> None:
    service.report("i-1", "A", severity="CRITICAL")
    service.run()
    (before,) = service.findings.all()

    service.clock.forward(HOUR)
    service.report("i-1", "A", severity="LOW", run="run-2")
    service.run()

    (after,) = service.findings.all()
    assert (after.first_seen, after.scan_id) == (before.first_seen, before.scan_id)
    assert after.severity == "LOW"
    assert len(service.messages) == 1


def test_a_title_listed_twice_is_one_finding_of_the_worst_severity(service: Service) -> None:
    items = [make_item("A", severity=each) for each in ("LOW", "CRITICAL", "HIGH")]
    service.compliance.put("i-1", TYPE, "run-1", START, items)

    service.run()

    (finding,) = service.findings.all()
    assert finding.severity == "CRITICAL"


def test_items_without_a_title_are_counted_and_not_stored(service: Service) -> None:
    items = [make_item(None), make_item("  "), make_item("A", item_id=None, severity="DREADFUL")]
    service.compliance.put("i-1", TYPE, "run-1", START, items)

    outcome = service.run_to_outcome()

    assert outcome.coverage.untitled == 2
    (finding,) = service.findings.all()
    assert (finding.severity, finding.control_id) == ("UNSPECIFIED", "")


def test_later_scans_still_count_items_without_a_title(service: Service) -> None:
    service.compliance.put("i-1", TYPE, "run-1", START, [make_item(None)])
    service.run()

    service.enqueue()
    outcome = service.run_to_outcome()

    assert outcome.coverage.untitled == 1


def test_a_full_scan_also_reads_unchanged_nodes(service: Service) -> None:
    service.report("i-1", "A")
    service.run()
    (finding,) = service.findings.all()
    service.findings.delete([finding.finding_id])

    service.run()

    assert service.list_titles() == []

    service.run(Options(full=True))

    assert service.list_titles() == ["A"]


def test_history_has_each_change_once(service: Service) -> None:
    service.report("i-1", "A")
    service.run()
    service.run(Options(full=True))
    service.clock.forward(HOUR)
    service.report("i-1", run="run-2")

    service.run()

    assert [(each.kind, each.finding) for each in service.journal.events] == [
        ("fixed", Finding("i-1", "A", Severity.HIGH, "ssh-01", START, scan_id=""))
    ]
    events, _ = list_finding_history(service.inbox, finding_id("i-1", "A"))
    assert [(each.kind, each.at) for each in events] == [("new", START), ("fixed", START + HOUR)]
