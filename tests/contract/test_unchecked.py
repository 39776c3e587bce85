"""What is remembered of findings that are not checked any more."""

from datetime import timedelta

from msgspec.structs import replace

from chalicelib.domain.finding import Severity, UncheckedFinding
from chalicelib.usecases.ports import Selection, UncheckedKey
from tests.contract.samples import NOW, make_finding
from tests.contract.stores import Stores

ALL = Selection()


def make_unchecked(number: int, node: str = "i-1", title: str = "") -> UncheckedFinding:
    finding = make_finding(number, node=node, title=title)
    return UncheckedFinding(
        replace(finding, compliance_type="custom:inspec", former_ids=("a" * 32,)),
        NOW + timedelta(days=number),
        Severity.CRITICAL,
    )


def get_key(unchecked: UncheckedFinding) -> UncheckedKey:
    return UncheckedKey(unchecked.finding.instance_id, unchecked.finding.finding_id)


def test_a_remembered_finding_is_read_unchanged_until_it_is_deleted(stores: Stores) -> None:
    one, other = make_unchecked(1), make_unchecked(2, "i-2", "é\n\x00 <&>")
    stores.unchecked.put([one, other])

    assert list(stores.unchecked.all()) == [one, other]
    found = stores.unchecked.get([get_key(one), UncheckedKey("i-1", "f" * 32)])
    assert found == {one.finding.finding_id: one}

    stores.unchecked.delete([get_key(one), get_key(one), UncheckedKey("i-3", "f" * 32)])

    assert list(stores.unchecked.all()) == [other]


def test_a_remembered_finding_is_replaced(stores: Stores) -> None:
    one = make_unchecked(1)
    later = replace(one, since=NOW + timedelta(days=9), worst=Severity.LOW)
    stores.unchecked.put([one])

    stores.unchecked.put([later])

    assert list(stores.unchecked.all()) == [later]


def test_no_key_reads_and_deletes_nothing(stores: Stores) -> None:
    stores.unchecked.put([make_unchecked(1)])

    assert stores.unchecked.get([]) == {}
    stores.unchecked.delete([])

    assert len(list(stores.unchecked.all())) == 1


def test_pages_follow_each_other_by_node_and_by_title(stores: Stores) -> None:
    stored = [make_unchecked(n, node, f"title {n}") for node in ("i-1", "i-10") for n in range(5)]
    stores.unchecked.put(stored)

    def read(selection: Selection, limit: int) -> list[UncheckedFinding]:
        found: list[UncheckedFinding] = []
        after = None
        while page := stores.unchecked.page(selection, after, limit):
            found += page
            after = get_key(page[-1])
        return found

    ordered = sorted(stored, key=get_key)
    assert read(ALL, 3) == ordered
    assert read(Selection(instance_id="i-1"), 2) == [
        each for each in ordered if each.finding.instance_id == "i-1"
    ]
    assert read(Selection(title="title 3"), 1) == [
        each for each in ordered if each.finding.title == "title 3"
    ]
    assert read(Selection(instance_id="i-9"), 1) == []


def test_a_page_may_follow_a_finding_that_is_no_longer_remembered(stores: Stores) -> None:
    first, second = sorted([make_unchecked(1), make_unchecked(2)], key=get_key)
    stores.unchecked.put([second])

    assert list(stores.unchecked.page(ALL, get_key(first), 5)) == [second]
