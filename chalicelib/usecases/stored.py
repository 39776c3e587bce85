"""Looks up the stored findings of nodes, the cheapest way that is still consistent."""

from collections.abc import Iterable, Mapping, Sequence

from chalicelib.domain.finding import Finding, finding_id
from chalicelib.domain.node import Node
from chalicelib.usecases.ports import FindingReader
from chalicelib.usecases.read import Reading


class Stored:
    """The stored findings of the nodes that one pass works on.

    whole: read the table once, for a pass over most of the fleet. Else the
    index says which findings to fetch consistently, and where the number found
    is not what the node's row says, the table is read after all.
    """

    def __init__(
        self,
        findings: FindingReader,
        nodes: Mapping[str, Node],
        wanted: Iterable[str],
        *,
        whole: bool,
    ) -> None:
        self._findings = findings
        self._nodes = nodes
        self._wanted = frozenset(wanted)
        self._whole = whole
        self._table: dict[str, list[Finding]] | None = None

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
        if not self._whole:
            found = self._by_index(titles)
            if all(len(found[node]) == self._expected(node) for node in titles):
                return found
        table = self._read_table()
        return {node: table.get(node, []) for node in titles}

    def _by_index(self, titles: Mapping[str, Sequence[str]]) -> dict[str, list[Finding]]:
        found: dict[str, list[Finding]] = {}
        for instance_id, shown in titles.items():
            candidates = {each.finding_id for each in self._findings.of_node(instance_id)}
            candidates.update(finding_id(instance_id, title) for title in shown)
            stored = self._findings.get(candidates).values()
            found[instance_id] = [each for each in stored if each.instance_id == instance_id]
        return found

    def _expected(self, instance_id: str) -> int:
        node = self._nodes.get(instance_id)
        return node.open_findings if node else 0

    def _read_table(self) -> dict[str, list[Finding]]:
        if self._table is None:
            self._table = {}
            for finding in self._findings.all():
                if finding.instance_id in self._wanted:
                    self._table.setdefault(finding.instance_id, []).append(finding)
        return self._table
