"""Facts that no scan has considered, and facts that cannot be read."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.history import NO_FACTS, EventKind, FactRow, NodeFacts, Receipt, join_rows
from chalicelib.usecases.run import ScanReport
from tests.fleet import DAY, HOUR, START, Service
from tests.reliability.consistency import find_inconsistencies, find_list_errors
from tests.reliability.crashing import Faults, Fuse
from tests.reliability.model import count_titles, list_messages
from tests.reliability.stories import run_until_crash


def make_row(first: int, count: int, day: str = "2026-11-23") -> FactRow:
    ids = {EventKind.NEW: tuple(map(str, range(count)))}
    return FactRow(first, day, "scan-1", (NodeFacts("i-1", START, ids),))


def fail_to_stage(service: Service) -> None:
    """Runs a scan that stores what it finds, and announces nothing of it."""
    run_until_crash(service, Fuse(faults=Faults(failing=Counter({"work.stage": 9}))))


def make_unread(service: Service) -> None:
    """Stores a finding and a fix on each of three days, which no scan considers."""
    service.report("i-1", "i-1/old", "i-1/fixed", "i-1/fixed too")
    service.run()
    for number, titles in enumerate((["fixed", "A"], ["A", "B"], ["B", "C"])):
        service.clock.forward(DAY)
        service.report("i-1", "i-1/old", *(f"i-1/{each}" for each in titles), run=f"run {number}")
        fail_to_stage(service)
    service.clock.forward(HOUR)


def count_fixed(service: Service) -> int:
    return sum(each.alert.fixed for each in list_messages(service) if each.alert)


def list_lost(report: ScanReport) -> list[list[int]]:
    return [list(each) for each in report.announcement.lost_facts]


def test_facts_of_several_days_that_nobody_considered_are_announced_together() -> None:
    service = Service()
    make_unread(service)
    assert len({row.day for row in service.ledger.facts.values()}) == 4
    posts = len(service.messages)

    report = service.run()

    assert service.messages[posts:] == ["new: i-1/B,i-1/C"]
    # A was new and is fixed
    assert count_fixed(service) == 3
    assert report.announcement.lost_facts == ()
    assert find_inconsistencies(service) == []


def test_if_facts_are_missing_everything_since_the_last_considered_fact_is_announced() -> None:
    service = Service()
    make_unread(service)
    numbers = sorted(service.ledger.facts)
    lost = service.ledger.facts.pop(numbers[2])

    report = service.run()
    service.run()

    assert list_lost(report) == [list(range(lost.first, lost.first + lost.count))]
    assert count_titles(service.messages) == {
        "i-1/old": 1,
        "i-1/fixed": 1,
        "i-1/fixed too": 1,
        "i-1/B": 1,
        "i-1/C": 1,
    }
    assert find_list_errors(service) == []


def test_a_channel_that_is_ahead_of_the_facts_is_set_back_and_misses_nothing_later() -> None:
    """As after a backup of a part of the ledger."""
    service = Service()
    service.report("i-1", "i-1/A")
    service.run()
    older = service.ledger.last_fact
    service.clock.forward(HOUR)
    service.report("i-1", "i-1/A", "i-1/B", "i-1/C", run="run-2")
    service.run()
    service.ledger.last_fact = older
    service.clock.forward(HOUR)

    report = service.run()
    service.report("i-1", "i-1/A", "i-1/B", "i-1/C", "i-1/D", run="run-3")
    fail_to_stage(service)
    again = service.run()

    assert (list_lost(report), list_lost(again)) == ([[2, 3]], [])
    assert count_titles(service.messages) == {f"i-1/{letter}": 1 for letter in "ABCD"}


def test_of_rows_with_the_same_numbers_the_later_day_counts() -> None:
    older = [make_row(6, 3), make_row(9, 2), make_row(11, 5)]
    newer = [make_row(6, 1, "2026-11-24"), make_row(7, 4, "2026-11-24")]
    after, until = Receipt(5, "2026-11-23", "scan-0"), newer[-1].receipt

    assert join_rows([*older, *newer], after, until) == (tuple(newer), ())
    assert join_rows(older, after, until) == ((*older[:2],), ())


@given(
    st.lists(st.integers(min_value=1, max_value=9), max_size=9),
    st.sets(st.integers(min_value=0, max_value=8)),
)
def test_joined_rows_and_missing_numbers_are_all_numbers(
    counts: list[int], missing: set[int]
) -> None:
    rows: list[FactRow] = []
    last = NO_FACTS
    for count in counts:
        rows.append(make_row(last.number + 1, count))
        last = rows[-1].receipt
    stored = [row for number, row in enumerate(rows) if number not in missing]

    joined, lost = join_rows(reversed(stored), NO_FACTS, last)

    assert joined == tuple(stored)
    read = [n for row in joined for n in range(row.first, row.first + row.count)]
    assert sorted([*read, *(n for each in lost for n in each)]) == list(range(1, last.number + 1))


def test_a_scan_of_an_older_version_that_died_is_announced_once() -> None:
    service = Service()
    service.report("i-1", "A", "B")
    service.run()
    (scan_id,) = {each.scan_id for each in service.findings.all()}
    service.ledger.unannounced_scans.add(scan_id)

    service.run()
    service.run()

    assert service.messages == ["new: A,B", "new: A,B"]
    assert service.ledger.unannounced_scans == set()
