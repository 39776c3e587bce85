"""The findings and nodes tables in memory, each call to them metered."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from bench.simulation.meter import Meter
from chalicelib.domain.finding import Finding
from chalicelib.domain.node import Node
from chalicelib.usecases.lookup import ROWS_A_PAGE
from chalicelib.usecases.ports import NodeStore

# Write units: a row with its two index rows, and a row that no index has.
FINDING, NODE = 3, 1


class FindingTable:
    """`FindingStore` that knows a node's findings without a look at all others."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._nodes: dict[str, dict[str, Finding]] = {}
        self._owners: dict[str, str] = {}

    def load(self, findings: Iterable[Finding]) -> None:
        """Put rows into the table before the simulation begins, unmetered."""
        for finding in findings:
            finding_id = finding.finding_id
            self._nodes.setdefault(finding.instance_id, {})[finding_id] = finding
            self._owners[finding_id] = finding.instance_id

    def rows(self) -> Iterator[Finding]:
        """Every finding, unmetered."""
        return (row for rows in self._nodes.values() for row in rows.values())

    def all(self) -> Iterator[Finding]:
        """Every finding, a page at a time."""
        rows = self.rows()
        while page := tuple(islice(rows, ROWS_A_PAGE)):
            self._meter.page("Scan", len(page))
            yield from page

    def of_node(self, instance_id: str) -> tuple[Finding, ...]:
        """A node's findings."""
        rows = tuple(self._nodes.get(instance_id, {}).values())
        self._meter.index(len(rows))
        return rows

    def of_title(self, title: str) -> tuple[Finding, ...]:
        """A title's findings."""
        rows = tuple(row for row in self.rows() if row.title == title)
        self._meter.index(len(rows))
        return rows

    def get(self, finding_ids: Iterable[str]) -> dict[str, Finding]:
        """Those of the ids that are stored."""
        asked = set(finding_ids)
        found = {
            each: self._nodes[self._owners[each]][each] for each in asked & self._owners.keys()
        }
        self._meter.keys(len(asked), len(found))
        return found

    def put(self, findings: Iterable[Finding]) -> None:
        """Insert or replace."""
        rows = tuple(findings)
        self.load(rows)
        self._meter.write(len(rows), FINDING)

    def delete(self, finding_ids: Iterable[str]) -> None:
        """Remove, if stored."""
        ids = tuple(finding_ids)
        for each in ids:
            owner = self._owners.pop(each, None)
            if owner is not None:
                del self._nodes[owner][each]
        self._meter.write(len(ids), FINDING)


class NodeTable:
    """`NodeStore`, metered."""

    def __init__(self, store: NodeStore, meter: Meter) -> None:
        self._store = store
        self._meter = meter

    def all(self) -> Sequence[Node]:
        """Every node."""
        nodes = self._store.all()
        for start in range(0, max(1, len(nodes)), ROWS_A_PAGE):
            self._meter.page("Scan", min(ROWS_A_PAGE, len(nodes) - start))
        return nodes

    def put(self, nodes: Iterable[Node]) -> None:
        """Insert or replace."""
        rows = tuple(nodes)
        self._store.put(rows)
        self._meter.write(len(rows), NODE)

    def delete(self, instance_ids: Iterable[str]) -> None:
        """Remove, if stored."""
        ids = tuple(instance_ids)
        self._store.delete(ids)
        self._meter.write(len(ids), NODE)
