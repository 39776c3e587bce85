from datetime import timedelta

from chalicelib.domain.compliance import (
    Execution,
    Item,
    SummaryRow,
    derive_control_ids,
    fold_items,
    group_reports,
)
from tests.fleet import START, TYPE, make_item


def row(node: str, kind: str, run: str, minutes: int, count: int = 1) -> SummaryRow:
    at = START + timedelta(minutes=minutes)
    return SummaryRow(node, kind, Execution(run, at, count), compliant=1)


def ids(*values: str | None) -> tuple[str, ...]:
    return derive_control_ids([Item(TYPE, "run", value, "title", "LOW") for value in values])


def test_of_types_that_differ_only_in_case_the_newest_row_wins() -> None:
    rows = [row("i-1", "Custom:InSpec", "old", 0), row("i-1", "Custom:Inspec", "new", 5)]
    for order in (rows, rows[::-1]):
        report = group_reports(order)["i-1"]
        assert [each.execution_id for each in report.executions.values()] == ["new"]
        assert report.types == ("Custom:Inspec",)
        assert report.superseded == {"Custom:InSpec"}


def test_the_same_row_twice_counts_once() -> None:
    same = row("i-1", TYPE, "run", 0, count=3)
    assert group_reports([same, same])["i-1"].count == 3


def test_two_types_of_a_node_are_counted_together() -> None:
    report = group_reports([row("i-1", TYPE, "a", 0, 2), row("i-1", "Custom:Other", "b", 9, 3)])[
        "i-1"
    ]
    assert report.count == 5
    assert report.executed_at == START + timedelta(minutes=9)
    assert set(report.executions) == {"custom:inspec", "custom:other"}


def test_a_running_index_is_stripped_where_every_id_has_its_own() -> None:
    assert ids("ec2-ssh-01-3", "ec2-ssh-01-4", "ec2-acct-02-11") == (
        "ec2-ssh-01",
        "ec2-ssh-01",
        "ec2-acct-02",
    )


def test_ids_that_repeat_or_have_no_index_are_control_ids_already() -> None:
    assert ids("a-1", "a-1") == ("a-1", "a-1")
    assert ids("ec2-ssh-01", "ec2-ssh-02") == ("ec2-ssh-01", "ec2-ssh-02")
    assert ids("a-1", "sshd") == ("a-1", "sshd")


def test_a_missing_id_leaves_the_control_empty_and_the_others_alone() -> None:
    assert ids(None, "a-01-7", "b-2") == ("", "a-01", "b")


def test_folding_keeps_the_worst_of_a_title_whatever_the_order() -> None:
    items = [
        make_item("A", severity="LOW"),
        make_item("A", severity="HIGH"),
        make_item("B", severity="odd"),
    ]
    for order in (items, items[::-1]):
        folded = fold_items("i-1", order)
        assert [(each.title, each.severity) for each in folded.observations] == [
            ("A", "HIGH"),
            ("B", "UNSPECIFIED"),
        ]


def test_items_without_a_title_are_set_aside_and_counted() -> None:
    folded = fold_items("i-1", [make_item(None), make_item(""), make_item(" \n"), make_item("A")])
    assert (len(folded.observations), folded.untitled) == (1, 3)
