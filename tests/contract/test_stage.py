from dataclasses import replace

import pytest

from chalicelib.domain.alert import Told
from chalicelib.domain.errors import Conflict
from chalicelib.domain.snooze import Snooze
from chalicelib.usecases.ports import MAX_TOLD_SNOOZES, Staged
from tests.contract.conftest import Stores
from tests.contract.samples import NOW, debt, message, snooze, snooze_event


def told(each: Snooze) -> Snooze:
    return replace(each, told_at=NOW, version=each.version + 1)


def prepare(stores: Stores, *, snoozes: int = 1, scans: int = 1, debts: int = 1) -> Staged:
    """Unfinished work, and the decision that finishes all of it."""
    kept = tuple(snooze(number) for number in range(snoozes))
    marked = tuple(f"scan-{number}" for number in range(scans))
    owed = tuple(debt(f"association#{number}") for number in range(debts))
    for each in kept:
        stores.snoozes.add(each, snooze_event(each))
    for scan_id in marked:
        stores.work.mark_opened(scan_id)
    for one in owed[::7]:  # of many, some in every transaction that pays them
        stores.work.owe(one)
    return Staged(
        message=message(1),
        open_scans=marked,
        paid=owed,
        told_snoozes=tuple(map(told, kept)),
        told=Told(last_alert_at=NOW),
    )


def test_a_decision_is_written_whole(stores: Stores) -> None:
    staged = prepare(stores)
    stores.work.mark_opened("scan-of-somebody-else")
    stores.work.stage(staged, NOW)

    work = stores.work.open()
    assert work.messages == (message(1),)
    assert work.open_scans == ("scan-of-somebody-else",)
    assert work.debts == ()
    assert work.told == Told(last_alert_at=NOW)
    assert tuple(stores.snoozes.all()) == staged.told_snoozes


def test_nothing_decided_changes_nothing(stores: Stores) -> None:
    prepare(stores)
    before = stores.work.open()
    stores.work.stage(Staged(), NOW)
    assert stores.work.open() == before


@pytest.mark.parametrize("version", [1, 3])
def test_a_snooze_that_has_changed_stops_all_of_it(stores: Stores, version: int) -> None:
    staged = prepare(stores, snoozes=3)
    first, second, third = staged.told_snoozes
    before = stores.work.open(), set(stores.snoozes.all())

    with pytest.raises(Conflict):
        stores.work.stage(
            replace(staged, told_snoozes=(first, replace(second, version=version), third)), NOW
        )
    assert (stores.work.open(), set(stores.snoozes.all())) == before


def test_a_snooze_that_is_not_stored_stops_all_of_it(stores: Stores) -> None:
    staged = prepare(stores)
    before = stores.work.open()

    with pytest.raises(Conflict):
        stores.work.stage(replace(staged, told_snoozes=(told(snooze(99)),)), NOW)
    assert stores.work.open() == before


def test_the_same_decision_again_makes_no_second_message(stores: Stores) -> None:
    staged = replace(prepare(stores), told_snoozes=())
    stores.work.stage(staged, NOW)
    after = stores.work.open()

    with pytest.raises(Conflict):
        stores.work.stage(staged, NOW)
    assert stores.work.open() == after


def test_marks_and_debts_are_settled_again_without_harm(stores: Stores) -> None:
    staged = prepare(stores)
    settled = Staged(open_scans=staged.open_scans * 2, paid=staged.paid * 2)
    stores.work.stage(settled, NOW)
    stores.work.stage(settled, NOW)

    assert stores.work.open().debts == ()
    assert stores.work.open().open_scans == ()
    assert not stores.work.owe(staged.paid[0])


@pytest.mark.parametrize(("scans", "debts"), [(0, 120), (120, 3)])
def test_more_than_one_transaction_holds_is_settled_too(
    stores: Stores, scans: int, debts: int
) -> None:
    staged = prepare(stores, snoozes=1, scans=scans, debts=debts)
    stores.work.stage(staged, NOW)

    work = stores.work.open()
    assert (work.debts, work.open_scans, work.messages) == ((), (), (message(1),))
    assert not any(stores.work.owe(each) for each in staged.paid[::20])


def test_as_many_snoozes_as_allowed_are_told_and_no_more(stores: Stores) -> None:
    staged = prepare(stores, snoozes=MAX_TOLD_SNOOZES + 1, scans=60, debts=2)
    before = stores.work.open()

    with pytest.raises(ValueError, match="more than 50 told snoozes"):
        stores.work.stage(staged, NOW)
    assert stores.work.open() == before

    stores.work.stage(replace(staged, told_snoozes=staged.told_snoozes[1:]), NOW)
    assert [each.told_at for each in stores.snoozes.all()].count(None) == 1
    assert stores.work.open().debts == ()
