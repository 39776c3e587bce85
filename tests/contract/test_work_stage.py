from dataclasses import replace

import pytest

from chalicelib.domain.announcement import ChannelState
from chalicelib.domain.errors import Conflict
from chalicelib.domain.snooze import Snooze
from chalicelib.usecases.ports import MAX_SETTLED_SNOOZES, Staged
from tests.contract.samples import NOW, make_job, make_message, make_snooze, make_snooze_event
from tests.contract.stores import Stores


def told(each: Snooze) -> Snooze:
    return replace(each, settled_at=NOW, version=each.version + 1)


def prepare(stores: Stores, *, snoozes: int = 1, scans: int = 1, jobs: int = 1) -> Staged:
    """Unfinished work, and the decision that finishes all of it."""
    kept = tuple(make_snooze(number) for number in range(snoozes))
    marked = tuple(f"scan-{number}" for number in range(scans))
    owed = tuple(make_job(f"association#{number}") for number in range(jobs))
    for each in kept:
        stores.snoozes.add(each, make_snooze_event(each))
    for scan_id in marked:
        stores.work.mark_unannounced(scan_id)
    for one in owed[::7]:  # of many, some in every transaction that pays them
        stores.work.enqueue(one)
    return Staged(
        message=make_message(1),
        unannounced_scans=marked,
        completed=owed,
        settled_snoozes=tuple(map(told, kept)),
        channel_state=ChannelState(last_alert_at=NOW),
    )


def test_a_decision_is_written_whole(stores: Stores) -> None:
    staged = prepare(stores)
    stores.work.mark_unannounced("scan-of-somebody-else")
    stores.work.stage(staged, NOW)

    work = stores.work.open()
    assert work.messages == (make_message(1),)
    assert work.unannounced_scans == ("scan-of-somebody-else",)
    assert work.jobs == ()
    assert work.channel_state == ChannelState(last_alert_at=NOW)
    assert tuple(stores.snoozes.all()) == staged.settled_snoozes


def test_nothing_decided_changes_nothing(stores: Stores) -> None:
    prepare(stores)
    before = stores.work.open()
    stores.work.stage(Staged(), NOW)
    assert stores.work.open() == before


@pytest.mark.parametrize("version", [1, 3])
def test_a_snooze_that_has_changed_stops_all_of_it(stores: Stores, version: int) -> None:
    staged = prepare(stores, snoozes=3)
    first, second, third = staged.settled_snoozes
    before = stores.work.open(), set(stores.snoozes.all())

    with pytest.raises(Conflict):
        stores.work.stage(
            replace(staged, settled_snoozes=(first, replace(second, version=version), third)), NOW
        )
    assert (stores.work.open(), set(stores.snoozes.all())) == before


def test_a_snooze_that_is_not_stored_stops_all_of_it(stores: Stores) -> None:
    staged = prepare(stores)
    before = stores.work.open()

    with pytest.raises(Conflict):
        stores.work.stage(replace(staged, settled_snoozes=(told(make_snooze(99)),)), NOW)
    assert stores.work.open() == before


def test_the_same_decision_again_makes_no_second_message(stores: Stores) -> None:
    staged = replace(prepare(stores), settled_snoozes=())
    stores.work.stage(staged, NOW)
    after = stores.work.open()

    with pytest.raises(Conflict):
        stores.work.stage(staged, NOW)
    assert stores.work.open() == after


def test_marks_and_debts_are_settled_again_without_harm(stores: Stores) -> None:
    staged = prepare(stores)
    settled = Staged(unannounced_scans=staged.unannounced_scans * 2, completed=staged.completed * 2)
    stores.work.stage(settled, NOW)
    stores.work.stage(settled, NOW)

    assert stores.work.open().jobs == ()
    assert stores.work.open().unannounced_scans == ()
    assert not stores.work.enqueue(staged.completed[0])


@pytest.mark.parametrize(("scans", "jobs"), [(0, 120), (120, 3)])
def test_more_than_one_transaction_holds_is_settled_too(
    stores: Stores, scans: int, jobs: int
) -> None:
    staged = prepare(stores, snoozes=1, scans=scans, jobs=jobs)
    stores.work.stage(staged, NOW)

    work = stores.work.open()
    assert (work.jobs, work.unannounced_scans, work.messages) == ((), (), (make_message(1),))
    assert not any(stores.work.enqueue(each) for each in staged.completed[::20])


def test_as_many_snoozes_as_allowed_are_told_and_no_more(stores: Stores) -> None:
    staged = prepare(stores, snoozes=MAX_SETTLED_SNOOZES + 1, scans=60, jobs=2)
    before = stores.work.open()

    with pytest.raises(ValueError, match="more than 50 settled snoozes"):
        stores.work.stage(staged, NOW)
    assert stores.work.open() == before

    stores.work.stage(replace(staged, settled_snoozes=staged.settled_snoozes[1:]), NOW)
    assert [each.settled_at for each in stores.snoozes.all()].count(None) == 1
    assert stores.work.open().jobs == ()
