"""A table store that is too busy, or whose answers get lost: everything is stored in the end."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from chalicelib.domain.errors import Forbidden, ServiceError, Unavailable
from chalicelib.domain.history import SnoozeEvent, SnoozeEventKind
from chalicelib.domain.snooze import Reason, Snooze
from tests.engines.engines import DYNAMODB, Engines, node_id
from tests.engines.proxy import Answer, Call, Fault, dropped, lost, refused, unprocessed

pytestmark = pytest.mark.enable_socket

Tell = Callable[[str, str], None]
NODES, TITLES = 3, 40


def fleet(engines: Engines) -> list[tuple[str, str]]:
    """Let three nodes report forty findings each: five batches and a small one for each table."""
    titles = [f"title {number}" for number in range(TITLES)]
    for node in range(NODES):
        engines.report(node, titles)
    return sorted((node_id(node), title) for node in range(NODES) for title in titles)


MANY = (1, 2, 6, 7, 8, 11, 12)


@pytest.mark.parametrize(
    ("fault", "numbers"),
    [
        pytest.param(refused("ThrottlingException"), (1, 8), id="throttled"),
        pytest.param(refused("ProvisionedThroughputExceededException"), (2, 9), id="exceeded"),
        pytest.param(refused("InternalServerError", 500), MANY, id="500"),
        pytest.param(dropped, MANY, id="dropped"),
        pytest.param(lost(dropped), MANY, id="lost"),
        pytest.param(unprocessed(0), MANY, id="nothing-taken"),
        pytest.param(unprocessed(1), MANY, id="one-taken"),
        pytest.param(unprocessed(24), MANY, id="one-left"),
    ],
)
def test_batches_that_are_not_taken_at_once_are_taken_in_the_end(
    engines: Engines, fault: Fault, numbers: tuple[int, ...]
) -> None:
    expected = fleet(engines)
    for number in numbers:
        engines.faults.at("BatchWriteItem", fault, number)
    (made,) = engines.scan(nodes=NODES)
    assert engines.faults.calls.count("BatchWriteItem") > 12
    assert engines.stored() == engines.announced() == expected
    assert engines.posts() == [f"{len(expected)} new non-compliant findings"]
    assert (made["nodes_unverified"], engines.settled(), engines.completed()) == (0, True, 1)


def only_table(name: str, fault: Fault) -> Fault:
    def choose(call: Call) -> Answer | None:
        return fault(call) if name.encode() in call.body else call.forward()

    return choose


@pytest.mark.parametrize("table", ["nodes", "ledger", "findings"])
def test_a_table_that_takes_nothing_more_is_finished_by_the_next_pass(
    engines: Engines, table: str
) -> None:
    expected = fleet(engines)
    name = getattr(engines.tables, table)
    no_more = only_table(name, refused("AccessDeniedException"))
    for number in range(2, 40):
        engines.faults.at("BatchWriteItem", no_more, number)
    with pytest.raises(Forbidden):
        engines.scan(nodes=NODES)
    assert engines.posts() == []
    assert not engines.settled()
    engines.faults.end()
    engines.reconcile()
    assert engines.stored() == engines.announced() == expected
    assert engines.posts() == [f"{len(expected)} new non-compliant findings"]
    assert (engines.settled(), engines.completed()) == (True, 1)


def test_rows_that_are_left_over_again_and_again_wait_for_the_next_pass(engines: Engines) -> None:
    expected = fleet(engines)
    engines.faults.at("BatchWriteItem", only_table(engines.tables.findings, unprocessed(1)))
    with pytest.raises(Unavailable, match=r"throttles .*findings: 17 rows were left over"):
        engines.scan(nodes=NODES)
    assert (len(engines.stored()), engines.posts()) == (8, [])
    engines.faults.end()
    engines.reconcile()
    assert engines.stored() == engines.announced() == expected
    assert engines.posts() == [f"{len(expected)} new non-compliant findings"]
    assert (engines.settled(), engines.completed()) == (True, 1)


def until_resolved(title: str) -> Snooze:
    now = datetime.now(UTC)
    return Snooze(
        id=title,
        instance_id=node_id(0),
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


def created(snooze: Snooze) -> SnoozeEvent:
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


def test_any_answer_of_the_tables_may_get_lost(engines: Engines, record_property: Tell) -> None:
    """Each pass opens, resolves and ends a snooze; one answer is lost after its call's effect."""
    engines.report(0, ["stays", "title 0"])
    engines.scan()
    calls, number = [""], 0
    failed, broken = [], {}
    while number < len(calls):
        number += 1
        engines.slack.reset()
        snooze = until_resolved(f"title {number - 1}")
        engines.context().snoozes.add(snooze, created(snooze))
        engines.report(0, ["stays", f"title {number}"], f"run {number}")
        engines.faults.end()
        engines.faults.at(DYNAMODB, lost(dropped), number)
        try:
            engines.scan()
        except ServiceError as error:
            failed.append((engines.faults.calls_to(DYNAMODB)[number - 1], type(error)))
            engines.reconcile()
        calls = engines.faults.calls_to(DYNAMODB)
        new = (node_id(0), f"title {number}")
        seen = (engines.stored(), engines.announced(), len(engines.posts()), engines.settled())
        if seen != ([(node_id(0), "stays"), new], [new], 1, True):
            broken[number] = (calls[number - 1], *seen)
    record_property("summary", f"lost answers: each of {len(calls)} calls to the tables")
    assert broken == {}
    assert failed == []
