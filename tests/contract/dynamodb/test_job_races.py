"""Jobs that another writer changes between the calls of one method."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from chalicelib.domain.errors import Conflict
from chalicelib.usecases.ports import Staged
from tests.contract.samples import MINUTE, NOW, make_job, make_message
from tests.contract.stores import Stores, Tables, build_stores

# Every engine gets the same requests.
pytestmark = pytest.mark.parametrize("tables", ["moto"], indirect=True)

FIRST = make_job("a")
LATER = replace(FIRST, event_at=NOW + MINUTE, status="Failed", nodes={"Failed": 4})
LATEST = replace(FIRST, event_at=NOW + 2 * MINUTE, status="Failed", nodes={"Failed": 5})


@pytest.fixture
def stores(tables: Tables) -> Stores:
    return build_stores(tables)


def before_each_write(tables: Tables, act: Callable[[int], object]) -> None:
    """Calls `act` before each transaction but those that it writes itself, with its number."""
    number, is_acting = 0, False

    def overtake(**_: Any) -> None:
        nonlocal number, is_acting
        if not is_acting:
            number, is_acting = number + 1, True
            act(number)
            is_acting = False

    event = "provide-client-params.dynamodb.TransactWriteItems"
    tables.ledger.meta.client.meta.events.register(event, overtake)


def complete(stores: Stores) -> None:
    stores.work.stage(Staged(completed=stores.work.open().jobs), NOW)


def test_an_event_is_not_lost_if_its_job_is_completed_meanwhile(
    stores: Stores, tables: Tables
) -> None:
    stores.work.enqueue(FIRST)
    before_each_write(tables, lambda number: complete(stores) if number == 2 else None)

    assert stores.work.enqueue(LATER)
    assert stores.work.open().jobs == (replace(LATER, answered=True, enqueued_at=NOW),)


def test_the_latest_of_two_events_at_once_counts(stores: Stores, tables: Tables) -> None:
    stores.work.enqueue(FIRST)
    before_each_write(tables, lambda number: stores.work.enqueue(LATEST) if number == 2 else None)

    assert not stores.work.enqueue(LATER)
    assert stores.work.open().jobs == (LATEST,)


def test_a_job_that_changes_again_and_again_is_a_conflict(stores: Stores, tables: Tables) -> None:
    stores.work.enqueue(FIRST)

    def change(number: int) -> None:
        at = NOW + number * MINUTE / 10
        stores.work.enqueue(replace(FIRST, event_at=at, nodes={"Failed": number}))

    before_each_write(tables, change)

    with pytest.raises(Conflict, match="others keep changing the job a"):
        stores.work.enqueue(LATER)


def test_a_changed_job_beyond_the_first_transaction_waits_for_the_next_answer(
    stores: Stores,
) -> None:
    jobs = tuple(make_job(f"a#{number:02}") for number in range(60))
    changed = replace(LATER, key=jobs[-1].key)
    for job in (jobs[0], jobs[-1], changed):
        stores.work.enqueue(job)

    stores.work.stage(Staged(make_message(1), completed=jobs), NOW)

    work = stores.work.open()
    assert (work.messages, work.jobs) == ((make_message(1),), (changed,))
