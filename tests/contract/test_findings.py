import pytest
from msgspec.structs import replace

from chalicelib.domain.finding import Finding, Severity, finding_id
from tests.contract.samples import make_finding
from tests.contract.stores import Stores, list_by_node, list_by_title

# Below and above the 25 rows of a batch write and the 100 of a batch read.
SIZES = [0, 1, 26, 130]
# This number of rows of a kilobyte exceeds the megabyte at which DynamoDB ends a page.
MANY = 1_100

HOSTILE = [
    "x" * 500,
    "🔥" * 500,
    "two\nlines\r\n\tand a tab",
    "'single' \"double\" `back` \\ slash",
    "\u202egnp.exe\u2066 bidi \u2069",
    "nul \x00 inside",
    "  blanks around  ",
    "<!channel> & =cmd|' /C calc'!A0",
    "caf\u00e9",
    "cafe\u0301",
    "\ufeffmark and \uffff and \U0010ffff",
]


def read_all(stores: Stores) -> dict[str, Finding]:
    rows = list(stores.findings.all())
    by_id = {row.finding_id: row for row in rows}
    assert len(by_id) == len(rows)
    return by_id


@pytest.mark.parametrize("size", SIZES)
def test_findings_are_read_in_every_way_until_they_are_deleted(stores: Stores, size: int) -> None:
    findings = [make_finding(number) for number in range(size)]
    by_id = {each.finding_id: each for each in findings}
    stores.findings.put(iter(findings))

    assert read_all(stores) == by_id
    assert stores.findings.get(iter(by_id)) == by_id
    of_node = list_by_node(stores, "i-0123456789abcdef0")
    assert [each.finding_id for each in of_node] == sorted(by_id)
    for each in findings[:2]:
        assert tuple(list_by_title(stores, each.title)) == (each,)

    stores.findings.delete(iter(by_id))
    assert read_all(stores) == {}
    assert stores.findings.get(by_id) == {}
    assert not list_by_node(stores, "i-0123456789abcdef0")


def test_a_node_with_more_than_a_page_is_read_completely(stores: Stores) -> None:
    findings = [make_finding(number, title=f"{number:04}" + 1_000 * "x") for number in range(MANY)]
    by_id = {each.finding_id: each for each in findings}
    stores.findings.put(findings)

    assert read_all(stores) == by_id
    assert set(list_by_node(stores, "i-0123456789abcdef0")) == set(findings)


def test_a_title_with_more_than_a_page_is_read_completely(stores: Stores) -> None:
    title = "🔥" * 500
    findings = [
        make_finding(number, node=f"mi-{number}", title=title) for number in range(MANY // 2)
    ]
    stores.findings.put([*findings, make_finding(1, title="another")])

    assert set(list_by_title(stores, title)) == set(findings)


def test_hostile_titles_are_read_unchanged(stores: Stores) -> None:
    findings = [make_finding(1, title=title) for title in HOSTILE]
    stores.findings.put(findings)

    assert set(read_all(stores).values()) == set(findings)
    for each in findings:
        assert tuple(list_by_title(stores, each.title)) == (each,)


def test_the_last_of_two_equal_ids_in_one_put_counts(stores: Stores) -> None:
    first, other = make_finding(1), make_finding(2)
    last = replace(first, severity=Severity.LOW, control_id="")
    stores.findings.put([first, other, last])

    assert read_all(stores) == {last.finding_id: last, other.finding_id: other}


def test_a_second_put_replaces_the_first(stores: Stores) -> None:
    stores.findings.put([make_finding(1)])
    changed = replace(make_finding(1), severity=Severity.CRITICAL)
    stores.findings.put([changed])

    assert read_all(stores) == {changed.finding_id: changed}


def test_reading_by_id_ignores_unknown_and_repeated_ids(stores: Stores) -> None:
    stored = make_finding(1)
    stores.findings.put([stored])
    absent = finding_id("i-0", "never stored")

    found = stores.findings.get([stored.finding_id, absent, stored.finding_id])
    assert found == {stored.finding_id: stored}


def test_deleting_ignores_unknown_and_repeated_ids(stores: Stores) -> None:
    deleted, other = make_finding(1), make_finding(2)
    stores.findings.put([deleted, other])
    stores.findings.delete([deleted.finding_id] * 2 + [finding_id("i-0", "absent")])

    assert read_all(stores) == {other.finding_id: other}


def test_findings_are_read_by_their_own_node_and_title(stores: Stores) -> None:
    first, second = make_finding(1, node="i-1"), make_finding(1, node="i-2")
    third = make_finding(2, node="i-1")
    stores.findings.put([first, second, third])

    assert set(list_by_node(stores, "i-1")) == {first, third}
    assert set(list_by_title(stores, first.title)) == {first, second}
    assert not list_by_node(stores, "i-3")
    assert not list_by_title(stores, "")


def test_a_list_does_not_change_after_it_was_read(stores: Stores) -> None:
    stores.findings.put([make_finding(1)])
    before = list_by_node(stores, "i-0123456789abcdef0")
    stores.findings.delete([make_finding(1).finding_id])

    assert tuple(before) == (make_finding(1),)
