"""Looks up the stored findings of nodes, the cheapest way that is still consistent."""

from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from chalicelib.domain.finding import Finding, finding_id
from chalicelib.domain.node import Node
from chalicelib.usecases.ports import FindingReader
from chalicelib.usecases.scan.read import Reading

# A DynamoDB page ends at 1 MB (developer guide, Query and Scan); a row here has about 450 bytes.
ROWS_A_PAGE = 2_300


# BatchGetItem takes so many keys.
KEYS_A_CALL = 100


# What a call costs beside its rows, in rows: some 6 ms to ask and be answered, where a row takes
# 40 microseconds to come over and be read. A page that is full is no cheap call: decision 25.
ROWS_A_CALL = 150


# Stored findings that are held at once where the table is read, some 15 MB.
WINDOW = 100_000


@dataclass(frozen=True, slots=True)
class NodeLookup:
    """A node whose stored findings are wanted, how many those are, and how many it shows now."""

    instance_id: str
    stored: int
    shown: int = 0


class StoredFindings:
    """The stored findings of the nodes that one pass works on, asked for in the order of `order`.

    They are looked up for a window of nodes at a time: by one reading of the
    table, or by the index, which says which findings to fetch consistently.
    Where the number found is not what the node's row says, the table is read
    after all.
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
        self._largest = window
        self._stored = sum(node.open_findings for node in nodes.values())
        self._window: frozenset[str] = frozenset()
        self._table: dict[str, list[Finding]] | None = None

    def prepare(self, instance_ids: Iterable[str]) -> None:
        """Read the table now, if that is how these nodes are looked up: they are being read."""
        asked = frozenset(instance_ids)
        if not asked <= self._window:
            self._open_window(asked)

    def of(self, readings: Sequence[Reading]) -> dict[str, list[Finding]]:
        """Stored findings by node, for every node of the readings."""
        observed = {
            reading.report.instance_id: [each.title for each in reading.folded.observations]
            for reading in readings
        }
        return self._look_up(observed)

    def of_gone(self, nodes: Sequence[Node]) -> dict[str, list[Finding]]:
        """Stored findings by node, for nodes that show nothing any more."""
        return self._look_up({node.instance_id: [] for node in nodes})

    def _look_up(self, titles: Mapping[str, Sequence[str]]) -> dict[str, list[Finding]]:
        self.prepare(titles)
        if self._table is None:
            found = self._by_index(titles)
            if all(len(found[node]) == self._expected(node) for node in titles):
                return found
            self._table = self._read_table()
        return {node: self._table.get(node, []) for node in titles}

    def _open_window(self, asked: Collection[str]) -> None:
        """Go on behind the last window: all nodes that are asked for, and as many as fit."""
        self._table = None
        waiting, window, held = set(asked), [], 0
        while self._rest and (waiting or held < self._largest):
            each = self._rest.popleft()
            waiting.discard(each.instance_id)
            window.append(each)
            held += each.stored
        self._window = frozenset(each.instance_id for each in window)
        if prefer_table(window, self._stored):
            self._table = self._read_table()

    def _by_index(self, titles: Mapping[str, Sequence[str]]) -> dict[str, list[Finding]]:
        candidates: set[str] = set()
        for instance_id, shown in titles.items():
            candidates.update(each.finding_id for each in self._findings.of_node(instance_id))
            candidates.update(finding_id(instance_id, title) for title in shown)
        found: dict[str, list[Finding]] = {instance_id: [] for instance_id in titles}
        for each in self._findings.get(candidates).values():
            # a hash is no proof of whose it is
            if each.instance_id in found:
                found[each.instance_id].append(each)
        return found

    def _expected(self, instance_id: str) -> int:
        node = self._nodes.get(instance_id)
        return node.open_findings if node else 0

    def _read_table(self) -> dict[str, list[Finding]]:
        table: dict[str, list[Finding]] = {}
        for finding in self._findings.all():
            if finding.instance_id in self._window:
                table.setdefault(finding.instance_id, []).append(finding)
        return table


def prefer_table(wanted: Sequence[NodeLookup], table: int) -> bool:
    """Whether reading a table of so many rows is cheaper than asking for each node."""
    return _cost(_pages(table), table) < _by_node(wanted)


def _by_node(wanted: Iterable[NodeLookup]) -> int:
    """A query of the index for each node, then all candidates by their keys."""
    calls = rows = keys = 0
    for each in wanted:
        calls += _pages(each.stored)
        rows += each.stored
        keys += max(each.stored, each.shown)
    return _cost(calls + -(-keys // KEYS_A_CALL), rows + keys)


def _pages(rows: int) -> int:
    return max(1, -(-rows // ROWS_A_PAGE))


def _cost(calls: int, rows: int) -> int:
    return calls * ROWS_A_CALL + rows
