from datetime import timedelta

from tests.contract.samples import MINUTE, NOW
from tests.contract.stores import Stores

END = NOW + 15 * MINUTE
TICK = timedelta(microseconds=1)


def test_a_free_lease_is_taken(stores: Stores) -> None:
    assert stores.lease.acquire("a", NOW, END)


def test_a_held_lease_is_busy_to_its_last_moment(stores: Stores) -> None:
    assert stores.lease.acquire("a", NOW, END)
    assert not stores.lease.acquire("b", NOW, END)
    assert not stores.lease.acquire("b", END - TICK, END + MINUTE)


def test_a_lease_that_has_run_out_is_taken_over(stores: Stores) -> None:
    assert stores.lease.acquire("a", NOW, END)
    assert stores.lease.acquire("b", END, END + MINUTE)
    assert not stores.lease.acquire("a", END, END + MINUTE)


def test_the_holder_may_take_it_again_and_longer(stores: Stores) -> None:
    assert stores.lease.acquire("a", NOW, END)
    assert stores.lease.acquire("a", NOW, END + MINUTE)
    assert not stores.lease.acquire("b", END, END + MINUTE)


def test_a_released_lease_is_free(stores: Stores) -> None:
    assert stores.lease.acquire("a", NOW, END)
    stores.lease.release("a")
    assert stores.lease.acquire("b", NOW, END)


def test_releasing_what_somebody_else_holds_changes_nothing(stores: Stores) -> None:
    assert stores.lease.acquire("a", NOW, END)
    assert stores.lease.acquire("b", END, END + MINUTE)
    stores.lease.release("a")
    assert not stores.lease.acquire("c", END, END + MINUTE)


def test_releasing_a_free_lease_is_no_error(stores: Stores) -> None:
    stores.lease.release("a")
    assert stores.lease.acquire("b", NOW, END)


def test_the_lease_is_no_unfinished_work(stores: Stores) -> None:
    before = stores.work.open()
    stores.lease.acquire("a", NOW, END)
    assert stores.work.open() == before
