"""Several events of one execution: the latest counts, and one that is worse is answered again."""

import pytest
from msgspec.structs import replace

from chalicelib.domain.announcement import ChannelState
from chalicelib.domain.errors import Conflict
from chalicelib.domain.scan import Job
from chalicelib.usecases.ports import Staged
from tests.contract.samples import MINUTE, NOW, make_job, make_message
from tests.contract.stores import Stores

FIRST = replace(make_job("a"), nodes={"Success": 3})


def make_event(*, minutes: int = 1, status: str = "Success", **nodes: int) -> Job:
    """Returns the job of another event of the same execution."""
    at = NOW + minutes * MINUTE
    return replace(FIRST, event_at=at, enqueued_at=at, status=status, nodes=nodes)


WORSE = make_event(status="Failed", Success=1, Failed=2)
BETTER = make_event(Success=4)


def complete(stores: Stores, job: Job) -> None:
    stores.work.stage(Staged(completed=(job,)), NOW)


@pytest.mark.parametrize("event", [WORSE, BETTER])
def test_a_waiting_job_takes_status_and_counts_of_a_later_event(stores: Stores, event: Job) -> None:
    stores.work.enqueue(FIRST)

    assert stores.work.enqueue(event)
    assert stores.work.open().jobs == (replace(event, enqueued_at=FIRST.enqueued_at),)


@pytest.mark.parametrize(
    "event",
    [
        FIRST,
        make_event(Success=3),
        make_event(minutes=-1, status="Failed", Failed=3),
        make_event(minutes=0, Success=4),
    ],
    ids=["doubled", "repeated later", "earlier", "of the same second and not worse"],
)
def test_an_event_that_is_doubled_or_not_later_changes_nothing(stores: Stores, event: Job) -> None:
    stores.work.enqueue(FIRST)
    assert not stores.work.enqueue(event)
    assert stores.work.open().jobs == (FIRST,)

    complete(stores, FIRST)
    assert not stores.work.enqueue(event)
    assert stores.work.open().jobs == ()


def test_of_two_events_of_one_second_the_worse_counts_in_either_order(stores: Stores) -> None:
    worse = replace(WORSE, event_at=FIRST.event_at, enqueued_at=FIRST.enqueued_at)
    stores.work.enqueue(FIRST)
    assert stores.work.enqueue(worse)
    assert not stores.work.enqueue(FIRST)

    assert stores.work.open().jobs == (worse,)


@pytest.mark.parametrize(
    "event",
    [
        WORSE,
        make_event(status="Failed", Success=3),
        make_event(Success=3, Pending=1),
        make_event(status="Failed"),
    ],
    ids=["nodes failed", "it failed", "more targets without a result", "it failed without counts"],
)
def test_a_completed_job_waits_again_if_a_later_event_is_worse(stores: Stores, event: Job) -> None:
    stores.work.enqueue(FIRST)
    complete(stores, FIRST)

    assert stores.work.enqueue(event)
    assert not stores.work.enqueue(event)

    assert stores.work.open().jobs == (replace(event, answered=True),)


def test_a_completed_job_stays_completed_if_a_later_event_is_better(stores: Stores) -> None:
    failed = replace(FIRST, status="Failed", nodes={"Success": 1, "Failed": 2})
    stores.work.enqueue(failed)
    complete(stores, failed)

    assert not stores.work.enqueue(make_event(Success=2, Failed=1))
    assert stores.work.open().jobs == ()


def test_a_job_that_waits_again_is_completed_like_any_other(stores: Stores) -> None:
    stores.work.enqueue(FIRST)
    complete(stores, FIRST)
    stores.work.enqueue(WORSE)
    complete(stores, replace(WORSE, answered=True))

    assert stores.work.open().jobs == ()
    assert not any(stores.work.enqueue(each) for each in (FIRST, WORSE, BETTER))
    assert stores.work.enqueue(make_event(minutes=2, status="Failed", Failed=3))


def test_a_job_that_has_changed_is_not_completed(stores: Stores) -> None:
    stores.work.enqueue(FIRST)
    stores.work.enqueue(WORSE)
    before = stores.work.open()
    staged = Staged(make_message(1), completed=(FIRST,), channel_state=ChannelState(braked=True))

    with pytest.raises(Conflict):
        stores.work.stage(staged, NOW)
    assert stores.work.open() == before

    (changed,) = before.jobs
    stores.work.stage(replace(staged, completed=(changed,)), NOW)
    assert stores.work.open().jobs == ()
