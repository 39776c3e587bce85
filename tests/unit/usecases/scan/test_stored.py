"""Stored findings are looked up in the cheapest way, also while the index lags behind."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.finding import Finding
from chalicelib.usecases.scan.stored import NodeLookup, StoredFindings, prefer_table
from tests.fakes import MemoryFindings
from tests.fleet import HOUR, Service

# With the rows of another node in the table, reading it whole for a few nodes is not cheap.
UNTOUCHED = [f"title {number}" for number in range(1_000)]
LOOKUPS = st.lists(
    st.builds(NodeLookup, st.just("i-1"), st.integers(0, 500), st.integers(0, 500)), min_size=1
)


class LaggingIndex(MemoryFindings):
    """A findings table that counts full reads. Its index shows `index`, not what is stored."""

    def __init__(self) -> None:
        super().__init__()
        self.index: tuple[Finding, ...] | None = None
        self.full_reads = 0

    def all(self) -> Iterator[Finding]:
        self.full_reads += 1
        return super().all()

    def of_node(self, instance_id: str) -> tuple[Finding, ...]:
        shown = tuple(self._rows.values()) if self.index is None else self.index
        return tuple(row for row in shown if row.instance_id == instance_id)

    def list_stored(self, instance_id: str = "i-0") -> list[str]:
        """Lists the titles of a node that are really stored."""
        return sorted(row.title for row in self._rows.values() if row.instance_id == instance_id)

    def index_everything(self) -> None:
        """From now on the index shows what is stored at this moment."""
        self.index = tuple(self._rows.values())


@pytest.fixture
def findings() -> LaggingIndex:
    return LaggingIndex()


@pytest.fixture
def service(findings: LaggingIndex) -> Service:
    """A service that has scanned five small nodes and a large one."""
    service = Service(findings=findings)
    for number in range(5):
        service.report(f"i-{number}", "A", "B")
    service.report("i-large", *UNTOUCHED)
    service.run()
    findings.full_reads = 0
    return service


def test_a_few_nodes_are_looked_up_through_the_index(
    service: Service, findings: LaggingIndex
) -> None:
    service.report("i-0", "B", "C", run="run-2")

    service.run()

    assert findings.full_reads == 0
    assert findings.list_stored() == ["B", "C"]


def test_most_of_the_fleet_is_looked_up_by_reading_the_table_once(
    service: Service, findings: LaggingIndex
) -> None:
    for number in range(3):
        service.report(f"i-{number}", "B", "C", run="run-2")
    service.report("i-large", *UNTOUCHED, "one more", run="run-2")

    service.run()

    assert findings.full_reads == 1
    assert findings.list_stored() == ["B", "C"]


def test_the_table_is_read_in_windows_and_each_node_gets_its_own_findings(
    service: Service, findings: LaggingIndex
) -> None:
    lookups = [NodeLookup(f"i-{number}", 2) for number in range(5)]
    # rows that count no finding make the table look empty, so it is always preferred
    nodes = {each.instance_id: replace(each, severities={}) for each in service.nodes.all()}
    stored = StoredFindings(findings, nodes, lookups, window=4)

    titles = []
    for batch in (["i-0", "i-1"], ["i-3"], ["i-4"]):
        found = stored.look_up_gone([nodes[each] for each in batch])
        titles.append({each: sorted(row.title for row in rows) for each, rows in found.items()})

    assert titles == [
        {"i-0": ["A", "B"], "i-1": ["A", "B"]},
        {"i-3": ["A", "B"]},
        {"i-4": ["A", "B"]},
    ]
    # i-0 and i-1 fill a window. i-2, which nobody requests, shares the next with i-3. Then i-4.
    assert findings.full_reads == 3


def test_a_fix_is_found_even_if_the_index_lacks_the_finding(
    service: Service, findings: LaggingIndex
) -> None:
    findings.index = tuple(row for row in findings.all() if row.title != "A")
    findings.full_reads = 0
    service.report("i-0", "B", run="run-2")

    outcome = service.run_to_outcome()

    assert outcome.fixed == 1
    assert findings.list_stored() == ["B"]
    assert findings.full_reads == 1


def test_a_finding_that_only_the_index_still_shows_is_not_fixed_again(
    service: Service, findings: LaggingIndex
) -> None:
    findings.index_everything()
    service.report("i-0", "B", run="run-2")
    service.run()

    service.report("i-0", "B", run="run-3")
    outcome = service.run_to_outcome()

    assert outcome.fixed == 0
    assert findings.full_reads == 0


def test_findings_of_a_gone_node_are_removed_even_if_the_index_lacks_them(
    service: Service, findings: LaggingIndex
) -> None:
    service.compliance.remove("i-0")
    service.run()
    findings.index = ()

    service.clock.forward(HOUR)
    service.run()

    assert findings.list_stored() == []


def test_a_finding_of_another_node_with_the_same_hash_is_ignored(
    service: Service, findings: LaggingIndex
) -> None:
    class CollidingHash(LaggingIndex):
        def get(self, finding_ids: Iterable[str]) -> dict[str, Finding]:
            return {**findings.get(finding_ids), "the same hash": foreign}

    nodes = {each.instance_id: each for each in service.nodes.all()}
    foreign = next(row for row in findings.all() if row.instance_id == "i-1")
    colliding = CollidingHash()
    colliding.index = tuple(findings.all())

    stored = StoredFindings(colliding, nodes, [NodeLookup("i-0", 2)])
    found = stored.look_up_gone([nodes["i-0"]])

    assert sorted(each.title for each in found["i-0"]) == ["A", "B"]
    assert colliding.full_reads == 0


def make_lookups(nodes: int, stored: int = 20) -> list[NodeLookup]:
    return [NodeLookup(f"i-{number}", stored, 20) for number in range(nodes)]


def test_an_empty_table_is_read_whole() -> None:
    assert prefer_table(make_lookups(5_000, stored=0), 0)
    assert prefer_table(make_lookups(1, stored=0), 0)


def test_for_a_few_nodes_of_many_the_table_is_not_read() -> None:
    assert not prefer_table(make_lookups(1), 10_000)
    assert not prefer_table(make_lookups(10), 100_000)


def test_for_a_fifth_of_a_fleet_the_table_is_read() -> None:
    assert prefer_table(make_lookups(10), 1_000)
    assert prefer_table(make_lookups(100), 10_000)
    assert prefer_table(make_lookups(1_000), 100_000)


def test_for_a_hundredth_of_a_large_fleet_the_table_is_not_read() -> None:
    assert not prefer_table(make_lookups(1_000), 2_000_000)
    assert prefer_table(make_lookups(50_000), 2_000_000)


@given(LOOKUPS, st.integers(0, 10_000_000), st.integers(0, 10_000_000))
def test_a_larger_table_never_makes_reading_it_better(
    lookups: list[NodeLookup], one: int, other: int
) -> None:
    smaller, larger = sorted((one, other))

    assert prefer_table(lookups, smaller) >= prefer_table(lookups, larger)


@given(LOOKUPS, LOOKUPS, st.integers(0, 10_000_000))
def test_more_nodes_never_make_looking_them_up_better(
    lookups: list[NodeLookup], more: list[NodeLookup], table_size: int
) -> None:
    assert prefer_table(lookups, table_size) <= prefer_table([*lookups, *more], table_size)
