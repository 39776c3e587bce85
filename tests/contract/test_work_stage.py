import pytest
from msgspec.structs import replace

from chalicelib.domain.announcement import ChannelState
from chalicelib.domain.errors import Conflict
from chalicelib.domain.finding import Severity
from chalicelib.domain.history import EventKind
from chalicelib.domain.scan import Day, MutedCount
from chalicelib.domain.snooze import Snooze
from chalicelib.usecases.ports import MAX_SETTLED_SNOOZES, Staged
from tests.contract.samples import (
    NOW,
    make_job,
    make_message,
    make_scan_record,
    make_snooze,
    make_snooze_event,
)
from tests.contract.stores import Stores

TODAY = Day(
    f"{NOW:%Y-%m-%d}",
    open={Severity.HIGH: 7},
    muted=MutedCount(2, "digest"),
    unchecked=1,
    changes={EventKind.NEW: 9, EventKind.FIXED: 2, EventKind.IN_TURN: 1},
    fixed_ages={0: 1, 30: 1},
    nodes_known=4,
    nodes_reported=3,
)


def settle(snooze: Snooze) -> Snooze:
    return replace(snooze, settled_at=NOW, version=snooze.version + 1)


def decide(stores: Stores, *, snoozes: int = 1, jobs: int = 1) -> Staged:
    """Stores open work and returns a decision that completes all of it."""
    stored = tuple(make_snooze(number) for number in range(snoozes))
    waiting = tuple(make_job(f"association#{number}") for number in range(jobs))
    for snooze in stored:
        stores.snoozes.add(snooze, make_snooze_event(snooze))
    # of many jobs, some in every transaction that completes them
    for job in waiting[::7]:
        stores.work.enqueue(job)
    return Staged(
        message=make_message(1),
        completed=waiting,
        snoozes=tuple(map(settle, stored)),
        channel_state=ChannelState(last_alert_at=NOW),
        scan=make_scan_record(1),
        day=TODAY,
    )


def test_a_decision_is_written_completely(stores: Stores) -> None:
    staged = decide(stores)
    stores.work.stage(staged, NOW)

    work = stores.work.open()
    assert work.messages == (make_message(1),)
    assert list(stores.archive.scans(None, 2)) == [make_scan_record(1)]
    assert work.jobs == ()
    assert work.channel_state == ChannelState(last_alert_at=NOW)
    assert work.day == TODAY
    assert list(stores.archive.days("2020-01-01")) == [TODAY]
    assert tuple(stores.snoozes.all()) == staged.snoozes


def test_an_empty_decision_changes_nothing(stores: Stores) -> None:
    decide(stores)
    before = stores.work.open()

    stores.work.stage(Staged(), NOW)

    assert stores.work.open() == before


@pytest.mark.parametrize("version", [1, 3])
def test_a_changed_snooze_prevents_the_whole_decision(stores: Stores, version: int) -> None:
    staged = decide(stores, snoozes=3)
    first, second, third = staged.snoozes
    before = stores.work.open(), set(stores.snoozes.all())

    with pytest.raises(Conflict):
        stores.work.stage(
            replace(staged, snoozes=(first, replace(second, version=version), third)), NOW
        )
    assert (stores.work.open(), set(stores.snoozes.all())) == before


def test_a_snooze_that_is_not_stored_prevents_the_whole_decision(stores: Stores) -> None:
    staged = decide(stores)
    before = stores.work.open()

    with pytest.raises(Conflict):
        stores.work.stage(replace(staged, snoozes=(settle(make_snooze(99)),)), NOW)
    assert stores.work.open() == before


def test_days_are_listed_oldest_first_and_replaced(stores: Stores) -> None:
    days = [replace(TODAY, day=day) for day in ("2026-11-20", "2026-12-01", "2027-01-01")]
    for day in (days[0], replace(days[1], open={}), *days[1:]):
        stores.work.stage(Staged(day=day), NOW)

    assert list(stores.archive.days("2026-01-01")) == days
    assert list(stores.archive.days("2026-12-01")) == days[1:]
    assert list(stores.archive.days("2027-01-02")) == []
    assert stores.work.open().day == days[-1]


def test_a_repeated_decision_creates_no_second_message(stores: Stores) -> None:
    staged = replace(decide(stores), snoozes=())
    stores.work.stage(staged, NOW)
    after = stores.work.open()

    with pytest.raises(Conflict):
        stores.work.stage(staged, NOW)
    assert stores.work.open() == after


def test_jobs_can_be_completed_again(stores: Stores) -> None:
    staged = decide(stores)
    twice = Staged(completed=staged.completed * 2)
    stores.work.stage(twice, NOW)
    stores.work.stage(twice, NOW)

    assert stores.work.open().jobs == ()
    assert not stores.work.enqueue(staged.completed[0])


def test_a_decision_may_need_several_transactions(stores: Stores) -> None:
    staged = decide(stores, snoozes=1, jobs=120)
    stores.work.stage(staged, NOW)

    work = stores.work.open()
    assert (work.jobs, work.messages) == ((), (make_message(1),))
    assert not any(stores.work.enqueue(each) for each in staged.completed[::20])


def test_a_decision_settles_only_a_limited_number_of_snoozes(stores: Stores) -> None:
    staged = decide(stores, snoozes=MAX_SETTLED_SNOOZES + 1, jobs=2)
    before = stores.work.open()

    with pytest.raises(ValueError, match="more than 50 settled snoozes"):
        stores.work.stage(staged, NOW)
    assert stores.work.open() == before

    stores.work.stage(replace(staged, snoozes=staged.snoozes[1:]), NOW)
    assert [each.settled_at for each in stores.snoozes.all()].count(None) == 1
    assert stores.work.open().jobs == ()
