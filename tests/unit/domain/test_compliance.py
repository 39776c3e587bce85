"""What SSM Compliance lists: rows, items, and whether a reading is verified."""

from datetime import timedelta

from msgspec.structs import replace

from chalicelib.domain.compliance import (
    Doubt,
    Execution,
    Item,
    ItemList,
    NodeReport,
    SummaryRow,
    compute_fingerprint,
    derive_control_ids,
    find_doubt,
    fold_items,
    group_reports,
    select_items,
    settle_doubt,
)
from tests.fleet import START, TYPE, make_item

LATER = START + timedelta(hours=1)


def make_row(compliance_type: str, run: str, minutes: int, count: int = 1) -> SummaryRow:
    at = START + timedelta(minutes=minutes)
    return SummaryRow("i-1", compliance_type, Execution(run, at, count), compliant=1)


def make_report(count: int, compliant: int = 1) -> NodeReport:
    row = SummaryRow("i-1", TYPE, Execution("run-1", START, count), compliant)
    return group_reports([row], START)["i-1"]


def derive_from(*item_ids: str | None) -> tuple[str, ...]:
    return derive_control_ids([Item(TYPE, "run", each, "title", "LOW") for each in item_ids])


def test_if_two_types_differ_only_in_case_the_newest_row_counts() -> None:
    rows = [make_row("Custom:InSpec", "old", 0), make_row("Custom:Inspec", "new", 5)]

    for order in (rows, rows[::-1]):
        report = group_reports(order, LATER)["i-1"]

        assert [each.execution_id for each in report.executions.values()] == ["new"]
        assert report.types == ("Custom:Inspec",)
        assert report.superseded == {"Custom:InSpec"}


def test_the_same_row_twice_counts_once() -> None:
    row = make_row(TYPE, "run", 0, count=3)

    assert group_reports([row, row], START)["i-1"].count == 3


def test_two_types_of_a_node_are_counted_together() -> None:
    rows = [make_row(TYPE, "a", 0, 2), make_row("Custom:Other", "b", 9, 3)]

    report = group_reports(rows, LATER)["i-1"]

    assert report.count == 5
    assert report.executed_at == START + timedelta(minutes=9)
    assert set(report.executions) == {"custom:inspec", "custom:other"}


def test_a_running_index_is_removed_if_every_id_ends_in_its_own() -> None:
    assert derive_from("ec2-ssh-01-3", "ec2-ssh-01-4", "ec2-acct-02-11") == (
        "ec2-ssh-01",
        "ec2-ssh-01",
        "ec2-acct-02",
    )


def test_ids_that_repeat_or_have_no_index_are_control_ids() -> None:
    assert derive_from("a-1", "a-1") == ("a-1", "a-1")
    assert derive_from("ec2-ssh-01", "ec2-ssh-02") == ("ec2-ssh-01", "ec2-ssh-02")
    assert derive_from("a-1", "sshd") == ("a-1", "sshd")


def test_an_item_without_an_id_has_no_control_id_and_does_not_affect_the_others() -> None:
    assert derive_from(None, "a-01-7", "b-2") == ("", "a-01", "b")


def test_a_title_keeps_its_worst_severity_in_any_order_of_the_items() -> None:
    severities = [("A", "LOW"), ("A", "HIGH"), ("B", "odd")]
    items = [make_item(title, severity=severity) for title, severity in severities]

    for order in (items, items[::-1]):
        folded = fold_items("i-1", order)

        assert [(each.title, each.severity) for each in folded.observations] == [
            ("A", "HIGH"),
            ("B", "UNSPECIFIED"),
        ]


def test_items_without_a_title_are_counted_and_not_observed() -> None:
    items = [make_item(title) for title in (None, "", " \n", "A")]

    folded = fold_items("i-1", items)

    assert (len(folded.observations), folded.untitled) == (1, 3)


def test_items_of_a_superseded_spelling_are_dropped() -> None:
    report = replace(make_report(1), superseded=frozenset({"Custom:Inspec"}))
    items = [make_item("A"), make_item("B", compliance_type="Custom:Inspec")]

    assert select_items(report, items) == (items[0],)


def test_a_reading_with_the_reported_number_of_items_of_the_execution_is_verified() -> None:
    items = [make_item("A", item_id="a-1"), make_item("A", item_id="a-2")]

    assert find_doubt(make_report(2), items) is None


def test_a_different_number_of_items_than_the_summary_reports_is_a_doubt() -> None:
    assert find_doubt(make_report(2), [make_item("A")]) is Doubt.COUNT_DIFFERS
    assert find_doubt(make_report(0), [make_item("A")]) is Doubt.COUNT_DIFFERS


def test_an_item_of_another_execution_or_type_is_a_doubt() -> None:
    other_execution = [make_item("A"), make_item("B", execution="run-0")]
    other_type = [make_item("A"), make_item("B", compliance_type="Custom:Other")]

    assert find_doubt(make_report(2), other_execution) is Doubt.EXECUTION_DIFFERS
    assert find_doubt(make_report(2), other_type) is Doubt.EXECUTION_DIFFERS


def test_the_case_of_the_compliance_type_does_not_matter() -> None:
    items = [make_item("A", compliance_type="CUSTOM:inspec")]

    assert find_doubt(make_report(1), items) is None


def test_a_report_without_any_check_is_a_doubt() -> None:
    assert find_doubt(make_report(0, compliant=0), []) is Doubt.NOTHING_CHECKED
    assert find_doubt(make_report(0, compliant=1), []) is None


def test_an_item_that_is_there_twice_may_hide_another_only_between_two_pages() -> None:
    twice = (make_item("A"), make_item("A"))

    assert find_doubt(make_report(2), twice) is None
    assert not ItemList(twice, pages=1).may_hide_items
    assert ItemList(twice, pages=2).may_hide_items
    assert not ItemList((make_item("A"), make_item("B")), pages=2).may_hide_items


def test_repetition_settles_an_item_that_is_there_twice() -> None:
    fingerprint = compute_fingerprint([make_item("A"), make_item("A")])

    assert settle_doubt(Doubt.LISTED_TWICE, fingerprint, "another") is Doubt.LISTED_TWICE
    assert settle_doubt(Doubt.LISTED_TWICE, fingerprint, fingerprint) is None


def test_two_scans_that_read_the_same_settle_a_different_count() -> None:
    items = [make_item("A"), make_item("B")]
    fingerprint = compute_fingerprint(items)

    assert fingerprint == compute_fingerprint(items[::-1])
    assert settle_doubt(Doubt.COUNT_DIFFERS, fingerprint, fingerprint) is None


def test_two_different_readings_settle_nothing() -> None:
    one, other = compute_fingerprint([make_item("A")]), compute_fingerprint([make_item("B")])

    assert one != other != compute_fingerprint([make_item("B", execution="run-2")])
    assert settle_doubt(Doubt.COUNT_DIFFERS, one, other) is Doubt.COUNT_DIFFERS


def test_repetition_does_not_settle_items_of_another_execution() -> None:
    fingerprint = compute_fingerprint([make_item("A")])
    doubt = Doubt.EXECUTION_DIFFERS

    assert settle_doubt(doubt, fingerprint, fingerprint) is Doubt.EXECUTION_DIFFERS


def test_a_verified_reading_stays_verified() -> None:
    one, other = compute_fingerprint([make_item("A")]), compute_fingerprint([make_item("B")])

    assert settle_doubt(None, one, other) is None


def test_an_empty_reading_settles_nothing_however_often_it_is_repeated() -> None:
    assert compute_fingerprint([]) == ""
    assert settle_doubt(Doubt.COUNT_DIFFERS, "", "") is Doubt.COUNT_DIFFERS
