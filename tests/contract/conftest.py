"""The engines of the contract suite: memory, moto, and DynamoDB Local, the real one."""

from __future__ import annotations

import uuid
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from moto import mock_aws

from chalicelib.adapters.dynamodb_findings import DynamoFindings
from chalicelib.adapters.dynamodb_journal import DynamoJournal
from chalicelib.adapters.dynamodb_lease import DynamoLease
from chalicelib.adapters.dynamodb_nodes import DynamoNodes
from chalicelib.adapters.dynamodb_snoozes import DynamoSnoozes
from chalicelib.adapters.dynamodb_work import DynamoWork
from chalicelib.adapters.memory import (
    MemoryFindings,
    MemoryJournal,
    MemoryLease,
    MemoryLedger,
    MemoryNodes,
    MemorySnoozes,
    MemoryWork,
)
from chalicelib.aws.dynamodb_pages import whole_table
from chalicelib.aws.dynamodb_times import from_text
from chalicelib.domain.history import EventKind, HistoryEvent
from devstack import dynamodb_local
from devstack.aws.resources import create_tables
from devstack.aws.session import local_session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import boto3
    from mypy_boto3_dynamodb.service_resource import Table

    from chalicelib.usecases.ports import FindingStore, Journal, Lease, NodeStore, Work

MOTO = pytest.param("moto", id="moto")
LOCAL = pytest.param("dynamodb-local", id="dynamodb-local", marks=pytest.mark.enable_socket)


@dataclass(frozen=True, slots=True)
class Stores:
    """The ports of one engine, empty; `history` reads what the journal holds, in no order."""

    findings: FindingStore
    nodes: NodeStore
    lease: Lease
    work: Work
    snoozes: MemorySnoozes | DynamoSnoozes
    journal: Journal
    history: Callable[[], list[HistoryEvent]]


@dataclass(frozen=True, slots=True)
class Tables:
    """The three tables, empty, of a boto3 resource."""

    findings: Table
    nodes: Table
    ledger: Table


@pytest.fixture(scope="session")
def aws_session() -> boto3.Session:
    return local_session()


@pytest.fixture(scope="session")
def dynamodb_url() -> Iterator[str]:
    reason = dynamodb_local.missing()
    if reason:
        pytest.skip(f"DynamoDB Local is left out: {reason}")
    with dynamodb_local.dynamodb_local() as url:
        yield url


@pytest.fixture(params=["memory", MOTO, LOCAL])
def stores(request: pytest.FixtureRequest) -> Iterator[Stores]:
    if request.param == "memory":
        ledger = MemoryLedger()
        journal = MemoryJournal(ledger)
        yield Stores(
            findings=MemoryFindings(),
            nodes=MemoryNodes(),
            lease=MemoryLease(ledger),
            work=MemoryWork(ledger),
            snoozes=MemorySnoozes(ledger),
            journal=journal,
            history=lambda: list(journal.events),
        )
        return
    with _tables(request) as tables:
        yield stores_of(tables)


@pytest.fixture(params=[MOTO, LOCAL])
def tables(request: pytest.FixtureRequest) -> Iterator[Tables]:
    with _tables(request) as fresh:
        yield fresh


def stores_of(tables: Tables) -> Stores:
    return Stores(
        findings=DynamoFindings(tables.findings),
        nodes=DynamoNodes(tables.nodes),
        lease=DynamoLease(tables.ledger),
        work=DynamoWork(tables.ledger),
        snoozes=DynamoSnoozes(tables.ledger),
        journal=DynamoJournal(tables.ledger),
        history=lambda: _history(tables.ledger),
    )


def _history(ledger: Table) -> list[HistoryEvent]:
    return [
        HistoryEvent(
            finding_id=row["pk"].removeprefix("FINDING#"),
            at=from_text(row["at"]),
            kind=EventKind(row["kind"]),
            scan_id=row["scan_id"],
        )
        for row in whole_table(ledger)
        if row["pk"].startswith("FINDING#")
    ]


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
