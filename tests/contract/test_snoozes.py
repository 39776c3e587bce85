from dataclasses import replace

import pytest

from chalicelib.domain.errors import Conflict
from chalicelib.domain.snooze import Snooze
from tests.contract.conftest import Stores
from tests.contract.samples import MINUTE, NOW, snooze


def test_at_first_there_is_none(stores: Stores) -> None:
    assert not stores.snoozes.all()


@pytest.mark.parametrize(
    "kept",
    [
        snooze(1),
        replace(snooze(1), instance_id=None, ends_at=None, until_resolved=False),
        replace(snooze(1), title=None, comment="two\nlines 🔥"),
        replace(snooze(1), title="🔥" * 500),
        replace(snooze(1), ended_at=NOW + MINUTE, told_at=NOW + 2 * MINUTE),
    ],
)
def test_a_snooze_comes_back_as_it_was(stores: Stores, kept: Snooze) -> None:
    stores.snoozes.add(kept)

    (read,) = stores.snoozes.all()
    assert read == kept
    assert type(read.version) is int


def test_more_than_a_page_is_read_whole(stores: Stores) -> None:
    kept = {replace(snooze(number), comment="c" * 40_000) for number in range(30)}
    for each in kept:
        stores.snoozes.add(each)

    assert set(stores.snoozes.all()) == kept


def test_a_snooze_is_added_once(stores: Stores) -> None:
    stores.snoozes.add(snooze(1))
    with pytest.raises(Conflict):
        stores.snoozes.add(replace(snooze(1), comment="another"))
    assert tuple(stores.snoozes.all()) == (snooze(1),)


def test_a_snooze_is_ended(stores: Stores) -> None:
    stores.snoozes.add(snooze(1))
    stores.snoozes.add(snooze(2))
    ended = replace(snooze(1), ended_at=NOW, version=2)
    stores.snoozes.end(ended)

    assert set(stores.snoozes.all()) == {ended, snooze(2)}


@pytest.mark.parametrize("version", [1, 2, 4])
def test_a_snooze_that_has_changed_is_not_ended(stores: Stores, version: int) -> None:
    stores.snoozes.add(snooze(1))
    changed = replace(snooze(1), ended_at=NOW, version=2)
    stores.snoozes.end(changed)

    with pytest.raises(Conflict):
        stores.snoozes.end(replace(changed, ended_at=NOW + MINUTE, version=version))
    assert tuple(stores.snoozes.all()) == (changed,)


def test_a_snooze_that_is_not_stored_is_not_ended(stores: Stores) -> None:
    with pytest.raises(Conflict):
        stores.snoozes.end(replace(snooze(1), ended_at=NOW, version=2))
    assert not stores.snoozes.all()
