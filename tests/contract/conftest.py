"""The engines of the contract suite: memory, moto, and DynamoDB Local, the real one."""

from __future__ import annotations

import uuid
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import pytest
from moto import mock_aws

from chalicelib.adapters.dynamodb.findings import DynamoFindings
from chalicelib.adapters.dynamodb.journal import DynamoJournal
from chalicelib.adapters.dynamodb.nodes import DynamoNodes
from chalicelib.adapters.dynamodb.snoozes import DynamoSnoozes
from chalicelib.adapters.dynamodb.work import DynamoLease, DynamoWork
from chalicelib.domain.finding import Finding  # noqa: TC001 - a runtime annotation of a helper
from chalicelib.usecases.ports import FindingPages, FindingStore, NodePages, NodeStore, Selection
from devstack.aws.resources import create_tables
from devstack.aws.session import make_session
from tests.fakes import (
    MemoryArchive,
    MemoryFindings,
    MemoryJournal,
    MemoryLease,
    MemoryLedger,
    MemoryNodes,
    MemorySnoozes,
    MemoryWork,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    import boto3
    from mypy_boto3_dynamodb.service_resource import Table

    from chalicelib.usecases.ports import Archive, Journal, Lease, Snoozes, Work

MOTO = pytest.param("moto", id="moto")
LOCAL = pytest.param(
    "dynamodb-local",
    id="dynamodb-local",
    marks=[pytest.mark.enable_socket, pytest.mark.xdist_group("dynamodb-local")],
)


class Findings(FindingStore, FindingPages, Protocol):
    """The findings table as scans and the API use it."""


class Nodes(NodeStore, NodePages, Protocol):
    """The nodes table as scans and the API use it."""


@dataclass(frozen=True, slots=True)
class Stores:
    """The ports of one engine, empty."""

    findings: Findings
    nodes: Nodes
    lease: Lease
    work: Work
    snoozes: Snoozes
    journal: Journal
    archive: Archive


def list_by_title(stores: Stores, title: str) -> tuple[Finding, ...]:
    """Everything that is stored under a title, in one page."""
    return tuple(stores.findings.page(Selection(title=title), None, 10_000))


@dataclass(frozen=True, slots=True)
class Tables:
    """The three tables, empty, of a boto3 resource."""

    findings: Table
    nodes: Table
    ledger: Table


@pytest.fixture(scope="session")
def aws_session() -> boto3.Session:
    return make_session()


@pytest.fixture(params=["memory", MOTO, LOCAL])
def stores(request: pytest.FixtureRequest) -> Iterator[Stores]:
    if request.param == "memory":
        findings, nodes, ledger = MemoryFindings(), MemoryNodes(), MemoryLedger()
        yield Stores(
            findings=findings,
            nodes=nodes,
            lease=MemoryLease(ledger),
            work=MemoryWork(ledger),
            snoozes=MemorySnoozes(ledger),
            journal=MemoryJournal(ledger),
            archive=MemoryArchive(ledger),
        )
        return
    with _tables(request) as tables:
        yield stores_of(tables)


@pytest.fixture(params=[MOTO, LOCAL])
def tables(request: pytest.FixtureRequest) -> Iterator[Tables]:
    with _tables(request) as fresh:
        yield fresh


def stores_of(tables: Tables) -> Stores:
    findings, nodes = DynamoFindings(tables.findings), DynamoNodes(tables.nodes)
    return Stores(
        findings=findings,
        nodes=nodes,
        lease=DynamoLease(tables.ledger),
        work=DynamoWork(tables.ledger),
        snoozes=DynamoSnoozes(tables.ledger),
        journal=DynamoJournal(tables.ledger),
        archive=DynamoJournal(tables.ledger),
    )


@contextmanager
def _tables(request: pytest.FixtureRequest) -> Iterator[Tables]:
    with ExitStack() as stack:
        url = None
        if request.param == "moto":
            stack.enter_context(mock_aws())
        else:
            url = request.getfixturevalue("dynamodb_url")
        session: boto3.Session = request.getfixturevalue("aws_session")
        resource = session.resource("dynamodb", endpoint_url=url)
        client = stack.enter_context(closing(resource.meta.client))
        names = create_tables(client, prefix=f"{uuid.uuid4()}-")
        yield Tables(
            findings=resource.Table(names.findings),
            nodes=resource.Table(names.nodes),
            ledger=resource.Table(names.ledger),
        )
