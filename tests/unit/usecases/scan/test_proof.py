"""Time is not trusted, and a row that proves nothing hurts nobody else."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from chalicelib.domain.compliance import Doubt, ItemList
from chalicelib.domain.errors import Unavailable
from tests.fakes import MemoryCompliance, PassThrough
from tests.fleet import DAY, HOUR, MINUTE, START, TYPE, Service, make_item

OTHER = "Custom:Other"
YEARS = timedelta(days=3650)


def report_type(
    service: Service,
    compliance_type: str,
    *titles: str,
    run: str = "run-1",
    at: datetime | None = None,
    compliant: int = 1,
) -> None:
    """Lets i-1 report these titles for a type, at this time by its own clock."""
    items = [
        make_item(title, execution=run, compliance_type=compliance_type, item_id=title)
        for title in titles
    ]
    at = at or service.clock.now
    service.compliance.put("i-1", compliance_type, run, at, items, compliant=compliant)


def find_reason(service: Service) -> str | None:
    """Runs a scan, and returns why i-1 is unverified."""
    return service.run_to_outcome().coverage.unverified.get("i-1")


# Older executions


def test_a_list_that_lags_behind_brings_back_no_finding_and_fixes_none(service: Service) -> None:
    report_type(service, TYPE, "A", "B")
    service.run()
    service.clock.forward(10 * MINUTE)
    report_type(service, TYPE, "B", "C", run="run-2")
    service.run()

    report_type(service, TYPE, "A", "B", run="run-1", at=START)
    reason = find_reason(service)

    assert reason == Doubt.OLDER_EXECUTION
    assert service.list_titles() == ["B", "C"]
    assert service.compliance.reads == ("i-1", "i-1"), "what is ignored is not read"

    report_type(service, TYPE, "B", "C", run="run-2", at=START + 10 * MINUTE)

    assert find_reason(service) is None
    assert service.messages == ["new: A,B", "new: C"]


def test_an_older_execution_counts_after_an_hour_however_often_the_node_reports(
    service: Service,
) -> None:
    report_type(service, TYPE, "A")
    service.run()

    for minutes in range(0, 60, 20):
        report_type(service, TYPE, "B", run=f"back-{minutes}", at=service.clock.now - DAY)
        assert find_reason(service) == Doubt.OLDER_EXECUTION
        assert service.list_titles() == ["A"]
        service.clock.forward(20 * MINUTE)

    report_type(service, TYPE, "B", run="back-60", at=service.clock.now - DAY)

    assert find_reason(service) is None
    assert service.list_titles() == ["B"]

    service.clock.forward(20 * MINUTE)
    report_type(service, TYPE, "C", run="back-80", at=service.clock.now - DAY)

    assert find_reason(service) is None, "from now on its clock is the one that counts"
    assert service.list_titles() == ["C"]


def test_each_lag_of_a_list_has_an_hour_of_its_own(service: Service) -> None:
    report_type(service, TYPE, "A")
    service.run()
    for _ in range(3):
        service.clock.forward(40 * MINUTE)
        report_type(service, TYPE, "old", run="run-0", at=START - DAY)
        assert find_reason(service) == Doubt.OLDER_EXECUTION
        report_type(service, TYPE, "A", at=START)
        assert find_reason(service) is None

    assert service.list_titles() == ["A"]


def test_the_other_types_of_a_node_are_read_while_one_shows_an_older_execution(
    service: Service,
) -> None:
    report_type(service, TYPE, "A")
    report_type(service, OTHER, "B")
    service.run()

    service.clock.forward(MINUTE)
    report_type(service, TYPE, "new", run="run-2")
    report_type(service, OTHER, "old", run="run-0", at=START - DAY)

    assert find_reason(service) == Doubt.OLDER_EXECUTION
    assert service.list_titles() == ["A", "B", "new"]

    service.clock.forward(HOUR)
    service.run()

    assert service.list_titles() == ["new", "old"]


def test_the_hour_of_an_older_execution_passes_while_nothing_can_be_read(service: Service) -> None:
    report_type(service, TYPE, "A")
    service.run()
    report_type(service, TYPE, "B", run="back", at=START - DAY)

    assert service.run_to_outcome(minutes=0.75).coverage.deferred == 1

    service.clock.forward(HOUR)

    assert find_reason(service) is None
    assert service.list_titles() == ["B"]


def test_a_list_may_also_lag_behind_what_could_not_be_verified(service: Service) -> None:
    report_type(service, TYPE, "A")
    service.run()
    service.clock.forward(MINUTE)
    report_type(service, TYPE, "A", "new", run="run-2")
    service.compliance.change_summary("i-1", TYPE, count=3)
    assert find_reason(service) == Doubt.COUNT_DIFFERS

    report_type(service, TYPE, "A", at=START)
    for _ in range(2):
        assert find_reason(service) == Doubt.OLDER_EXECUTION
        assert service.list_titles() == ["A", "new"]

    report_type(service, TYPE, "A", "new", run="run-2", at=START + MINUTE)
    assert find_reason(service) is None
    assert service.list_titles() == ["A", "new"]
    assert service.messages == ["new: A", "new: new"]


# Clocks ahead of ours


def test_a_time_ahead_of_ours_counts_as_the_time_at_which_it_was_seen(service: Service) -> None:
    report_type(service, TYPE, "A", "B", at=START + YEARS)
    service.run()

    (first, _) = service.findings.all()
    assert first.first_seen == START

    service.clock.forward(HOUR)
    report_type(service, TYPE, "A", run="run-2", at=START + YEARS + HOUR)
    service.run()

    assert service.list_titles() == ["A"]
    ((event,),) = ([row] for row in service.ledger.history.values())
    assert event.at == START + HOUR


def test_a_clock_that_is_put_right_is_not_set_back(service: Service) -> None:
    report_type(service, TYPE, "A", at=START + YEARS)
    service.run()

    service.clock.forward(MINUTE)
    report_type(service, TYPE, "B", run="run-2")

    assert find_reason(service) is None
    assert service.list_titles() == ["B"]


def test_an_unchanged_node_with_a_clock_ahead_is_not_read_again(service: Service) -> None:
    report_type(service, TYPE, "A", at=START + YEARS)
    for _ in range(3):
        service.run()
        service.clock.forward(HOUR)

    assert service.compliance.reads == ("i-1",)


# Types that are absent


def test_the_absence_of_a_type_has_an_hour_of_its_own(service: Service) -> None:
    """The node may be unverified for long, for another reason."""
    report_type(service, TYPE, "A")
    report_type(service, OTHER, "B")
    service.run()
    report_type(service, TYPE, "A", run="run-2", compliant=0)
    service.compliance.change_summary("i-1", TYPE, execution_id="torn")
    service.run()
    service.clock.forward(2 * HOUR)
    service.run()

    service.compliance.remove_type("i-1", OTHER)
    report_type(service, TYPE, "A", run="run-3")

    assert find_reason(service) == Doubt.TYPE_NOT_LISTED
    service.clock.forward(59 * MINUTE)
    assert find_reason(service) == Doubt.TYPE_NOT_LISTED
    assert service.list_titles() == ["A", "B"]

    service.clock.forward(MINUTE)

    assert find_reason(service) is None
    assert service.list_titles() == ["A"]


def test_a_type_that_is_back_ends_its_hour(service: Service) -> None:
    report_type(service, TYPE, "A")
    report_type(service, OTHER, "B")
    service.run()
    for _ in range(3):
        service.compliance.remove_type("i-1", OTHER)
        assert find_reason(service) == Doubt.TYPE_NOT_LISTED
        service.clock.forward(40 * MINUTE)
        report_type(service, OTHER, "B", at=START)
        # it is back only for a scan that reads nothing
        service.run(minutes=0.75)
        service.clock.forward(MINUTE)

    assert service.list_titles() == ["A", "B"]


def test_a_type_that_was_given_up_and_comes_back_has_a_new_hour(service: Service) -> None:
    report_type(service, TYPE, "A")
    report_type(service, OTHER, "B")
    service.run()
    service.compliance.remove_type("i-1", OTHER)
    service.run()
    service.clock.forward(HOUR)
    service.run()
    assert service.list_titles() == ["A"]

    report_type(service, OTHER, "B", run="run-2")
    service.run()
    service.compliance.remove_type("i-1", OTHER)

    assert find_reason(service) == Doubt.TYPE_NOT_LISTED
    assert service.list_titles() == ["A", "B"]


@pytest.mark.parametrize("flaw", [None, Doubt.NO_COUNT])
def test_a_type_that_was_never_verified_has_an_hour_too(
    service: Service, flaw: Doubt | None
) -> None:
    report_type(service, TYPE, "A")
    service.run()
    report_type(service, OTHER, "B")
    service.compliance.change_summary("i-1", OTHER, execution_id="torn", flaw=flaw)
    assert find_reason(service) == (flaw or Doubt.EXECUTION_DIFFERS)
    service.compliance.remove_type("i-1", OTHER)

    for _ in range(2):
        assert find_reason(service) == Doubt.TYPE_NOT_LISTED
        assert service.list_titles() == ["A", "B"]

    service.clock.forward(HOUR)

    assert find_reason(service) is None
    assert service.list_titles() == ["A"]


# Nodes that are back


class CannotSettle(PassThrough):
    """Facts that cannot be written, so that a scan with changes fails."""

    def settle(self, settlement: object) -> None:
        raise Unavailable(f"the ledger did not answer: {settlement}")


def test_a_node_that_is_back_is_not_missing_even_if_the_rest_of_the_scan_fails(
    service: Service,
) -> None:
    report_type(service, TYPE, "A")
    service.report("i-2", "B")
    service.run()
    service.compliance.remove("i-1")
    service.run()
    service.clock.forward(40 * MINUTE)
    report_type(service, TYPE, "A", "C", run="run-2")
    failed = service.run(facts=CannotSettle(service.context.facts))
    assert failed.failure is not None

    service.compliance.remove("i-1")
    service.clock.forward(40 * MINUTE)
    service.run()

    assert service.list_titles("i-1") == ["A"], "its hour begins anew"

    report_type(service, TYPE, "A", "C", run="run-2")
    service.run()

    assert service.list_titles("i-1") == ["A", "C"]


def test_a_node_that_is_back_and_unverified_is_not_missing(service: Service) -> None:
    report_type(service, TYPE, "A")
    service.report("i-2", "B")
    service.run()
    service.compliance.remove("i-1")
    service.run()
    report_type(service, TYPE, "A", run="run-2")
    service.compliance.change_summary("i-1", TYPE, execution_id="torn")

    assert find_reason(service) == Doubt.EXECUTION_DIFFERS

    (node,) = (each for each in service.nodes.all() if each.instance_id == "i-1")
    assert node.missing_since is None


def test_a_node_that_is_back_is_read_again_even_if_that_takes_two_scans(service: Service) -> None:
    report_type(service, TYPE, "A")
    service.report("i-2", "B")
    service.run()
    service.compliance.remove("i-1")
    service.run()
    report_type(service, TYPE, "A", at=START)

    service.run(minutes=0.75)
    service.run()

    assert service.compliance.reads == ("i-1", "i-2", "i-1")


def test_our_own_clock_may_be_set_back(service: Service) -> None:
    report_type(service, TYPE, "A")
    service.report("i-2", "B")
    service.run()
    service.clock.forward(YEARS)
    service.compliance.remove("i-1")
    service.run()
    service.clock.forward(-YEARS)
    service.run()
    service.clock.forward(HOUR)
    service.run()

    assert service.list_titles() == ["B"], "a node is gone after an hour, not after years"


# Rows that prove nothing


@pytest.mark.parametrize("flaw", [Doubt.NO_EXECUTION, Doubt.NO_COUNT])
@pytest.mark.parametrize("titles", [("A",), ("A", "new"), ()])
def test_a_flawed_row_fixes_nothing_and_hurts_no_other_node(
    service: Service, flaw: Doubt, titles: Sequence[str]
) -> None:
    report_type(service, TYPE, "A", "B")
    service.report("i-2", "C", "D")
    service.run()
    service.clock.forward(MINUTE)
    service.report("i-2", "C", "E", run="run-2")
    report_type(service, TYPE, *titles, run="run-2")
    service.compliance.change_summary("i-1", TYPE, flaw=flaw)

    assert find_reason(service) == flaw
    assert service.list_titles("i-1") == sorted({"A", "B", *titles})
    assert service.list_titles("i-2") == ["C", "E"]

    report_type(service, TYPE, *titles, run="run-3")

    assert find_reason(service) is None
    assert service.list_titles("i-1") == sorted(titles)


def test_what_a_new_node_with_a_flawed_row_shows_is_first_seen_now(service: Service) -> None:
    report_type(service, TYPE, "A")
    service.compliance.change_summary("i-1", TYPE, flaw=Doubt.NO_EXECUTION)

    service.run()

    (finding,) = service.findings.all()
    assert finding.first_seen == START
    assert service.messages == ["new: A"]


def test_a_verified_node_with_a_flawed_row_of_another_type_is_unverified(
    service: Service,
) -> None:
    report_type(service, TYPE, "A")
    service.run()
    report_type(service, OTHER, "B")
    service.compliance.change_summary("i-1", OTHER, flaw=Doubt.NO_COUNT)

    assert find_reason(service) == Doubt.NO_COUNT
    assert service.list_titles() == ["A", "B"]


def test_a_row_that_names_no_execution_and_no_failure_needs_no_call(service: Service) -> None:
    report_type(service, TYPE)
    service.compliance.change_summary("i-1", TYPE, flaw=Doubt.NO_EXECUTION)

    assert find_reason(service) == Doubt.NO_EXECUTION
    assert service.compliance.reads == ()


def test_a_flawed_row_in_another_spelling_replaces_nothing_and_is_replaced_by_nothing(
    service: Service,
) -> None:
    report_type(service, TYPE, "A")
    service.run()
    spelt = TYPE.upper()
    report_type(service, spelt, "new", run="run-2")
    service.compliance.change_summary("i-1", spelt, flaw=Doubt.NO_EXECUTION)

    assert find_reason(service) == Doubt.NO_EXECUTION
    assert service.list_titles() == ["A", "new"]


def test_a_node_where_one_of_several_types_checked_nothing_keeps_all_findings(
    service: Service,
) -> None:
    report_type(service, TYPE, "A", "B")
    report_type(service, OTHER, "C")
    service.run()
    service.clock.forward(MINUTE)
    report_type(service, TYPE, "B", "new", run="run-2")
    report_type(service, OTHER, run="run-2", compliant=0)

    assert find_reason(service) == Doubt.NOTHING_CHECKED
    assert service.list_titles() == ["A", "B", "C", "new"]


# What else an execution may look like


def test_the_same_execution_with_another_count_is_read_again(service: Service) -> None:
    report_type(service, TYPE, "A")
    service.run()
    report_type(service, TYPE, "A", "B", at=START)

    assert find_reason(service) is None
    assert service.list_titles() == ["A", "B"]


def test_two_types_may_have_the_same_execution_id(service: Service) -> None:
    report_type(service, TYPE, "A")
    report_type(service, OTHER, "B")

    assert find_reason(service) is None

    items = [make_item("A", compliance_type=OTHER), make_item("B", execution="run-2")]
    service.compliance.put("i-1", TYPE, "run-2", START, items)

    assert find_reason(service) == Doubt.COUNT_DIFFERS, "an item counts for its own type"


def test_a_node_may_have_300_types(service: Service) -> None:
    for number in range(300):
        report_type(service, f"Custom:Type{number}", f"title {number}", run=f"run-{number}")

    assert find_reason(service) is None
    assert len(service.list_titles()) == 300
    for number in range(0, 300, 2):
        service.compliance.remove_type("i-1", f"Custom:Type{number}")
    assert find_reason(service) == Doubt.TYPE_NOT_LISTED
    service.clock.forward(HOUR)
    assert find_reason(service) is None
    assert len(service.list_titles()) == 150


@pytest.mark.parametrize("first", [0, 1])
def test_of_two_rows_of_a_node_and_type_the_newest_counts(service: Service, first: int) -> None:
    """The list may have changed between two pages."""
    compliance = service.compliance
    report_type(service, TYPE, "A", run="run-1")
    rows = [*compliance.summaries()]
    report_type(service, TYPE, "B", run="run-2", at=START + MINUTE)
    service.clock.forward(MINUTE)
    rows += compliance.summaries()
    compliance.repeated = [rows[first]]

    assert find_reason(service) is None
    assert service.list_titles() == ["B"]


def test_of_two_spellings_one_with_a_time_ahead_of_ours_is_the_older(service: Service) -> None:
    report_type(service, TYPE, "old", at=START + YEARS)
    report_type(service, TYPE.upper(), "new", run="run-2")
    for _ in range(3):
        assert find_reason(service) is None
        assert service.list_titles() == ["new"]


def test_items_are_read_of_types_that_count_only() -> None:
    class ReturnsEverything(MemoryCompliance):
        """Ignores the filter."""

        def items(self, instance_id: str, types: Sequence[str]) -> ItemList:
            found = super().items(instance_id, types)
            old = make_item("old", compliance_type=OTHER, execution="run-0")
            return replace(found, items=(*found.items, old))

    service = Service(compliance=ReturnsEverything())
    report_type(service, OTHER, run="run-1")
    service.run()
    report_type(service, TYPE, "A")
    report_type(service, OTHER, "old", run="run-0", at=START - DAY)
    service.run()

    assert service.list_titles() == ["A"]
