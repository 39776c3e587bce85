from dataclasses import replace

import pytest

from chalicelib.domain.finding import Finding, Severity, finding_id
from tests.contract.samples import make_finding
from tests.contract.stores import Stores, list_by_title

# Below and above the 25 of a batch write and the 100 of a batch reading.
SIZES = [0, 1, 26, 130]
# So many rows of a kilobyte are more than the megabyte at which a page ends.
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


def stored(stores: Stores) -> dict[str, Finding]:
    rows = list(stores.findings.all())
    by_id = {row.finding_id: row for row in rows}
    assert len(by_id) == len(rows)
    return by_id


@pytest.mark.parametrize("size", SIZES)
def test_what_is_put_is_read_back_in_every_way_and_can_be_deleted(
    stores: Stores, size: int
) -> None:
    findings = [make_finding(number) for number in range(size)]
    by_id = {each.finding_id: each for each in findings}
    stores.findings.put(iter(findings))

    assert stored(stores) == by_id
    assert stores.findings.get(iter(by_id)) == by_id
    of_node = stores.findings.of_node("i-0123456789abcdef0")
    assert [each.finding_id for each in of_node] == sorted(by_id)
    for each in findings[:2]:
        assert tuple(list_by_title(stores, each.title)) == (each,)

    stores.findings.delete(iter(by_id))
    assert stored(stores) == {}
    assert stores.findings.get(by_id) == {}
    assert not stores.findings.of_node("i-0123456789abcdef0")


def test_more_than_a_page_is_read_whole(stores: Stores) -> None:
    findings = [make_finding(number, title=f"{number:04}" + 1_000 * "x") for number in range(MANY)]
    by_id = {each.finding_id: each for each in findings}
    stores.findings.put(findings)

    assert stored(stores) == by_id
    assert set(stores.findings.of_node("i-0123456789abcdef0")) == set(findings)


def test_a_title_on_more_nodes_than_a_page_holds_is_read_whole(stores: Stores) -> None:
    title = "🔥" * 500
    findings = [
        make_finding(number, node=f"mi-{number}", title=title) for number in range(MANY // 2)
    ]
    stores.findings.put([*findings, make_finding(1, title="another")])

    assert set(list_by_title(stores, title)) == set(findings)


def test_hostile_titles_stay_as_they_are(stores: Stores) -> None:
    findings = [make_finding(1, title=title) for title in HOSTILE]
    stores.findings.put(findings)

    assert set(stored(stores).values()) == set(findings)
    for each in findings:
        assert tuple(list_by_title(stores, each.title)) == (each,)


def test_of_the_same_finding_twice_the_last_one_counts(stores: Stores) -> None:
    first, other = make_finding(1), make_finding(2)
    last = replace(first, severity=Severity.LOW, control_id="")
    stores.findings.put([first, other, last])

    assert stored(stores) == {last.finding_id: last, other.finding_id: other}


def test_putting_again_replaces(stores: Stores) -> None:
    stores.findings.put([make_finding(1)])
    changed = replace(make_finding(1), severity=Severity.CRITICAL)
    stores.findings.put([changed])

    assert stored(stores) == {changed.finding_id: changed}


def test_reading_leaves_out_what_is_not_stored_and_takes_an_id_twice(stores: Stores) -> None:
    here = make_finding(1)
    stores.findings.put([here])
    absent = finding_id("i-0", "never stored")

    assert stores.findings.get([here.finding_id, absent, here.finding_id]) == {
        here.finding_id: here
    }


def test_deleting_takes_an_id_twice_and_one_that_is_not_stored(stores: Stores) -> None:
    here, stays = make_finding(1), make_finding(2)
    stores.findings.put([here, stays])
    stores.findings.delete([here.finding_id, here.finding_id, finding_id("i-0", "absent")])

    assert stored(stores) == {stays.finding_id: stays}


def test_nodes_and_titles_are_kept_apart(stores: Stores) -> None:
    one, other = make_finding(1, node="i-1"), make_finding(1, node="i-2")
    third = make_finding(2, node="i-1")
    stores.findings.put([one, other, third])

    assert set(stores.findings.of_node("i-1")) == {one, third}
    assert set(list_by_title(stores, one.title)) == {one, other}
    assert not stores.findings.of_node("i-3")
    assert not list_by_title(stores, "")


def test_a_listing_does_not_change_afterwards(stores: Stores) -> None:
    stores.findings.put([make_finding(1)])
    before = stores.findings.of_node("i-0123456789abcdef0")
    stores.findings.delete([make_finding(1).finding_id])

    assert tuple(before) == (make_finding(1),)
