from dataclasses import replace

from chalicelib.domain.compliance import (
    Doubt,
    Execution,
    NodeReport,
    SummaryRow,
    compute_fingerprint,
    drop_superseded,
    find_doubt,
    group_reports,
    settle_doubt,
)
from tests.fleet import START, TYPE, make_item


def report(count: int, compliant: int = 1) -> NodeReport:
    row = SummaryRow("i-1", TYPE, Execution("run-1", START, count), compliant)
    return group_reports([row])["i-1"]


def test_as_many_items_as_announced_all_of_the_execution_are_proof() -> None:
    assert (
        find_doubt(report(2), [make_item("A", item_id="a-1"), make_item("A", item_id="a-2")])
        is None
    )


def test_an_item_that_is_listed_twice_may_stand_for_one_that_is_not() -> None:
    twice = [make_item("A"), make_item("A")]
    assert find_doubt(report(2), twice) is Doubt.LISTED_TWICE
    shown = compute_fingerprint(twice)
    assert settle_doubt(Doubt.LISTED_TWICE, shown, "another") is Doubt.LISTED_TWICE
    assert settle_doubt(Doubt.LISTED_TWICE, shown, shown) is None


def test_more_or_fewer_items_than_announced_are_no_proof() -> None:
    assert find_doubt(report(2), [make_item("A")]) is Doubt.COUNT_DIFFERS
    assert find_doubt(report(0), [make_item("A")]) is Doubt.COUNT_DIFFERS


def test_one_item_of_another_execution_or_type_is_no_proof() -> None:
    other = [make_item("A"), make_item("B", execution="run-0")]
    assert find_doubt(report(2), other) is Doubt.EXECUTION_DIFFERS
    foreign = [make_item("A"), make_item("B", compliance_type="Custom:Other")]
    assert find_doubt(report(2), foreign) is Doubt.EXECUTION_DIFFERS


def test_the_case_of_the_type_does_not_matter() -> None:
    assert find_doubt(report(1), [make_item("A", compliance_type="CUSTOM:inspec")]) is None


def test_no_check_at_all_is_no_proof() -> None:
    assert find_doubt(report(0, compliant=0), []) is Doubt.NOTHING_CHECKED
    assert find_doubt(report(0, compliant=1), []) is None


def test_what_an_earlier_pass_read_the_same_is_proof_against_the_count() -> None:
    twice = [make_item("A"), make_item("B")]
    assert compute_fingerprint(twice) == compute_fingerprint(twice[::-1])
    assert (
        settle_doubt(Doubt.COUNT_DIFFERS, compute_fingerprint(twice), compute_fingerprint(twice))
        is None
    )


def test_another_reading_or_another_execution_is_no_proof() -> None:
    one, other = compute_fingerprint([make_item("A")]), compute_fingerprint([make_item("B")])
    assert one != other != compute_fingerprint([make_item("B", execution="run-2")])
    assert settle_doubt(Doubt.COUNT_DIFFERS, one, other) is Doubt.COUNT_DIFFERS
    assert settle_doubt(Doubt.EXECUTION_DIFFERS, one, one) is Doubt.EXECUTION_DIFFERS
    assert settle_doubt(None, one, other) is None


def test_a_reading_that_shows_nothing_proves_nothing_however_often() -> None:
    assert compute_fingerprint([]) == ""
    assert settle_doubt(Doubt.COUNT_DIFFERS, "", "") is Doubt.COUNT_DIFFERS


def test_items_of_a_superseded_spelling_do_not_count() -> None:
    both = replace(report(1), superseded=frozenset({"Custom:Inspec"}))
    items = [make_item("A"), make_item("B", compliance_type="Custom:Inspec")]
    assert drop_superseded(both, items) == (items[0],)
