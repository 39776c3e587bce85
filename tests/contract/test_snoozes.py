import pytest
from msgspec.structs import replace

from chalicelib.domain.errors import Conflict
from chalicelib.domain.history import FieldChange, SnoozeEvent, SnoozeEventKind
from chalicelib.domain.snooze import Snooze, id_prefix
from tests.contract.samples import MINUTE, NOW, make_snooze, make_snooze_event
from tests.contract.stores import Stores


def add(stores: Stores, *snoozes: Snooze) -> None:
    for each in snoozes:
        stores.snoozes.add(each, make_snooze_event(each))


def change(minutes: int = 1) -> tuple[Snooze, SnoozeEvent]:
    """Returns the second version of the first snooze, and its event."""
    after = replace(make_snooze(1), ends_at=NOW + 99 * MINUTE, comment="longer", version=2)
    return after, make_snooze_event(after, SnoozeEventKind.CHANGED, minutes=minutes)


def test_a_new_ledger_has_no_snoozes(stores: Stores) -> None:
    assert not stores.snoozes.all()
    assert stores.snoozes.get("snooze-1") is None
    assert not stores.snoozes.events("snooze-1")


@pytest.mark.parametrize(
    "stored",
    [
        make_snooze(1),
        replace(make_snooze(1), instance_id=None, ends_at=None, until_resolved=False),
        replace(make_snooze(1), title=None, comment="two\nlines 🔥"),
        replace(make_snooze(1), title="🔥" * 500),
        replace(make_snooze(1), ended_at=NOW + MINUTE, settled_at=NOW + 2 * MINUTE),
    ],
)
def test_a_snooze_and_its_history_are_read_unchanged(stores: Stores, stored: Snooze) -> None:
    add(stores, stored)

    (read,) = stores.snoozes.all()
    assert read == stores.snoozes.get(stored.id) == stored
    assert type(read.version) is int
    (event,) = stores.snoozes.events(stored.id)
    assert event == make_snooze_event(stored)
    assert type(event.version) is int


def test_the_changes_of_an_event_are_read_unchanged(stores: Stores) -> None:
    add(stores, make_snooze(1))
    changes = {
        "ends_at": FieldChange("2026-11-23T08:00:00Z", None),
        "comment": FieldChange("", "two\nlines 🔥"),
        "until_resolved": FieldChange(before=True, after=False),
        "matches": FieldChange(1, 1_000),
    }
    after = replace(make_snooze(1), version=2)
    event = make_snooze_event(after, SnoozeEventKind.CHANGED, minutes=1, changes=changes)

    stores.snoozes.save(after, event)

    created, changed = stores.snoozes.events(after.id)
    assert (created.changes, changed) == ({}, event)
    assert {name: type(each.after) for name, each in changed.changes.items()} == {
        "ends_at": type(None),
        "comment": str,
        "until_resolved": bool,
        "matches": int,
    }


def test_more_than_a_page_of_snoozes_is_read_completely(stores: Stores) -> None:
    stored = {replace(make_snooze(number), comment="c" * 40_000) for number in range(30)}
    add(stores, *stored)

    assert set(stores.snoozes.all()) == set(stores.snoozes.unsettled()) == stored


def make_for_scope(number: int, instance_id: str | None, title: str | None) -> Snooze:
    """Returns a snooze with a real id, which begins with a part of the scope's id."""
    snooze = replace(make_snooze(number), instance_id=instance_id, title=title)
    return replace(snooze, id=f"{id_prefix(snooze.scope.id)}{number:08x}")


def test_snoozes_are_found_by_their_scope(stores: Stores) -> None:
    pair, again = make_for_scope(1, "i-1", "A"), make_for_scope(2, "i-1", "A")
    ended = replace(make_for_scope(3, "i-1", "A"), ended_at=NOW, settled_at=NOW)
    node, title, other = (
        make_for_scope(4, "i-1", None),
        make_for_scope(5, None, "A"),
        make_for_scope(6, "i-1", "B"),
    )
    add(stores, pair, again, ended, node, title, other)

    assert set(stores.snoozes.about([pair.scope.id])) == {pair, again, ended}
    assert set(stores.snoozes.about([node.scope.id, title.scope.id])) == {node, title}
    assert not stores.snoozes.about([make_for_scope(7, "i-2", "A").scope.id])
    assert not stores.snoozes.about([])


def test_a_snooze_of_another_scope_with_the_same_prefix_is_not_found(stores: Stores) -> None:
    pair = make_for_scope(1, "i-1", "A")
    other = replace(make_for_scope(2, "i-2", "B"), id=f"{id_prefix(pair.scope.id)}00000002")
    add(stores, pair, other)

    assert set(stores.snoozes.about([pair.scope.id])) == {pair}


def test_pending_and_unannounced_snoozes_are_unsettled(stores: Stores) -> None:
    pending = replace(make_snooze(1), starts_at=NOW + 99 * MINUTE, ends_at=None)
    ended = replace(make_snooze(2), ended_at=NOW)
    settled = replace(make_snooze(3), ended_at=NOW, settled_at=NOW + MINUTE)
    add(stores, pending, ended, settled)

    assert set(stores.snoozes.unsettled()) == {pending, ended}


def test_one_snooze_is_found_by_its_whole_id(stores: Stores) -> None:
    add(stores, make_snooze(1), make_snooze(11), make_snooze(2))

    assert stores.snoozes.get("snooze-1") == make_snooze(1)
    assert list(stores.snoozes.events("snooze-1")) == [make_snooze_event(make_snooze(1))]
    assert stores.snoozes.get("snooze") is None


def test_an_id_is_added_once_and_a_refused_snooze_leaves_no_history(stores: Stores) -> None:
    add(stores, make_snooze(1))
    another = replace(make_snooze(1), comment="another")
    with pytest.raises(Conflict):
        stores.snoozes.add(another, make_snooze_event(another, minutes=1))

    assert tuple(stores.snoozes.all()) == (make_snooze(1),)
    assert list(stores.snoozes.events("snooze-1")) == [make_snooze_event(make_snooze(1))]


def test_a_change_is_written_to_the_history_of_its_snooze(stores: Stores) -> None:
    add(stores, make_snooze(1), make_snooze(2))
    after, event = change()
    stores.snoozes.save(after, event)

    assert set(stores.snoozes.all()) == {after, make_snooze(2)}
    assert list(stores.snoozes.events("snooze-1")) == [make_snooze_event(make_snooze(1)), event]
    assert list(stores.snoozes.events("snooze-2")) == [make_snooze_event(make_snooze(2))]


def test_a_snooze_can_be_saved_without_history(stores: Stores) -> None:
    add(stores, make_snooze(1))
    after, _ = change()
    stores.snoozes.save(after)

    assert stores.snoozes.get("snooze-1") == after
    assert list(stores.snoozes.events("snooze-1")) == [make_snooze_event(make_snooze(1))]


@pytest.mark.parametrize("with_event", [False, True])
@pytest.mark.parametrize("version", [1, 2, 4])
def test_a_snooze_of_another_version_is_not_saved(
    stores: Stores, version: int, with_event: bool
) -> None:
    add(stores, make_snooze(1))
    after, event = change()
    stores.snoozes.save(after, event)
    late = replace(after, ended_at=NOW + MINUTE, version=version)
    late_event = make_snooze_event(late, SnoozeEventKind.ENDED, minutes=2)

    with pytest.raises(Conflict):
        stores.snoozes.save(late, late_event if with_event else None)
    assert tuple(stores.snoozes.all()) == (after,)
    assert list(stores.snoozes.events("snooze-1")) == [make_snooze_event(make_snooze(1)), event]


@pytest.mark.parametrize("with_event", [False, True])
def test_an_unknown_snooze_is_not_saved(stores: Stores, with_event: bool) -> None:
    after, event = change()
    with pytest.raises(Conflict):
        stores.snoozes.save(after, event if with_event else None)

    assert not stores.snoozes.all()
    assert not stores.snoozes.events("snooze-1")


def test_history_is_read_oldest_first_and_by_version_within_an_instant(stores: Stores) -> None:
    current = make_snooze(1)
    expected = [make_snooze_event(current)]
    add(stores, current)
    for version in range(2, 13):
        kind = SnoozeEventKind.ENDED if version == 12 else SnoozeEventKind.CHANGED
        current = replace(current, version=version, comment=f"version {version}")
        expected.append(make_snooze_event(current, kind, minutes=version // 6))
        stores.snoozes.save(current, expected[-1])

    assert list(stores.snoozes.events("snooze-1")) == expected


def test_an_event_of_a_slow_clock_stands_at_its_time(stores: Stores) -> None:
    add(stores, make_snooze(1))
    after, event = change(minutes=-1)
    stores.snoozes.save(after, event)

    assert list(stores.snoozes.events("snooze-1")) == [event, make_snooze_event(make_snooze(1))]


def test_a_history_longer_than_a_page_is_read_completely(stores: Stores) -> None:
    current = replace(make_snooze(1), comment="c" * 90_000)
    expected = [make_snooze_event(current)]
    add(stores, current)
    for version in range(2, 16):
        current = replace(current, version=version)
        expected.append(make_snooze_event(current, SnoozeEventKind.CHANGED))
        stores.snoozes.save(current, expected[-1])

    assert list(stores.snoozes.events("snooze-1")) == expected
