"""DynamoDB throttles, refuses or loses responses. Everything is stored in the end."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from chalicelib.domain.errors import Forbidden, ServiceError, Unavailable
from chalicelib.domain.history import SnoozeEvent, SnoozeEventKind
from chalicelib.domain.snooze import Reason, Snooze
from tests.engines.engines import DYNAMODB, Engines, build_node_id
from tests.engines.proxy import (
    Call,
    Fault,
    Response,
    drop_connection,
    fail_afterwards,
    process_only,
    refuse,
)

pytestmark = pytest.mark.enable_socket

RecordProperty = Callable[[str, str], None]
NODES, TITLES = 3, 40


def report_fleet(engines: Engines) -> list[tuple[str, str]]:
    """Lets three nodes report forty titles each: several full batches and a small one."""
    titles = [f"title {number}" for number in range(TITLES)]
    for node in range(NODES):
        engines.report(node, titles)
    return sorted((build_node_id(node), title) for node in range(NODES) for title in titles)


MANY = (1, 2, 4, 6, 7, 8)


@pytest.mark.parametrize(
    ("fault", "numbers"),
    [
        pytest.param(refuse("ThrottlingException"), (1, 8), id="throttled"),
        pytest.param(refuse("ProvisionedThroughputExceededException"), (2, 8), id="exceeded"),
        pytest.param(refuse("InternalServerError", 500), MANY, id="500"),
        pytest.param(drop_connection, MANY, id="dropped"),
        pytest.param(fail_afterwards(drop_connection), MANY, id="lost"),
        pytest.param(process_only(0), MANY, id="none-processed"),
        pytest.param(process_only(1), MANY, id="one-processed"),
        pytest.param(process_only(24), MANY, id="all-but-one"),
    ],
)
def test_unprocessed_batches_are_written_within_the_scan(
    engines: Engines, fault: Fault, numbers: tuple[int, ...]
) -> None:
    expected = report_fleet(engines)
    for number in numbers:
        engines.faults.plan("BatchWriteItem", fault, number)

    (scan,) = engines.scan(nodes=NODES)

    assert engines.faults.calls.count("BatchWriteItem") > 8
    assert engines.list_findings() == engines.list_announced() == expected
    assert engines.list_headers() == [f"{len(expected)} new non-compliant findings"]
    assert scan["nodes_unverified"] == 0
    assert (engines.is_work_done(), engines.count_completed_jobs()) == (True, 1)


def limit_to_table(name: str, fault: Fault) -> Fault:
    """Returns the fault for calls to one table only."""

    def choose(call: Call) -> Response | None:
        return fault(call) if name.encode() in call.body else call.forward()

    return choose


@pytest.mark.parametrize("table", ["nodes", "ledger", "findings"])
def test_writes_that_a_table_refuses_are_completed_by_the_next_scan(
    engines: Engines, table: str
) -> None:
    expected = report_fleet(engines)
    name = getattr(engines.tables, table)
    refuse_table = limit_to_table(name, refuse("AccessDeniedException"))
    operation = "TransactWriteItems" if table == "nodes" else "BatchWriteItem"
    for number in range(2, 40):
        engines.faults.plan(operation, refuse_table, number)

    with pytest.raises(Forbidden):
        engines.scan(nodes=NODES)

    assert engines.list_headers() == []
    assert not engines.is_work_done()

    engines.faults.clear()
    engines.reconcile()
    assert engines.list_findings() == engines.list_announced() == expected
    assert engines.list_headers() == [f"{len(expected)} new non-compliant findings"]
    assert (engines.is_work_done(), engines.count_completed_jobs()) == (True, 1)


def test_rows_that_stay_unprocessed_wait_for_the_next_scan(engines: Engines) -> None:
    expected = report_fleet(engines)
    engines.faults.plan("BatchWriteItem", limit_to_table(engines.tables.findings, process_only(1)))

    with pytest.raises(Unavailable, match=r"throttles .*findings: 17 rows were left over"):
        engines.scan(nodes=NODES)

    assert (len(engines.list_findings()), engines.list_headers()) == (8, [])

    engines.faults.clear()
    engines.reconcile()
    assert engines.list_findings() == engines.list_announced() == expected
    assert engines.list_headers() == [f"{len(expected)} new non-compliant findings"]
    assert (engines.is_work_done(), engines.count_completed_jobs()) == (True, 1)


def make_snooze(title: str) -> Snooze:
    """Returns a snooze that ends with the fix of this title."""
    now = datetime.now(UTC)
    return Snooze(
        id=title,
        instance_id=build_node_id(0),
        title=title,
        starts_at=now,
        ends_at=None,
        until_resolved=True,
        reason=Reason.FIX_SCHEDULED,
        comment="ticket 42",
        created_by="first",
        created_via="api",
        created_at=now,
    )


def make_created_event(snooze: Snooze) -> SnoozeEvent:
    return SnoozeEvent(
        snooze_id=snooze.id,
        at=snooze.created_at,
        kind=SnoozeEventKind.CREATED,
        by=snooze.created_by,
        via=snooze.created_via,
        version=1,
        ends_at=None,
        reason=snooze.reason,
        comment=snooze.comment,
    )


def test_any_response_of_the_tables_can_be_lost(
    engines: Engines, record_property: RecordProperty
) -> None:
    """Each scan has a new finding, a fix and a snooze that ends; one call loses its response."""
    engines.report(0, ["stays", "title 0"])
    engines.scan()
    calls, number = [""], 0
    failed, broken = [], {}
    while number < len(calls):
        number += 1
        engines.slack.reset()
        snooze = make_snooze(f"title {number - 1}")
        engines.build_context().snoozes.add(snooze, make_created_event(snooze))
        engines.report(0, ["stays", f"title {number}"], f"run {number}")
        engines.faults.clear()
        engines.faults.plan(DYNAMODB, fail_afterwards(drop_connection), number)
        try:
            engines.scan()
        except ServiceError as error:
            failed.append((engines.faults.list_calls_to(DYNAMODB)[number - 1], type(error)))
            engines.reconcile()
        calls = engines.faults.list_calls_to(DYNAMODB)
        new = (build_node_id(0), f"title {number}")
        actual = (
            engines.list_findings(),
            engines.list_announced(),
            len(engines.list_headers()),
            engines.is_work_done(),
        )
        if actual != ([(build_node_id(0), "stays"), new], [new], 1, True):
            broken[number] = (calls[number - 1], *actual)

    record_property("summary", f"lost responses: each of {len(calls)} calls to the tables")

    assert broken == {}
    assert failed == []
