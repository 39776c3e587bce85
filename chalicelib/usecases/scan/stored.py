"""Looks up the stored findings of nodes in the cheapest way that is consistent."""

from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from chalicelib.domain.finding import Finding, finding_id
from chalicelib.domain.node import Node
from chalicelib.usecases.ports import FindingReader
from chalicelib.usecases.scan.read import Reading

# A DynamoDB page is limited to 1 MB (developer guide, Query and Scan). A row has about 450 bytes.
ROWS_PER_PAGE = 2_300
# The limit of BatchGetItem.
KEYS_PER_CALL = 100
# The fixed cost of a call, in rows: a call takes some 6 ms and each of its rows 40 microseconds.
# So a full page is not a cheap call (decision 25).
ROWS_PER_CALL = 150
# Findings in memory at once if the table is read: some 15 MB.
WINDOW = 100_000


@dataclass(frozen=True, slots=True)
class NodeLookup:
    """A node to look up: its number of stored findings, and of findings that SSM shows now."""

    instance_id: str
    stored: int
    shown: int = 0


class StoredFindings:
    """The stored findings of the nodes of one scan, requested in the order of `order`.

    They are looked up for a window of nodes at a time, in one of two ways: by
    reading the whole table, or by queries of the index, which name the findings
    to fetch consistently. If the number found differs from the node row's, the
    table is read after all.
    """

    def __init__(
        self,
        findings: FindingReader,
        nodes: Mapping[str, Node],
        order: Iterable[NodeLookup],
        window: int = WINDOW,
    ) -> None:
        self._findings = findings
        self._nodes = nodes
        self._rest = deque(order)
        self._window_size = window
        self._table_size = sum(node.open_findings for node in nodes.values())
        self._window: frozenset[str] = frozenset()
        self._table: dict[str, list[Finding]] | None = None

    def prepare(self, instance_ids: Iterable[str]) -> None:
        """Reads the table now if these nodes need it, while their readings are still waited for."""
        requested = frozenset(instance_ids)
        if not requested <= self._window:
            self._open_window(requested)

    def look_up(self, readings: Sequence[Reading]) -> dict[str, list[Finding]]:
        """Returns the stored findings by node, for every node of the readings."""
        observed = {
            reading.report.instance_id: [each.title for each in reading.folded.observations]
            for reading in readings
        }
        return self._look_up_titles(observed)

    def look_up_gone(self, nodes: Sequence[Node]) -> dict[str, list[Finding]]:
        """Returns the stored findings by node, for nodes that SSM no longer lists."""
        return self._look_up_titles({node.instance_id: [] for node in nodes})

    def _look_up_titles(self, titles: Mapping[str, Sequence[str]]) -> dict[str, list[Finding]]:
        self.prepare(titles)
        if self._table is None:
            findings = self._read_by_index(titles)
            if all(len(findings[node]) == self._count_expected(node) for node in titles):
                return findings
            self._table = self._read_table()
        return {node: self._table.get(node, []) for node in titles}

    def _open_window(self, requested: Collection[str]) -> None:
        """Opens the next window: all requested nodes, and more as long as they fit."""
        self._table = None
        waiting, window, size = set(requested), [], 0
        while self._rest and (waiting or size < self._window_size):
            each = self._rest.popleft()
            waiting.discard(each.instance_id)
            window.append(each)
            size += each.stored
        self._window = frozenset(each.instance_id for each in window)
        if prefer_table(window, self._table_size):
            self._table = self._read_table()

    def _read_by_index(self, titles: Mapping[str, Sequence[str]]) -> dict[str, list[Finding]]:
        """Fetches what the index names, and what it may not show yet of the observed titles."""
        candidates: set[str] = set()
        for instance_id, observed in titles.items():
            candidates.update(each.finding_id for each in self._findings.of_node(instance_id))
            candidates.update(finding_id(instance_id, title) for title in observed)
        findings: dict[str, list[Finding]] = {instance_id: [] for instance_id in titles}
        for each in self._findings.get(candidates).values():
            # ids may collide, so a finding may belong to another node
            if each.instance_id in findings:
                findings[each.instance_id].append(each)
        return findings

    def _count_expected(self, instance_id: str) -> int:
        """Returns the number of findings that the node row counts."""
        node = self._nodes.get(instance_id)
        return node.open_findings if node else 0

    def _read_table(self) -> dict[str, list[Finding]]:
        table: dict[str, list[Finding]] = {}
        for finding in self._findings.all():
            if finding.instance_id in self._window:
                table.setdefault(finding.instance_id, []).append(finding)
        return table


def prefer_table(lookups: Sequence[NodeLookup], table_size: int) -> bool:
    """Whether reading the whole table, `table_size` rows, is cheaper than looking up each node."""
    return _estimate_cost(_count_pages(table_size), table_size) < _estimate_lookups(lookups)


def _estimate_lookups(lookups: Iterable[NodeLookup]) -> int:
    """Estimates a query of the index for each node, then all candidates by key."""
    calls = rows = keys = 0
    for each in lookups:
        calls += _count_pages(each.stored)
        rows += each.stored
        keys += max(each.stored, each.shown)
    return _estimate_cost(calls + -(-keys // KEYS_PER_CALL), rows + keys)


def _count_pages(rows: int) -> int:
    return max(1, -(-rows // ROWS_PER_PAGE))


def _estimate_cost(calls: int, rows: int) -> int:
    """Returns the cost in rows."""
    return calls * ROWS_PER_CALL + rows
