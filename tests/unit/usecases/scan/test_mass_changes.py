"""A change of the whole fleet at once costs a bounded number of transactions."""

from collections import Counter
from dataclasses import dataclass, field

from chalicelib.usecases.context import Options
from chalicelib.usecases.ports import Settlement
from tests.fakes import MemoryFacts, PassThrough
from tests.fleet import Service
from tests.reliability.consistency import find_inconsistencies

NODES = 2_000
LETTERS = [f"{number:02}" for number in range(50)]
# 90 nodes at once.
MOST = -(-NODES // 90) + 2


class CountingFacts(PassThrough):
    """Counts the calls, and the most rows of nodes in one of them."""

    def __init__(self, port: MemoryFacts) -> None:
        super().__init__(port)
        self.calls: Counter[str] = Counter()
        self.most_nodes = 0

    def mark(self, *args: object) -> None:
        self.calls["mark"] += 1
        self.port.mark(*args)

    def settle(self, settlement: Settlement) -> None:
        self.calls["settle"] += 1
        self.most_nodes = max(self.most_nodes, len(settlement.nodes))
        self.port.settle(settlement)


@dataclass
class Counts:
    """New, fixed and gone findings of a scan, and its settlements."""

    findings: tuple[int, int, int]
    calls: Counter[str] = field(default_factory=Counter)


def run(service: Service, *, accept_missing: bool = False) -> Counts:
    facts = CountingFacts(
        MemoryFacts(service.ledger, service.nodes, service.findings, service.unchecked)
    )
    outcome = service.run(Options(accept_missing=accept_missing), facts=facts).outcome
    assert outcome is not None
    assert facts.most_nodes <= 90
    return Counts((len(outcome.new), outcome.fixed, outcome.gone), facts.calls)


def test_a_hundred_thousand_findings_settle_in_a_bounded_number_of_transactions() -> None:
    service = Service()
    nodes = [f"i-{number:04}" for number in range(NODES)]
    fixed, gone = nodes[: NODES // 2], nodes[NODES // 2 :]
    for node in nodes:
        service.report(node, *LETTERS)

    appeared = run(service)
    for node in fixed:
        service.report(node, run="run-2")
    for node in gone:
        service.compliance.remove(node)
    left = run(service, accept_missing=True)

    every = NODES * len(LETTERS)
    assert appeared.findings == (every, 0, 0)
    assert left.findings == (0, every // 2, every // 2)
    for each in (appeared, left):
        assert each.calls["settle"] <= MOST
        assert each.calls["mark"] <= MOST
    assert find_inconsistencies(service) == []
