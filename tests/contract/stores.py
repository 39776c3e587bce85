"""The stores of the contract suite: in memory, in moto, or in DynamoDB Local, the real engine."""

from __future__ import annotations

import uuid
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

import pytest
from moto import mock_aws

from chalicelib.adapters.dynamodb.inventory import DynamoFindings, DynamoNodes
from chalicelib.adapters.dynamodb.journal import (
    DynamoFacts,
    DynamoJournal,
    DynamoTitles,
    DynamoUnchecked,
)
from chalicelib.adapters.dynamodb.snoozes import DynamoSnoozes
from chalicelib.adapters.dynamodb.work import DynamoLease, DynamoWork
from chalicelib.usecases.ports import (
    FindingPages,
    FindingStore,
    NodePages,
    NodeStore,
    Selection,
    Settlement,
    UncheckedStore,
)
from devstack.aws.resources import create_tables
from tests.fakes import (
    MemoryArchive,
    MemoryFacts,
    MemoryFindings,
    MemoryJournal,
    MemoryLease,
    MemoryLedger,
    MemoryNodes,
    MemorySnoozes,
    MemoryTitles,
    MemoryUnchecked,
    MemoryWork,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import boto3
    from mypy_boto3_dynamodb.service_resource import Table

    from chalicelib.domain.finding import Finding
    from chalicelib.domain.node import Node
    from chalicelib.usecases.ports import Archive, FactLog, Journal, Lease, Snoozes, Titles, Work

MOTO = pytest.param("moto", id="moto")
LOCAL = pytest.param("dynamodb-local", id="dynamodb-local", marks=pytest.mark.enable_socket)
# More pages than any test stores rows.
MOST_PAGES = 1_000

T = TypeVar("T")


class Findings(FindingStore, FindingPages, Protocol):
    """The findings table as scans and the API use it."""


class Nodes(NodeStore, NodePages, Protocol):
    """The nodes table as scans and the API use it."""


@dataclass(frozen=True, slots=True)
class Stores:
    """The ports of one engine, without content."""

    findings: Findings
    nodes: Nodes
    titles: Titles
    unchecked: UncheckedStore
    facts: FactLog
    lease: Lease
    work: Work
    snoozes: Snoozes
    journal: Journal
    archive: Archive


@dataclass(frozen=True, slots=True)
class Tables:
    """The three tables, empty, of a boto3 resource."""

    findings: Table
    nodes: Table
    ledger: Table


def build_memory_stores() -> Stores:
    """Builds the stores in memory."""
    ledger, nodes, findings = MemoryLedger(), MemoryNodes(), MemoryFindings()
    unchecked = MemoryUnchecked()
    return Stores(
        findings=findings,
        nodes=nodes,
        titles=MemoryTitles(),
        unchecked=unchecked,
        facts=MemoryFacts(ledger, nodes, findings, unchecked),
        lease=MemoryLease(ledger),
        work=MemoryWork(ledger),
        snoozes=MemorySnoozes(ledger),
        journal=MemoryJournal(ledger),
        archive=MemoryArchive(ledger),
    )


def build_stores(tables: Tables) -> Stores:
    """Builds the adapters over three tables."""
    nodes = DynamoNodes(tables.nodes, entries=3)
    findings = DynamoFindings(tables.findings)
    return Stores(
        findings=findings,
        nodes=nodes,
        titles=DynamoTitles(tables.ledger),
        unchecked=DynamoUnchecked(tables.ledger),
        facts=DynamoFacts(tables.ledger, nodes, findings),
        lease=DynamoLease(tables.ledger),
        work=DynamoWork(tables.ledger),
        snoozes=DynamoSnoozes(tables.ledger),
        journal=DynamoJournal(tables.ledger),
        archive=DynamoJournal(tables.ledger),
    )


@contextmanager
def create_empty_tables(session: boto3.Session, url: str | None) -> Iterator[Tables]:
    """Creates three tables in DynamoDB Local at `url`, or in moto if it is None."""
    with ExitStack() as stack:
        if url is None:
            stack.enter_context(mock_aws())
        resource = session.resource("dynamodb", endpoint_url=url)
        client = stack.enter_context(closing(resource.meta.client))
        names = create_tables(client, prefix=f"{uuid.uuid4()}-")
        yield Tables(
            findings=resource.Table(names.findings),
            nodes=resource.Table(names.nodes),
            ledger=resource.Table(names.ledger),
        )


def list_by_node(stores: Stores, instance_id: str) -> tuple[Finding, ...]:
    """Lists every stored finding of a node in one page."""
    return tuple(stores.findings.page(Selection(instance_id=instance_id), None, 10_000))


def remove_nodes(stores: Stores, nodes: Sequence[Node]) -> None:
    """Removes nodes as a scan does, 90 in a transaction."""
    last = stores.work.open().last_fact
    for start in range(0, len(nodes), 90):
        removed = tuple((node, None) for node in nodes[start : start + 90])
        stores.facts.settle(Settlement(removed, (), last))


def list_by_title(stores: Stores, title: str) -> tuple[Finding, ...]:
    """Lists every stored finding of a title in one page."""
    return tuple(stores.findings.page(Selection(title=title), None, 10_000))


def read_pages(
    read: Callable[[str | None], Sequence[T]],
    key: Callable[[T], str],
    size: int,
    after: str | None = None,
) -> list[list[T]]:
    """Reads page by page to the end. If the last page is full, an empty one follows it."""
    pages: list[list[T]] = []
    while not pages or len(pages[-1]) == size:
        assert len(pages) <= MOST_PAGES, "the pages do not end"
        pages.append(list(read(after)))
        after = key(pages[-1][-1]) if pages[-1] else after
    return pages
