from datetime import timedelta

import pytest
from msgspec.structs import replace

from chalicelib.domain.announcement import AssociationState, ChannelState
from chalicelib.domain.errors import Conflict
from chalicelib.domain.history import EventKind
from chalicelib.domain.message import CsvFile, Message, OutputState, Source
from chalicelib.domain.scan import Job, JobKind
from chalicelib.usecases.ports import MAX_LEASE, OpenWork, Staged
from tests.contract.samples import FILE, MINUTE, MONTH, NOW, POST, STORE, make_job, make_message
from tests.contract.stores import Stores

NO_WORK = OpenWork()
END = NOW + 15 * MINUTE
TICK = timedelta(microseconds=1)


def test_a_new_ledger_has_no_open_work(stores: Stores) -> None:
    assert stores.work.open() == NO_WORK


@pytest.mark.parametrize(
    "job",
    [
        make_job("association#2024-05-16T23:00:01Z"),
        Job(key="monthly#2040-03-01", kind=JobKind.MONTHLY, event_at=NOW, enqueued_at=NOW),
    ],
)
def test_a_job_is_read_unchanged(stores: Stores, job: Job) -> None:
    assert stores.work.enqueue(job)

    (read,) = stores.work.open().jobs
    assert read == job
    assert all(type(count) is int for count in read.nodes.values())


def test_a_job_is_enqueued_once(stores: Stores) -> None:
    assert stores.work.enqueue(make_job("a"))
    assert not stores.work.enqueue(make_job("a"))
    assert stores.work.open().jobs == (make_job("a"),)


def test_a_completed_job_is_not_enqueued_again(stores: Stores) -> None:
    stores.work.enqueue(make_job("a"))
    stores.work.stage(Staged(completed=(make_job("a"),)), NOW)

    assert not stores.work.enqueue(make_job("a"))
    assert stores.work.open() == NO_WORK


def test_jobs_are_read_oldest_first(stores: Stores) -> None:
    for key, minutes in (("c", 2), ("b", 1), ("a", 3), ("e", 0), ("d", 0)):
        stores.work.enqueue(make_job(key, minutes=minutes))

    assert [each.key for each in stores.work.open().jobs] == ["d", "e", "b", "c", "a"]


def test_messages_are_read_oldest_first(stores: Stores) -> None:
    for number, minutes in ((1, 5), (2, 0), (3, 1)):
        stores.work.stage(Staged(message=make_message(number, minutes=minutes)), NOW)

    assert [each.id for each in stores.work.open().messages] == [
        "message-2",
        "message-3",
        "message-1",
    ]


OUTPUT = OutputState("chat", 2, "is_archived", NOW + MINUTE, "0123abcd", later_only=True)


@pytest.mark.parametrize("state", [OUTPUT, OutputState("chat", 1, "timeout", NOW)])
def test_the_trouble_of_an_output_is_read_unchanged(stores: Stores, state: OutputState) -> None:
    other = replace(OUTPUT, name="bucket")
    stores.work.save_output("bucket", other)
    stores.work.save_output("chat", OUTPUT)
    stores.work.save_output("chat", state)

    assert stores.work.open() == replace(NO_WORK, outputs={"bucket": other, "chat": state})


def test_the_trouble_of_an_output_is_removed(stores: Stores) -> None:
    stores.work.save_output("chat", OUTPUT)

    for _ in range(2):
        stores.work.save_output("chat", None)
        assert stores.work.open() == NO_WORK


@pytest.mark.parametrize(
    "pending",
    [
        make_message(1),
        make_message(2, csv=False),
        replace(make_message(3), scan_ids=(), snooze_ids=()),
        replace(make_message(4), files=(CsvFile("m/1.csv", "", Source.EVERYTHING, stored=True),)),
        replace(make_message(4), alert=None, month=MONTH),
        make_message(6).with_failure(FILE, "file_refused", NOW),
        replace(make_message(4), alert=None, month=replace(MONTH, oldest=None)),
        make_message(5).with_receipt(STORE, "alerts/5.csv").with_receipt(POST, ""),
    ],
)
def test_a_message_is_read_unchanged(stores: Stores, pending: Message) -> None:
    stores.work.stage(Staged(message=pending), NOW)
    assert stores.work.open().messages == (pending,)


def test_each_step_is_recorded_until_the_message_is_sent(stores: Stores) -> None:
    current, other = make_message(1), make_message(2)
    stores.work.stage(Staged(message=current), NOW)
    stores.work.stage(Staged(message=other), NOW)
    for step, receipt in ((POST, "1700000000.000100"), (STORE, "alerts/1.csv")):
        current = current.with_receipt(step, receipt)
        stores.work.record(current, NOW)
        assert stores.work.open().messages == (current, other)

    sent = current.with_receipt(FILE, "F012345")
    stores.work.record(sent, NOW)
    assert stores.work.open().messages == (other,)
    stores.work.record(sent, NOW)
    assert stores.work.open().messages == (other,)


def test_a_sent_message_stays_closed(stores: Stores) -> None:
    pending = make_message(1, csv=False)
    stores.work.stage(Staged(message=pending), NOW)
    stores.work.record(pending.with_receipt(POST, "1700000000.000100"), NOW)

    with pytest.raises(Conflict):
        stores.work.record(pending, NOW)
    with pytest.raises(Conflict):
        stores.work.stage(Staged(message=pending), NOW)
    assert stores.work.open() == NO_WORK


@pytest.mark.parametrize(
    "state",
    [
        ChannelState(),
        ChannelState(
            unverified=frozenset({"i-1", "i-2"}),
            deferred=True,
            braked=True,
            last_alert_at=NOW,
            associations={
                "association": AssociationState(NOW, NOW - MINUTE, NOW, ((NOW, 200), (NOW, 1))),
                "": AssociationState(),
            },
            changes={EventKind.FIXED: 1},
            fixed_since=NOW,
        ),
        ChannelState(unverified=frozenset(f"i-{number:017}" for number in range(1_000))),
    ],
)
def test_the_channel_state_is_read_unchanged(stores: Stores, state: ChannelState) -> None:
    stores.work.stage(Staged(channel_state=ChannelState(deferred=True)), NOW)
    stores.work.stage(Staged(channel_state=state), NOW)

    assert stores.work.open() == replace(NO_WORK, channel_state=state)


def test_a_free_lease_can_be_taken(stores: Stores) -> None:
    assert stores.lease.acquire("a", NOW, END)


def test_a_lease_has_one_holder_until_it_ends(stores: Stores) -> None:
    assert stores.lease.acquire("a", NOW, END)
    assert not stores.lease.acquire("b", NOW, END)
    assert not stores.lease.acquire("b", END - TICK, END + MINUTE)


def test_a_lease_of_a_clock_that_was_ahead_can_be_taken(stores: Stores) -> None:
    assert stores.lease.acquire("a", NOW, NOW + MAX_LEASE)
    assert not stores.lease.acquire("b", NOW, END)
    assert stores.lease.acquire("b", NOW - TICK, END)


def test_a_lease_that_has_ended_can_be_taken(stores: Stores) -> None:
    assert stores.lease.acquire("a", NOW, END)
    assert stores.lease.acquire("b", END, END + MINUTE)
    assert not stores.lease.acquire("a", END, END + MINUTE)


def test_the_holder_can_extend_the_lease(stores: Stores) -> None:
    assert stores.lease.acquire("a", NOW, END)
    assert stores.lease.acquire("a", NOW, END + MINUTE)
    assert not stores.lease.acquire("b", END, END + MINUTE)


def test_a_released_lease_can_be_taken(stores: Stores) -> None:
    assert stores.lease.acquire("a", NOW, END)

    stores.lease.release("a")
    assert stores.lease.acquire("b", NOW, END)


def test_a_lease_is_released_only_by_its_holder(stores: Stores) -> None:
    assert stores.lease.acquire("a", NOW, END)
    assert stores.lease.acquire("b", END, END + MINUTE)

    stores.lease.release("a")
    assert not stores.lease.acquire("c", END, END + MINUTE)


def test_the_holder_learns_that_somebody_wanted_the_lease(stores: Stores) -> None:
    assert stores.lease.acquire("a", NOW, END)
    assert not stores.lease.release("a")

    assert stores.lease.acquire("a", NOW, END)
    assert not stores.lease.acquire("b", NOW, END)
    assert stores.lease.release("a")

    assert stores.lease.acquire("a", NOW, END)
    assert not stores.lease.release("a")


def test_a_wish_for_a_lease_that_has_ended_is_forgotten(stores: Stores) -> None:
    assert stores.lease.acquire("a", NOW, END)
    assert not stores.lease.acquire("b", NOW, END)
    assert stores.lease.acquire("c", END, END + MINUTE)

    assert not stores.lease.release("a")
    assert not stores.lease.release("c")


def test_releasing_a_free_lease_does_nothing(stores: Stores) -> None:
    assert not stores.lease.release("a")
    assert stores.lease.acquire("b", NOW, END)


def test_the_lease_is_not_open_work(stores: Stores) -> None:
    before = stores.work.open()
    stores.lease.acquire("a", NOW, END)

    assert stores.work.open() == before
