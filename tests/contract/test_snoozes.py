from dataclasses import replace

import pytest

from chalicelib.domain.errors import Conflict
from chalicelib.domain.history import SnoozeEvent, SnoozeEventKind
from chalicelib.domain.snooze import Snooze, id_prefix
from tests.contract.samples import MINUTE, NOW, make_snooze, make_snooze_event
from tests.contract.stores import Stores


def add(stores: Stores, *snoozes: Snooze) -> None:
    for each in snoozes:
        stores.snoozes.add(each, make_snooze_event(each))


def changed(minutes: int = 1) -> tuple[Snooze, SnoozeEvent]:
    """The first snooze, changed once, and what its history says of it."""
    after = replace(make_snooze(1), ends_at=NOW + 99 * MINUTE, comment="longer", version=2)
    return after, make_snooze_event(after, SnoozeEventKind.CHANGED, minutes=minutes)


def test_at_first_there_is_none(stores: Stores) -> None:
    assert not stores.snoozes.all()
    assert stores.snoozes.get("snooze-1") is None
    assert not stores.snoozes.events("snooze-1")


@pytest.mark.parametrize(
    "kept",
    [
        make_snooze(1),
        replace(make_snooze(1), instance_id=None, ends_at=None, until_resolved=False),
        replace(make_snooze(1), title=None, comment="two\nlines 🔥"),
        replace(make_snooze(1), title="🔥" * 500),
        replace(make_snooze(1), ended_at=NOW + MINUTE, settled_at=NOW + 2 * MINUTE),
    ],
)
def test_a_snooze_and_its_history_come_back_as_they_were(stores: Stores, kept: Snooze) -> None:
    add(stores, kept)

    (read,) = stores.snoozes.all()
    assert read == stores.snoozes.get(kept.id) == kept
    assert type(read.version) is int
    (event,) = stores.snoozes.events(kept.id)
    assert event == make_snooze_event(kept)
    assert type(event.version) is int


def test_more_than_a_page_is_read_whole(stores: Stores) -> None:
    kept = {replace(make_snooze(number), comment="c" * 40_000) for number in range(30)}
    add(stores, *kept)

    assert set(stores.snoozes.all()) == set(stores.snoozes.unsettled()) == kept


def of_scope(number: int, instance_id: str | None, title: str | None) -> Snooze:
    """A snooze with an id as it is made: it begins with what the snooze is about."""
    made = replace(make_snooze(number), instance_id=instance_id, title=title)
    return replace(made, id=f"{id_prefix(made.scope.id)}{number:08x}")


def test_those_about_something_are_found_among_all_others(stores: Stores) -> None:
    pair, again = of_scope(1, "i-1", "A"), of_scope(2, "i-1", "A")
    ended = replace(of_scope(3, "i-1", "A"), ended_at=NOW, settled_at=NOW)
    node, title, other = of_scope(4, "i-1", None), of_scope(5, None, "A"), of_scope(6, "i-1", "B")
    add(stores, pair, again, ended, node, title, other)

    assert set(stores.snoozes.about([pair.scope.id])) == {pair, again, ended}
    assert set(stores.snoozes.about([node.scope.id, title.scope.id])) == {node, title}
    assert not stores.snoozes.about([of_scope(7, "i-2", "A").scope.id])
    assert not stores.snoozes.about([])


def test_what_only_looks_alike_is_not_what_is_asked_for(stores: Stores) -> None:
    """The first digits may be the same, or instance and title may run into each other."""
    pair = of_scope(1, "i-1", "A")
    stranger = replace(of_scope(2, "i-2", "B"), id=f"{id_prefix(pair.scope.id)}00000002")
    add(stores, pair, stranger)

    assert set(stores.snoozes.about([pair.scope.id])) == {pair}


def test_what_people_were_told_of_is_settled(stores: Stores) -> None:
    pending = replace(make_snooze(1), starts_at=NOW + 99 * MINUTE, ends_at=None)
    ended = replace(make_snooze(2), ended_at=NOW)
    told = replace(make_snooze(3), ended_at=NOW, settled_at=NOW + MINUTE)
    add(stores, pending, ended, told)

    assert set(stores.snoozes.unsettled()) == {pending, ended}


def test_one_of_many_is_found(stores: Stores) -> None:
    add(stores, make_snooze(1), make_snooze(11), make_snooze(2))

    assert stores.snoozes.get("snooze-1") == make_snooze(1)
    assert list(stores.snoozes.events("snooze-1")) == [make_snooze_event(make_snooze(1))]
    assert stores.snoozes.get("snooze") is None


def test_a_snooze_is_added_once_and_what_failed_leaves_no_history(stores: Stores) -> None:
    add(stores, make_snooze(1))
    another = replace(make_snooze(1), comment="another")
    with pytest.raises(Conflict):
        stores.snoozes.add(another, make_snooze_event(another, minutes=1))

    assert tuple(stores.snoozes.all()) == (make_snooze(1),)
    assert list(stores.snoozes.events("snooze-1")) == [make_snooze_event(make_snooze(1))]


def test_a_snooze_is_changed_and_its_history_says_so(stores: Stores) -> None:
    add(stores, make_snooze(1), make_snooze(2))
    after, event = changed()
    stores.snoozes.save(after, event)

    assert set(stores.snoozes.all()) == {after, make_snooze(2)}
    assert list(stores.snoozes.events("snooze-1")) == [make_snooze_event(make_snooze(1)), event]
    assert list(stores.snoozes.events("snooze-2")) == [make_snooze_event(make_snooze(2))]


def test_a_snooze_is_saved_without_a_word_of_history(stores: Stores) -> None:
    add(stores, make_snooze(1))
    after, _ = changed()
    stores.snoozes.save(after)

    assert stores.snoozes.get("snooze-1") == after
    assert list(stores.snoozes.events("snooze-1")) == [make_snooze_event(make_snooze(1))]


@pytest.mark.parametrize("told", [False, True])
@pytest.mark.parametrize("version", [1, 2, 4])
def test_a_snooze_that_has_changed_is_not_saved(stores: Stores, version: int, told: bool) -> None:
    add(stores, make_snooze(1))
    after, event = changed()
    stores.snoozes.save(after, event)
    late = replace(after, ended_at=NOW + MINUTE, version=version)
    late_event = make_snooze_event(late, SnoozeEventKind.ENDED, minutes=2)

    with pytest.raises(Conflict):
        stores.snoozes.save(late, late_event if told else None)
    assert tuple(stores.snoozes.all()) == (after,)
    assert list(stores.snoozes.events("snooze-1")) == [make_snooze_event(make_snooze(1)), event]


@pytest.mark.parametrize("told", [False, True])
def test_a_snooze_that_is_not_stored_is_not_saved(stores: Stores, told: bool) -> None:
    after, event = changed()
    with pytest.raises(Conflict):
        stores.snoozes.save(after, event if told else None)

    assert not stores.snoozes.all()
    assert not stores.snoozes.events("snooze-1")


def test_history_comes_oldest_first_and_by_version_within_an_instant(stores: Stores) -> None:
    current = make_snooze(1)
    expected = [make_snooze_event(current)]
    add(stores, current)
    for version in range(2, 13):
        kind = SnoozeEventKind.ENDED if version == 12 else SnoozeEventKind.CHANGED
        current = replace(current, version=version, comment=f"version {version}")
        expected.append(make_snooze_event(current, kind, minutes=version // 6))
        stores.snoozes.save(current, expected[-1])

    assert list(stores.snoozes.events("snooze-1")) == expected


def test_a_line_from_a_clock_that_is_slow_stands_where_its_time_is(stores: Stores) -> None:
    add(stores, make_snooze(1))
    after, event = changed(minutes=-1)
    stores.snoozes.save(after, event)

    assert list(stores.snoozes.events("snooze-1")) == [event, make_snooze_event(make_snooze(1))]


def test_a_history_longer_than_a_page_is_read_whole(stores: Stores) -> None:
    current = replace(make_snooze(1), comment="c" * 90_000)
    expected = [make_snooze_event(current)]
    add(stores, current)
    for version in range(2, 16):
        current = replace(current, version=version)
        expected.append(make_snooze_event(current, SnoozeEventKind.CHANGED))
        stores.snoozes.save(current, expected[-1])

    assert list(stores.snoozes.events("snooze-1")) == expected
