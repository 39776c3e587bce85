"""What a scan that died has written, beside rows that cannot be read."""

from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from chalicelib.domain.history import EventKind, MarkedNode, split_marked
from chalicelib.domain.node import Node
from chalicelib.usecases.context import Bounds, Options
from tests.fleet import HOUR, START, Service
from tests.reliability.consistency import find_inconsistencies, find_list_errors
from tests.reliability.crashing import Faults, Fuse
from tests.reliability.model import count_titles
from tests.reliability.stories import run_until_crash

IDS = st.lists(st.integers(min_value=0, max_value=99), max_size=9, unique=True)
# Each change has a mark, however small it is.
MARKED = Bounds(unmarked_rows=0)


def die(service: Service, call: str) -> None:
    """Runs a scan whose first call of this name succeeds, after which it writes nothing more."""
    run_until_crash(service, Fuse(faults=Faults(lost=Counter([call]))))
    assert service.ledger.marks
    service.clock.forward(HOUR)


def make_newer(service: Service) -> None:
    service.nodes.put([Node("i-1", is_newer=True)])


def lose_list(service: Service) -> None:
    """As of a row whose second part is missing."""
    nodes = {node.instance_id: node for node in service.nodes.all()}
    service.nodes.put([replace(nodes["i-1"], open_list=None)])


@given(st.lists(IDS, max_size=5), st.integers(min_value=1, max_value=12))
def test_a_mark_has_no_node_twice_and_at_most_as_many_ids_as_allowed(
    numbers: list[list[int]], most: int
) -> None:
    happens = [EventKind.FIXED, EventKind.NEW, EventKind.UNCHECKED, None]
    kinds = {
        f"i-{node}": {str(each): happens[each % 4] for each in ids}
        for node, ids in enumerate(numbers)
    }
    nodes = [
        MarkedNode(
            instance_id,
            START,
            {
                kind: ids
                for kind in happens
                if kind
                if (ids := tuple(key for key, each in expected.items() if each is kind))
            },
            tuple(key for key, each in expected.items() if each is None),
        )
        for instance_id, expected in kinds.items()
    ]

    groups = list(split_marked(nodes, most))

    found: dict[str, dict[str, EventKind | None]] = {key: {} for key in kinds}
    for group in groups:
        assert len({each.instance_id for each in group}) == len(group)
        assert sum(len(each.kinds) for each in group) <= most
        for each in group:
            assert not each.kinds.keys() & found[each.instance_id].keys()
            found[each.instance_id].update(each.kinds)
    assert found == kinds


def test_a_row_of_a_newer_version_does_not_stop_the_other_nodes_of_a_mark() -> None:
    service = Service(bounds=MARKED)
    service.report("i-1", "i-1/A")
    service.report("i-2", "i-2/A")
    service.run()
    service.report("i-1", "i-1/B", run="run-2")
    service.report("i-2", "i-2/B", run="run-2")
    die(service, "findings.delete")
    make_newer(service)
    # what the dead scan deleted fails again
    service.report("i-2", "i-2/A", "i-2/B", run="run-3")

    outcome = service.run_to_outcome()

    assert (outcome.fixed, sorted(row.title for row in outcome.new)) == (1, ["i-2/A", "i-2/B"])
    assert [each for each in find_list_errors(service) if "i-1" not in each] == []
    (mark,) = service.ledger.marks.values()
    assert [each.instance_id for each in mark.nodes] == ["i-1"]
    last = service.ledger.last_fact
    service.run()
    assert (service.ledger.last_fact, len(service.ledger.marks)) == (last, 1)


@pytest.mark.parametrize("damage", [make_newer, lose_list])
def test_a_full_scan_announces_what_a_dead_scan_stored_of_a_node_whose_row_is_unreadable(
    damage: Callable[[Service], None],
) -> None:
    service = Service(bounds=MARKED)
    service.report("i-1", "i-1/A", "i-1/stays")
    service.run()
    service.report("i-1", "i-1/B", "i-1/stays", run="run-2")
    die(service, "findings.delete")
    damage(service)

    service.run(Options(full=True))

    assert service.ledger.marks == {}
    assert service.list_titles() == ["i-1/B", "i-1/stays"]
    assert count_titles(service.messages) == {"i-1/A": 1, "i-1/B": 1, "i-1/stays": 1}
    assert find_list_errors(service) == []


def test_a_list_that_was_lost_is_filled_though_a_mark_names_its_node() -> None:
    service = Service(bounds=MARKED)
    service.report("i-1", "i-1/A", "i-1/stays")
    service.run()
    service.report("i-1", "i-1/B", "i-1/stays", run="run-2")
    service.report("i-2", "i-2/A")
    die(service, "findings.delete")
    lose_list(service)
    service.run()
    lose_list(service)

    service.run()

    assert set(count_titles(service.messages).values()) == {1}
    assert find_list_errors(service) == []


def test_a_new_node_that_leaves_before_anything_of_it_was_stored_is_not_missing() -> None:
    service = Service(bounds=MARKED)
    service.report("i-1", "i-1/A")
    service.run()
    service.report("i-2", "i-2/A")
    run_until_crash(service, Fuse(faults=Faults(failing=Counter(["journal.write"]))))
    assert service.ledger.marks
    service.compliance.remove("i-2")

    outcome = service.run_to_outcome()

    assert (outcome.coverage.missing, outcome.coverage.known) == (0, 1)
    assert find_inconsistencies(service) == []


@pytest.mark.parametrize("full", [False, True])
def test_a_change_that_takes_two_transactions_may_die_between_them(full: bool) -> None:
    service = Service(bounds=Bounds(facts_a_row=1, unmarked_rows=0))
    titles = {node: [f"{node}/{number}" for number in range(30)] for node in ("i-1", "i-2")}
    for node, each in titles.items():
        service.report(node, *each)
    die(service, "facts.settle")
    assert [node.instance_id for node in service.nodes.all()] == ["i-1"]
    assert len(service.list_titles()) == 60

    service.run(Options(full=full))

    assert set(count_titles(service.messages).values()) == {1}
    assert len(count_titles(service.messages)) == 60
    assert find_inconsistencies(service) == []


@pytest.mark.parametrize(("rows", "is_marked"), [(90, False), (6, False), (5, True), (0, True)])
def test_a_change_that_fits_into_its_transaction_needs_no_mark(
    rows: int, *, is_marked: bool
) -> None:
    """Two findings are fixed and one is new: five rows, with history, and that of the node."""
    service = Service(bounds=Bounds(unmarked_rows=rows))
    service.report("i-1", "A", "B", "C")
    service.run()
    service.report("i-1", "A", "D", run="run-2")

    calls = run_until_crash(service, Fuse())

    assert ("facts.mark" in calls, "findings.put" in calls) == (is_marked, is_marked)
    assert calls.count("facts.settle") == 1
    assert find_inconsistencies(service) == []
    assert sorted(each.title for each in service.findings.all()) == ["A", "D"]


def test_a_change_that_would_write_a_row_twice_is_marked() -> None:
    """An id is that of the joined text, so two nodes may share one."""
    service = Service()
    service.report("i-1", "1A")

    service.report("i-11", "A")
    calls = run_until_crash(service, Fuse())

    assert "facts.mark" in calls
    assert len(list(service.findings.all())) == 1


def test_a_fix_whose_finding_a_dead_scan_has_forgotten_has_no_age() -> None:
    service = Service(bounds=MARKED)
    service.report("i-1", "A", "B")
    service.run()
    service.clock.forward(HOUR)
    service.report("i-1", "B", run="run-2", passed=[])
    service.run()
    service.clock.forward(HOUR)
    service.report("i-1", "B", run="run-3", passed=["A"])
    die(service, "unchecked.delete")
    service.run()

    day = service.ledger.days[max(service.ledger.days)]
    assert day.count(EventKind.FIXED) == 1
    assert day.fixed_ages == {}
    assert find_inconsistencies(service) == []
