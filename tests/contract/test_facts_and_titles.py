import pytest
from msgspec.structs import replace

from chalicelib.domain.errors import Conflict
from chalicelib.domain.finding import Entry, Title, UncheckedFinding, pack_list, title_reference
from chalicelib.domain.history import (
    NO_FACTS,
    EventKind,
    FactRow,
    HistoryEvent,
    Mark,
    MarkedNode,
    NodeFacts,
    Receipt,
)
from chalicelib.domain.node import Node
from chalicelib.usecases.ports import Rows, Settlement, UncheckedKey
from tests.contract.samples import MINUTE, NOW, make_finding
from tests.contract.stores import Stores

IDS = [make_finding(number).finding_id for number in range(9)]
MARK = Mark(
    "scan-1#00001",
    "scan-1",
    (MarkedNode("i-1", NOW, {EventKind.FIXED: tuple(IDS[:2])}, tuple(IDS[2:4])),),
)


def make_facts(first: int, day: str = "2040-02-29", number: int = 2) -> FactRow:
    ids = {EventKind.NEW: tuple(IDS[:number])}
    return FactRow(first, day, "scan-1", (NodeFacts("i-1", NOW, ids),))


def make_node(number: int, findings: int = 1) -> Node:
    entries = (Entry.of(make_finding(each)) for each in range(findings))
    return Node(f"i-{number}", open_list=pack_list(entries))


def read_nodes(stores: Stores) -> list[Node]:
    return sorted(stores.nodes.all(), key=lambda node: node.instance_id)


def settle(stores: Stores, *rows: FactRow, last: Receipt = NO_FACTS) -> None:
    stores.facts.settle(Settlement((), rows, last))


def test_a_mark_is_read_unchanged_until_its_change_is_settled(stores: Stores) -> None:
    stores.facts.mark(MARK)
    stores.facts.mark(replace(MARK, id="scan-1#00002"))
    assert stores.work.open().marks == (MARK, replace(MARK, id="scan-1#00002"))

    stores.facts.settle(Settlement((), (), NO_FACTS, (MARK.id,)))

    assert [each.id for each in stores.work.open().marks] == ["scan-1#00002"]


def test_node_rows_facts_and_marks_are_written_together(stores: Stores) -> None:
    gone, changed = make_node(1), make_node(2)
    stores.nodes.put([gone, changed])
    stores.facts.mark(MARK)
    rows = (make_facts(1), make_facts(3))

    after = replace(changed, open_list=b"", untitled=3)
    settled = ((gone, None), (changed, after), (Node("i-3"), make_node(3)))
    stores.facts.settle(Settlement(settled, rows, NO_FACTS, (MARK.id,)))

    work = stores.work.open()
    assert {node.instance_id: node for node in stores.nodes.all()} == {
        "i-2": after,
        "i-3": make_node(3),
    }
    assert (work.marks, work.last_fact) == ((), Receipt(4, "2040-02-29", "scan-1"))
    assert list(stores.facts.rows(NO_FACTS, work.last_fact)) == list(rows)


def test_of_two_scans_only_the_first_settles_and_the_other_writes_nothing(stores: Stores) -> None:
    settle(stores, make_facts(1))
    before = stores.work.open(), list(stores.nodes.all())
    stale = Settlement(((Node("i-1"), make_node(1)),), (make_facts(1),), NO_FACTS)

    with pytest.raises(Conflict):
        stores.facts.settle(stale)

    assert (stores.work.open(), list(stores.nodes.all())) == before


def test_a_small_change_is_written_with_its_findings_and_history_or_not_at_all(
    stores: Stores,
) -> None:
    kept, removed, new = make_finding(1), make_finding(2), make_finding(3)
    stores.findings.put([kept, removed])
    event = HistoryEvent(removed.finding_id, NOW, EventKind.FIXED, "scan-1", removed)
    small = Settlement(
        ((Node("i-1"), make_node(1)),),
        (make_facts(1),),
        NO_FACTS,
        rows=Rows(
            findings=(new,),
            removed=(removed.finding_id, "not stored"),
            unchecked=(UncheckedFinding(kept, NOW, kept.severity),),
            settled=(UncheckedKey("i-9", kept.finding_id),),
            events=(event,),
        ),
    )

    stores.facts.settle(small)

    def read() -> tuple[object, ...]:
        return (
            sorted(stores.findings.all(), key=lambda each: each.finding_id),
            stores.archive.events_of(removed.finding_id),
            [each.finding for each in stores.unchecked.all()],
            stores.work.open().last_fact,
            read_nodes(stores),
        )

    written = read()
    assert written == (
        sorted([kept, new], key=lambda each: each.finding_id),
        (event,),
        [kept],
        make_facts(1).receipt,
        [make_node(1)],
    )
    key = UncheckedKey(kept.instance_id, kept.finding_id)
    later = Rows(findings=(removed,), removed=(kept.finding_id,), settled=(key,))
    with pytest.raises(Conflict):
        stores.facts.settle(replace(small, rows=later))
    assert read() == written


def test_facts_are_read_between_two_receipts_over_several_days(stores: Stores) -> None:
    rows = [
        make_facts(1, "2040-02-27"),
        make_facts(3, "2040-02-27"),
        make_facts(5, "2040-02-29", number=5),
        make_facts(10, "2040-03-01"),
    ]
    last = NO_FACTS
    for row in rows:
        settle(stores, row, last=last)
        last = row.receipt

    assert list(stores.facts.rows(NO_FACTS, last)) == rows
    assert list(stores.facts.rows(rows[0].receipt, rows[2].receipt)) == rows[1:3]
    assert list(stores.facts.rows(last, last)) == []
    assert list(stores.archive.facts_of("2040-02-27")) == [rows[1], rows[0]]
    assert list(stores.archive.facts_of("2040-03-01")) == [rows[3]]
    assert list(stores.archive.facts_of("2040-02-28")) == []


@pytest.mark.parametrize("findings", [0, 1, 2, 3, 6, 7])
def test_a_long_list_is_read_whole_and_a_shorter_one_leaves_nothing(
    stores: Stores, findings: int
) -> None:
    """The suite keeps three entries in a row."""
    long, short = make_node(1, findings), make_node(1, findings // 3)
    stores.nodes.put([long, make_node(2)])
    assert read_nodes(stores) == [long, make_node(2)]
    assert [len(stores.nodes.page(None, size)) for size in (1, 9)] == [1, 2]

    stores.facts.settle(Settlement(((long, short),), (), NO_FACTS))
    assert read_nodes(stores) == [short, make_node(2)]

    stores.facts.settle(Settlement(((short, None),), (), NO_FACTS))
    assert read_nodes(stores) == [make_node(2)]


def test_each_output_has_a_receipt_of_its_own(stores: Stores) -> None:
    stores.work.save_receipt("hub", Receipt(1, "2040-02-29", "scan-1"))
    stores.work.save_receipt("web#hook", Receipt(2, "2040-02-29", "scan-1"))
    stores.work.save_receipt("hub", Receipt(7, "2040-03-01", "scan-2"))

    assert stores.work.open().receipts == {
        "hub": Receipt(7, "2040-03-01", "scan-2"),
        "web#hook": Receipt(2, "2040-02-29", "scan-1"),
    }


def test_titles_are_read_by_reference_and_replaced(stores: Stores) -> None:
    assert not stores.titles.all()

    stores.titles.put([Title("A", "c-1"), Title("é" * 500, ""), Title("A", "c-2")], NOW)

    assert stores.titles.all() == {
        title_reference("A"): Title("A", "c-2"),
        title_reference("é" * 500): Title("é" * 500, ""),
    }


def test_history_is_found_by_what_happened(stores: Stores) -> None:
    finding = make_finding(1)
    events = [
        HistoryEvent(finding.finding_id, NOW, EventKind.NEW, "scan-1"),
        HistoryEvent(finding.finding_id, NOW + MINUTE, EventKind.FIXED, "scan-2", finding),
        HistoryEvent(IDS[2], NOW, EventKind.GONE, "scan-2", make_finding(2)),
    ]
    stores.journal.write(events)

    found = stores.journal.find([events[1].key, events[2].key, events[1].key])
    assert sorted(found, key=lambda each: each.kind) == events[1:]
    assert not stores.journal.find([replace(events[0], at=NOW + MINUTE).key])
