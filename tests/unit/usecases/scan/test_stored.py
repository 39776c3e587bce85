"""The cheapest look at what is stored, and the table where the index cannot be believed."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import pytest

from chalicelib.domain.finding import Finding
from chalicelib.usecases.scan.stored import NodeLookup, StoredFindings
from tests.fakes import MemoryFindings
from tests.fleet import Service

# With so many more rows in it, reading the table for a few is no bargain.
LARGE = [f"title {number}" for number in range(1_000)]


class LaggingIndex(MemoryFindings):
    """A findings table whose index shows `index`, whatever is stored; full readings counted."""

    def __init__(self) -> None:
        super().__init__()
        self.index: tuple[Finding, ...] | None = None
        self.full_reads = 0

    def all(self) -> Iterator[Finding]:
        self.full_reads += 1
        return super().all()

    def of_node(self, instance_id: str) -> tuple[Finding, ...]:
        rows: Sequence[Finding] = self._rows.values() if self.index is None else self.index  # type: ignore[assignment]
        return tuple(row for row in rows if row.instance_id == instance_id)


def titles(findings: LaggingIndex, node: str = "i-0") -> list[str]:
    """What is really stored of a node."""
    return sorted(row.title for row in findings._rows.values() if row.instance_id == node)


@pytest.fixture
def findings() -> LaggingIndex:
    return LaggingIndex()


@pytest.fixture
def service(findings: LaggingIndex) -> Service:
    service = Service(findings=findings)
    for number in range(5):
        service.report(f"i-{number}", "A", "B")
    service.report("i-large", *LARGE)
    service.run()
    findings.full_reads = 0
    return service


def test_a_few_nodes_are_looked_up_by_the_index(service: Service, findings: LaggingIndex) -> None:
    service.report("i-0", "B", "C", run="run-2")
    service.run()
    assert findings.full_reads == 0
    assert titles(findings) == ["B", "C"]


def test_most_of_the_fleet_is_one_reading_of_the_table(
    service: Service, findings: LaggingIndex
) -> None:
    for number in range(3):
        service.report(f"i-{number}", "B", "C", run="run-2")
    service.report("i-large", *LARGE, "one more", run="run-2")
    service.run()
    assert findings.full_reads == 1
    assert titles(findings) == ["B", "C"]


def test_no_more_than_a_window_of_the_table_is_held_and_nothing_is_mixed_up(
    service: Service, findings: LaggingIndex
) -> None:
    everybody = [NodeLookup(f"i-{number}", 2) for number in range(5)]
    nodes = {each.instance_id: each for each in service.nodes.all()}
    # whatever the table holds, as if each reading of it were for nothing
    small = {key: replace(node, severities={}) for key, node in nodes.items()}
    stored = StoredFindings(findings, small, everybody, window=4)
    asked = []
    for pair in (["i-0", "i-1"], ["i-3"], ["i-4"]):
        held = stored.look_up_gone([small[node] for node in pair])
        asked.append({node: sorted(each.title for each in rows) for node, rows in held.items()})
    assert asked == [
        {"i-0": ["A", "B"], "i-1": ["A", "B"]},
        {"i-3": ["A", "B"]},
        {"i-4": ["A", "B"]},
    ]
    # the first two fill a window; i-2, which nobody asked for, opens the next with i-3; then i-4
    assert findings.full_reads == 3


def test_a_finding_that_the_index_does_not_show_yet_is_resolved_all_the_same(
    service: Service, findings: LaggingIndex
) -> None:
    findings.index = tuple(row for row in findings._rows.values() if row.title != "A")
    service.report("i-0", "B", run="run-2")
    report = service.run()
    assert report.outcome
    assert report.outcome.fixed == 1
    assert titles(findings) == ["B"]
    assert findings.full_reads == 1


def test_a_finding_that_the_index_still_shows_is_not_resolved_again(
    service: Service, findings: LaggingIndex
) -> None:
    findings.index = tuple(findings._rows.values())
    service.report("i-0", "B", run="run-2")
    service.run()
    service.report("i-0", "B", run="run-3")
    report = service.run()
    assert report.outcome
    assert report.outcome.fixed == 0
    assert findings.full_reads == 0


def test_a_gone_node_is_resolved_even_where_the_index_lags(
    service: Service, findings: LaggingIndex
) -> None:
    service.compliance.remove("i-0")
    service.run()
    findings.index = ()
    (node,) = (each for each in service.nodes.all() if each.instance_id == "i-0")
    service.nodes.put([replace(node, missing_since=service.clock.now.replace(hour=1))])
    service.run()
    assert titles(findings) == []


def test_what_has_the_same_hash_and_is_another_nodes_is_left_alone(
    service: Service, findings: LaggingIndex
) -> None:
    nodes = {each.instance_id: each for each in service.nodes.all()}
    stranger = next(row for row in findings._rows.values() if row.instance_id == "i-1")

    class Colliding(LaggingIndex):
        def get(self, finding_ids: Iterable[str]) -> dict[str, Finding]:
            return {**findings.get(finding_ids), "the same hash": stranger}

    colliding = Colliding()
    colliding.index = tuple(findings._rows.values())
    stored = StoredFindings(colliding, nodes, [NodeLookup("i-0", 2)])
    held = stored.look_up_gone([nodes["i-0"]])
    assert sorted(each.title for each in held["i-0"]) == ["A", "B"]
    assert colliding.full_reads == 0
