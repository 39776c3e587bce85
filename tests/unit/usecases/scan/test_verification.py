"""Readings that do not verify a node: its findings stay, and new ones are still announced."""

from datetime import timedelta

from chalicelib.domain.compliance import Doubt
from tests.fleet import HOUR, MINUTE, START, TYPE, Service, make_item


def test_an_unverified_node_keeps_its_findings_and_is_announced_while_that_lasts(
    service: Service,
) -> None:
    service.report("i-1", "A", "B")
    service.run()

    service.report("i-1", "B", "C", run="run-2")
    service.compliance.change_summary("i-1", TYPE, execution_id="run-3")
    outcome = service.run_to_outcome()

    assert service.list_titles("i-1") == ["A", "B", "C"]
    assert list(outcome.coverage.unverified) == ["i-1"]
    (node,) = service.nodes.all()
    assert node.unverified_since == START
    assert node.executions[TYPE.casefold()].execution_id == "run-1"

    service.clock.forward(15 * MINUTE)
    service.run()

    assert service.messages[1:] == ["new: C"]

    service.clock.forward(15 * MINUTE)
    service.run()
    service.run()

    assert service.messages[2:] == ["incomplete: "]

    service.report("i-1", "B", "C", run="run-4")
    service.run()

    assert service.list_titles("i-1") == ["B", "C"]
    assert service.messages[3:] == ["complete again: "]


def test_a_node_that_reports_while_it_is_read_is_not_announced(service: Service) -> None:
    service.report("i-1", "A")
    service.run()

    for number in range(48):
        service.clock.forward(30 * MINUTE)
        service.report("i-1", "A", run=f"run-{number}")
        service.compliance.change_summary("i-1", TYPE, execution_id="racing")
        service.run()
        service.clock.forward(15 * MINUTE)
        service.report("i-1", "A", run=f"later-{number}")
        service.run()

    assert service.messages == ["new: A"]


def test_two_readings_of_the_same_items_ten_minutes_apart_verify_a_node_against_its_summary(
    service: Service,
) -> None:
    service.report("i-1", "A", "B")
    service.run()
    service.report("i-1", "B", run="run-2")
    service.compliance.change_summary("i-1", TYPE, count=7)

    for _ in range(3):
        service.run()
        service.clock.forward(5 * MINUTE)
        assert service.list_titles("i-1") == ["A", "B"]
        service.clock.forward(timedelta(seconds=-1))

    service.clock.forward(timedelta(seconds=3))
    service.run()

    assert service.list_titles("i-1") == ["B"]


def test_the_ten_minutes_begin_anew_when_other_items_are_read(service: Service) -> None:
    service.report("i-1", "A", "B")
    service.run()
    for title in ("B", "C"):
        service.report("i-1", title, run="run-2")
        service.compliance.change_summary("i-1", TYPE, count=7)
        service.run()
        service.clock.forward(9 * MINUTE)

    service.run()

    assert service.list_titles("i-1") == ["A", "B", "C"]

    service.clock.forward(MINUTE)
    service.run()

    assert service.list_titles("i-1") == ["C"]


def test_a_scan_that_cannot_read_a_node_does_not_begin_the_ten_minutes_anew(
    service: Service,
) -> None:
    service.report("i-1", "A", "B")
    service.run()
    service.report("i-1", "B", run="run-2")
    service.compliance.change_summary("i-1", TYPE, count=7)
    service.run()
    service.clock.forward(5 * MINUTE)
    service.compliance.fail("i-1")
    service.run()

    service.clock.forward(5 * MINUTE)
    service.run()

    assert service.list_titles("i-1") == ["B"]


def test_two_equal_items_on_one_page_are_two_items(service: Service) -> None:
    service.report("i-1", "A", "B")
    service.run()

    service.report("i-1", "B", "B", run="run-2")
    outcome = service.run_to_outcome()

    assert outcome.coverage.unverified == {}
    assert service.list_titles("i-1") == ["B"]


def test_an_item_on_two_pages_is_a_doubt_only_if_a_stored_finding_is_not_there(
    service: Service,
) -> None:
    service.compliance.page_size = 1
    service.report("i-1", "A", "B")
    service.run()

    service.report("i-1", "A", "B", "B", run="run-2")
    assert service.run_to_outcome().coverage.unverified == {}

    service.report("i-1", "B", "B", run="run-3")
    assert service.run_to_outcome().coverage.unverified == {"i-1": Doubt.LISTED_TWICE}
    assert service.list_titles("i-1") == ["A", "B"]

    service.clock.forward(10 * MINUTE)
    service.run()

    assert service.list_titles("i-1") == ["B"]


def test_a_passed_item_on_two_pages_is_a_doubt_only_if_it_may_hide_a_fix(
    service: Service,
) -> None:
    service.compliance.page_size = 1
    service.report("i-1", "A", "B", passed=["P"])
    service.run()

    service.report("i-1", "B", passed=["P", "P", "A"], run="run-2")
    assert service.run_to_outcome().coverage.unverified == {}

    service.report("i-1", passed=["P", "P"], run="run-3")
    assert service.run_to_outcome().coverage.unverified == {"i-1": Doubt.LISTED_TWICE}

    service.report("i-1", passed=["P", "B"], run="run-4")
    outcome = service.run_to_outcome()

    assert outcome.coverage.unverified == {}
    assert service.list_titles("i-1") == []


def test_the_passed_items_of_each_type_are_counted_apart(service: Service) -> None:
    for kind in (TYPE, "Custom:Other"):
        service.report("i-1", kind, passed=["P", "Q"], compliance_type=kind)
    service.run()
    service.report("i-1", passed=["P", "Q", TYPE], run="run-2")
    service.report(
        "i-1", passed=["P", "Q", "Custom:Other"], run="run-2", compliance_type="Custom:Other"
    )
    service.compliance.change_summary("i-1", TYPE, compliant=4)
    service.compliance.change_summary("i-1", "Custom:Other", compliant=2)

    assert service.run_to_outcome().coverage.unverified == {"i-1": Doubt.COUNT_DIFFERS}


def test_a_list_without_the_reported_items_is_never_an_all_clear(service: Service) -> None:
    service.report("i-1", "A", "B")
    service.run()
    service.clock.forward(MINUTE)
    service.enqueue()
    service.report("i-1", run="run-2")
    service.compliance.change_summary("i-1", TYPE, count=3)

    for _ in range(5):
        service.run()
        service.clock.forward(15 * MINUTE)

    assert service.list_titles() == ["A", "B"]
    assert service.messages[1:] == ["incomplete: "]


def test_a_node_where_no_check_ran_keeps_its_findings(service: Service) -> None:
    service.report("i-1", "A")
    service.run()
    service.clock.forward(MINUTE)
    service.enqueue()
    service.report("i-1", run="run-2", compliant=0)

    service.run()

    assert service.list_titles("i-1") == ["A"]
    assert service.messages[1:] == ["incomplete: "]
    assert service.compliance.reads == ("i-1",)


def test_a_node_that_cannot_be_read_does_not_delay_the_others(service: Service) -> None:
    service.report("i-1", "A")
    service.report("i-2", "B")
    service.compliance.fail("i-1")

    service.run()

    assert service.messages == ["new: B"]

    service.run()

    assert service.messages == ["new: B", "new: A"]


def test_nodes_are_deferred_to_the_next_scan_when_the_time_is_up(service: Service) -> None:
    service.report("i-1", "A")

    outcome = service.run_to_outcome(minutes=0.75)

    assert outcome.coverage.deferred == 1
    assert service.messages == []

    service.clock.forward(30 * MINUTE)
    service.run(minutes=0.75)

    assert service.messages == ["incomplete: "]

    service.run()

    assert service.messages[1:] == ["new: A"]


def test_an_unverified_node_that_leaves_the_list_stays_unverified(service: Service) -> None:
    service.report("i-2", "B")
    service.compliance.put("i-1", TYPE, "run-1", START, [], compliant=0)
    service.run()

    service.compliance.remove("i-1")
    outcome = service.run_to_outcome()

    assert outcome.coverage.unverified == {"i-1": Doubt.NOT_LISTED}
    assert service.messages == ["new: B"]

    service.clock.forward(HOUR)
    service.run()

    assert service.messages[1:] == ["complete again: "]


def test_findings_of_an_absent_compliance_type_stay_for_an_hour(service: Service) -> None:
    service.report("i-1", "A")
    other = [make_item("B", compliance_type="Custom:Other")]
    service.compliance.put("i-1", "Custom:Other", "run-1", START, other)
    service.run()

    service.compliance.remove("i-1")
    service.report("i-1", "A", run="run-2")
    service.run()

    assert service.list_titles() == ["A", "B"]

    service.clock.forward(30 * MINUTE)
    service.run()

    assert service.messages[1:] == ["incomplete: "]

    service.clock.forward(30 * MINUTE)
    service.run()

    assert service.list_titles() == ["A"]
    assert [each.finding.title for each in service.unchecked.all()] == ["B"]
    assert service.messages[2:] == ["not checked: "]
