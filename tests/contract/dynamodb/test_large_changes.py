"""Changes of nodes with very many findings, against the limits of DynamoDB."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from boto3.dynamodb.types import TypeSerializer
from msgspec.structs import replace

from chalicelib.adapters.dynamodb.inventory import DynamoFindings, DynamoNodes
from chalicelib.adapters.dynamodb.journal import DynamoFacts, DynamoJournal
from chalicelib.adapters.dynamodb.work import DynamoWork
from chalicelib.domain.diff import Change, Diff
from chalicelib.domain.finding import Entry, Finding, Severity, pack_list, unpack_list
from chalicelib.domain.history import NO_FACTS, EventKind, Mark
from chalicelib.domain.node import Node
from chalicelib.domain.summary import summarize_alert
from chalicelib.usecases.context import DEFAULT_OPTIONS, Bounds, Options
from chalicelib.usecases.scan.apply import ChangeWriter
from chalicelib.usecases.scan.compare import NodeChange
from tests.contract.stores import Tables
from tests.fleet import START, Service, make_item
from tests.reliability.consistency import find_list_errors

TYPES = ("Custom:A", "Custom:B")
FINDINGS = 10_000
MAX_ROWS = 100
MAX_BYTES = 4_000_000
MAX_ROW_BYTES = 400 * 1_024


def report(service: Service, node: str, run: str, findings: int) -> None:
    """Lets a node report this number of findings in each of two types."""
    for number, name in enumerate(TYPES):
        items = [
            make_item(f"{number} {each}", execution=run, item_id=None, compliance_type=name)
            for each in range(findings)
        ]
        service.compliance.put(node, name, run, service.clock.now, items)


@contextmanager
def record_writes(tables: Tables) -> Iterator[list[list[Any]]]:
    """Yields the items and keys of every write, a list for each transaction or row."""
    calls: list[list[Any]] = []

    def note_transaction(params: dict[str, Any], **_: Any) -> None:
        actions = [next(iter(each.values())) for each in params["TransactItems"]]
        calls.append([each.get("Item") or each["Key"] for each in actions])

    def note_row(params: dict[str, Any], **_: Any) -> None:
        calls.append([params["Item"]])

    events = tables.ledger.meta.client.meta.events
    watched = {"TransactWriteItems": note_transaction, "PutItem": note_row}
    for name, handler in watched.items():
        events.register_first(f"provide-client-params.dynamodb.{name}", handler)
    yield calls
    for name, handler in watched.items():
        events.unregister(f"provide-client-params.dynamodb.{name}", handler)


def measure(value: Any) -> int:
    """Returns about how many bytes DynamoDB counts for a value of a row."""
    (kind, content) = next(iter(TypeSerializer().serialize(value).items()))
    if kind == "M":
        return sum(len(name) + measure(each) for name, each in value.items())
    return len(content) if isinstance(content, bytes) else len(str(content).encode())


def assert_within_limits(calls: Sequence[Sequence[Any]]) -> None:
    """Asserts that every transaction and every row that was written has a size that is allowed."""
    assert max(map(len, calls)) <= MAX_ROWS
    sizes = [[measure(item) for item in call] for call in calls]
    assert max(map(sum, sizes)) <= MAX_BYTES
    assert max(map(max, sizes)) <= MAX_ROW_BYTES


def test_twenty_thousand_findings_of_a_node_can_be_new_fixed_or_gone_at_once(
    tables: Tables,
) -> None:
    service = Service()
    stored = DynamoNodes(tables.nodes)

    def run(options: Options = DEFAULT_OPTIONS) -> tuple[int, int, int]:
        outcome = service.run(
            options,
            # that of the tests names every title
            summarize=summarize_alert,
            nodes=stored,
            facts=DynamoFacts(tables.ledger, stored, DynamoFindings(tables.findings)),
            work=DynamoWork(tables.ledger),
        ).outcome
        assert outcome is not None
        service.nodes.put(stored.all())
        return len(outcome.new), outcome.fixed, outcome.gone

    with record_writes(tables) as calls:
        for node in ("i-1", "i-2"):
            report(service, node, "run-1", FINDINGS)
        assert run() == (2 * 2 * FINDINGS, 0, 0)
        assert find_list_errors(service) == []
        report(service, "i-1", "run-2", 1)
        service.compliance.remove("i-2")
        assert run(Options(accept_missing=True)) == (0, 2 * (FINDINGS - 1), 2 * FINDINGS)

    assert [len(unpack_list(node.open_list or b"")) for node in stored.all()] == [2]
    assert DynamoWork(tables.ledger).open().marks == ()
    assert_within_limits(calls)


def test_a_chunk_of_nodes_with_very_long_lists_is_settled_in_several_transactions(
    tables: Tables,
) -> None:
    finding = Finding("i-1", "A", Severity.HIGH, "", START, "scan-1")
    entries = tuple(
        replace(Entry.of(finding), finding_id=f"{number:032x}") for number in range(20_000)
    )
    long, short = pack_list(entries), pack_list(entries[:12_000])
    nodes = [f"i-{number:02}" for number in range(40)]
    removed = Diff(tuple(Change(EventKind.FIXED, each, None) for each in entries[12_000:]))
    changes = [
        NodeChange(Node(node, open_list=long), Node(node, open_list=short), removed, START)
        for node in nodes
    ]
    stored = DynamoNodes(tables.nodes)
    facts = DynamoFacts(tables.ledger, stored, DynamoFindings(tables.findings))
    work = DynamoWork(tables.ledger)
    context = replace(Service().context, facts=facts)
    marks = [Mark(f"scan-1#{number:05}", "scan-1", ()) for number in range(120)]
    for mark in marks:
        facts.mark(mark)

    with record_writes(tables) as calls:
        writer = ChangeWriter(context, "scan-1", NO_FACTS)
        writer.settle(changes, [mark.id for mark in marks], START)

    assert {node.instance_id: node.open_list for node in stored.all()} == dict.fromkeys(
        nodes, short
    )
    assert (work.open().marks, work.open().last_fact) == ((), writer.last)
    assert writer.last.number == 40 * 8_000
    assert sum(row.count for row in facts.rows(NO_FACTS, writer.last)) == 40 * 8_000
    assert_within_limits(calls)


@pytest.mark.parametrize("more", [0, 1])
def test_the_largest_change_without_a_mark_fits_into_one_transaction(
    tables: Tables, more: int
) -> None:
    """A node row, and for each finding that is fixed its row and a line of history."""
    service = Service()
    nodes = [f"i-{number}" for number in range(Bounds().unmarked_rows // 3 + more)]
    stored, findings = DynamoNodes(tables.nodes), DynamoFindings(tables.findings)

    def run(execution: str, *titles: str) -> list[int]:
        for node in nodes:
            service.report(node, *titles, run=execution)
        with record_writes(tables) as calls:
            service.run(
                nodes=stored,
                findings=findings,
                facts=DynamoFacts(tables.ledger, stored, findings),
                work=DynamoWork(tables.ledger),
                journal=DynamoJournal(tables.ledger),
            )
        assert_within_limits(calls)
        return sorted(map(len, calls))

    run("run-1", "A")
    written = run("run-2")

    assert list(findings.all()) == []
    # with a receipt and a row of facts
    assert (3 * len(nodes) + 2 in written) == (more == 0)
