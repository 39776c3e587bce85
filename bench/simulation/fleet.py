"""A fleet of equal nodes: what each of them shows after one run of its checks."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.compliance import Execution, Item, SummaryRow
from chalicelib.domain.finding import Finding, Severity
from chalicelib.domain.node import Node, count_by_severity

TYPE = "Custom:InSpec"
EACH = 20
# Titles of one run; each node shows 20 of them, another 20 than its neighbour.
TITLES = 100
SEVERITIES = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW)


def instance_id(number: int) -> str:
    """The id of a node, in the form that EC2 has."""
    return f"i-{number:017x}"


def number_of(instance_id: str) -> int:
    """The number of a node."""
    return int(instance_id.removeprefix("i-"), 16)


@dataclass(frozen=True, slots=True)
class Ran:
    """One run of the checks on all nodes. Two runs of other ids have no title in common."""

    run: str
    at: datetime
    nodes: int

    @property
    def execution(self) -> Execution:
        """What each node's summary announces."""
        return Execution(self.run, self.at, EACH)

    def shapes(self) -> tuple[tuple[Item, ...], ...]:
        """The items of a node, by its number modulo `TITLES`."""
        items = [
            Item(
                TYPE,
                self.run,
                f"control-{number:03d}",
                f"{self.run}: control {number:03d} must hold on every node",
                SEVERITIES[number % len(SEVERITIES)],
            )
            for number in range(TITLES)
        ]
        return tuple(
            tuple(items[(first + each) % TITLES] for each in range(EACH)) for first in range(TITLES)
        )

    def summaries(self) -> tuple[SummaryRow, ...]:
        """A row for each node."""
        execution = self.execution
        return tuple(
            SummaryRow(instance_id(number), TYPE, execution, compliant=100)
            for number in range(self.nodes)
        )

    def stored(self, scan_id: str) -> Iterator[tuple[Node, tuple[Finding, ...]]]:
        """Each node's row, and its findings, as a complete scan of this run leaves them."""
        executions = {TYPE.casefold(): self.execution}
        shapes = [
            tuple(
                (item.title or "", Severity.of(item.severity), item.item_id or "") for item in items
            )
            for items in self.shapes()
        ]
        counts = [count_by_severity(severity for _, severity, _ in shape) for shape in shapes]
        for number in range(self.nodes):
            name, shape = instance_id(number), number % TITLES
            yield (
                Node(name, executions, counts[shape]),
                tuple(Finding(name, *each, self.at, scan_id) for each in shapes[shape]),
            )
