"""What snoozes match is counted from the lists of nodes, without reading a finding."""

from functools import partial
from typing import Any

import pytest

from chalicelib.domain.errors import RuleBroken
from chalicelib.domain.finding import Severity, mark_control
from chalicelib.domain.snooze import Reason, Scope
from chalicelib.domain.snooze_rules import SnoozeEnd
from chalicelib.usecases.inbox import snoozes
from chalicelib.usecases.inbox.snoozes import SnoozeFilter
from chalicelib.usecases.inventory import count_matches, explain_matches
from tests.fleet import HOUR, START, Service
from tests.unit.usecases.inbox.requests import FIRST, SECOND, make_terms

TITLE = "SSH  must not allow root"


@pytest.fixture
def service(service: Service) -> Service:
    """On i-1 also fails a title with two spaces, on i-3 three titles of another control."""
    service.report("i-1", "A", "B", TITLE, run="run-2")
    service.report("i-3", "A", "X 1", "X 2", control="x-01", severity="CRITICAL")
    service.report("i-0a1b2c3d4e5f60001")
    service.run()
    return service


def count(service: Service, scope: Scope, cap: Severity | None = None) -> int:
    return sum(1 for _ in service.inbox.inventory().select(scope, cap))


@pytest.mark.parametrize(
    ("scope", "number"),
    [
        (Scope("i-1"), 3),
        (Scope(title="A"), 3),
        (Scope("i-1", "a "), 1),
        (Scope(title="ssh must not allow root"), 1),
        (Scope(title="X…"), 2),
        (Scope(title_pattern="x*"), 2),
        (Scope("i-1", title_pattern="x*"), 0),
        (Scope("i-1", title_pattern="*root"), 1),
        (Scope(control_id="x-01"), 3),
        (Scope("i-3", "A", control_id="x-01"), 1),
        (Scope(title="A", control_id="ssh-01"), 2),
        (Scope("i-9"), 0),
        (Scope(title="nothing"), 0),
    ],
)
def test_what_a_scope_covers_is_counted(service: Service, scope: Scope, number: int) -> None:
    assert count(service, scope) == number
    assert number == sum(scope.matches(each) for each in service.findings.all())


def test_what_is_above_a_cap_or_not_checked_does_not_count(service: Service) -> None:
    assert count(service, Scope(title="A"), Severity.HIGH) == 2
    assert count(service, Scope(title="A"), Severity.LOW) == 1

    service.report("i-3", "X 1", run="run-2", control="x-01", severity="CRITICAL", passed=[])
    service.run()

    assert count(service, Scope(control_id="x-01")) == 1


def test_a_control_with_the_same_checksum_is_another_one(service: Service) -> None:
    """Two of these have the same two bytes: the title says which it is."""
    seen: dict[int, str] = {}
    number = 0
    while True:
        name = f"c{number}x"
        other = seen.setdefault(mark_control(name), name)
        if other != name:
            break
        number += 1
    service.report("i-4", "Y", control=name)
    service.run()

    assert count(service, Scope(control_id=name)) == 1
    assert count(service, Scope(control_id=other)) == 0


def test_a_title_that_has_expired_still_counts_for_its_node(service: Service) -> None:
    service.titles.expire("X 1")

    assert count(service, Scope("i-3")) == 3
    assert count(service, Scope(control_id="x-01")) == 3
    assert count(service, Scope(title="X 1")) == 0


def test_an_inventory_is_kept_until_the_next_scan(service: Service) -> None:
    inbox = service.inbox
    first = inbox.inventory()
    assert inbox.inventory() is first

    service.clock.forward(HOUR)
    service.run()

    assert inbox.inventory() is not first


def test_a_copied_title_is_stored_as_its_node_writes_it(service: Service) -> None:
    service.report("i-2", "SSH must not allow root", run="run-2")
    service.run()
    copied = Scope("i-1", "ssh MUST not allow root")

    pair = snoozes.create_snooze(service.inbox, copied, make_terms(), FIRST)
    everywhere = snoozes.create_snooze(
        service.inbox, Scope(title="ssh must not allow root"), make_terms(), FIRST
    )
    known = snoozes.create_snooze(service.inbox, Scope("i-1", "B"), make_terms(), FIRST)
    unknown = snoozes.create_snooze(service.inbox, Scope("i-1", "Z  Z"), make_terms(), FIRST)
    cut = snoozes.create_snooze(service.inbox, Scope("i-1", "SSH must…"), make_terms(), FIRST)

    assert (pair.title, pair.max_severity) == (TITLE, Severity.HIGH)
    assert everywhere.title in {TITLE, "SSH must not allow root"}
    assert (known.title, unknown.title, cut.title) == ("B", "Z  Z", "SSH must…")
    assert (unknown.max_severity, cut.max_severity) == (None, None)
    counts = count_matches(service.inbox, [pair, everywhere, known, unknown, cut])
    assert [counts[each.id].total for each in (pair, everywhere, known, unknown, cut)] == [
        *(1, 2, 1, 0, 1)
    ]


@pytest.mark.parametrize(
    ("scope", "nearest"),
    [
        (Scope(title="SSH must not allow rot"), TITLE),
        (Scope("i-1", "SSH must not alow root"), TITLE),
        (Scope("i-0a1b2c3d4e5f60007"), "i-0a1b2c3d4e5f60001"),
        (Scope("mi-a1b2c3d4e5f60001"), "i-0a1b2c3d4e5f60001"),
        (Scope("mi-0123456789"), None),
        (Scope(title="nothing like it"), None),
        (Scope(title_pattern="nothing*"), None),
        (Scope("i-1", title_pattern="nothing*"), None),
    ],
)
def test_a_snooze_that_matches_nothing_says_what_is_near(
    service: Service, scope: Scope, nearest: str | None
) -> None:
    snooze = snoozes.create_snooze(service.inbox, scope, make_terms(), FIRST)
    preview = snoozes.preview_snooze(service.inbox, scope, make_terms())

    for matches in (explain_matches(service.inbox, snooze), preview.matches):
        assert (matches.total, matches.nearest) == (0, nearest)


def test_a_snooze_that_matches_something_names_nothing_near(service: Service) -> None:
    snooze = snoozes.create_snooze(service.inbox, Scope(title="A"), make_terms(), FIRST)

    assert explain_matches(service.inbox, snooze).nearest is None


def test_more_than_a_thousand_findings_must_be_confirmed(service: Service) -> None:
    for node in range(11):
        service.report(f"i-1{node}", *(f"Test {number}" for number in range(100)))
    service.run()
    wide = Scope(title_pattern="Test *", control_id="ssh-01")

    for confirmed in (None, 0, 1_000, 1_099):
        with pytest.raises(RuleBroken) as refused:
            snoozes.create_snooze(service.inbox, wide, make_terms(), FIRST, confirmed)
        (fault,) = refused.value.faults
        assert (fault.pointer, fault.code) == ("/confirm_matches", "unconfirmed")
        assert "1,100" in fault.message

    assert service.ledger.snoozes == {}
    made = snoozes.create_snooze(service.inbox, wide, make_terms(), FIRST, 1_100)
    assert count_matches(service.inbox, [made])[made.id].total == 1_100


def test_snoozes_are_listed_by_what_they_say(service: Service) -> None:
    ends = SnoozeEnd(duration=HOUR)
    forever = SnoozeEnd(permanent=True)
    make = partial(snoozes.create_snooze, service.inbox)
    a = make(Scope(title="A"), make_terms(end=ends), FIRST)
    b = make(Scope("i-1", control_id="x-01"), make_terms(end=forever, reason=Reason.OTHER), SECOND)

    def list_ids(**wanted: Any) -> set[str]:
        page = snoozes.list_snoozes(service.inbox, SnoozeFilter(**wanted), None, 10)
        return {each.id for each in page.snoozes}

    assert list_ids(title="a ") == list_ids(permanent=False) == {a.id}
    assert list_ids(created_by="first") == {a.id}
    assert list_ids(permanent=True) == list_ids(reason=Reason.OTHER) == {b.id}
    assert list_ids(control_id="x-01") == list_ids(instance_id="i-1") == {b.id}
    assert list_ids(ends_before=START + 2 * HOUR) == {a.id}
    assert list_ids(ends_before=START + HOUR) == set()


def test_unused_snoozes_are_those_that_match_nothing_and_have_not_ended(service: Service) -> None:
    used = snoozes.create_snooze(service.inbox, Scope(title="A"), make_terms(), FIRST)
    unused = snoozes.create_snooze(service.inbox, Scope(title="Z"), make_terms(), FIRST)
    ended = snoozes.create_snooze(service.inbox, Scope(title="Q"), make_terms(), FIRST)
    snoozes.end_snooze(service.inbox, ended.id, None, FIRST)

    def list_ids(*, unused: bool | None = None) -> set[str]:
        page = snoozes.list_snoozes(service.inbox, SnoozeFilter(unused=unused), None, 10)
        return {each.id for each in page.snoozes}

    assert list_ids(unused=True) == {unused.id}
    assert list_ids(unused=False) == {used.id, ended.id}
    assert list_ids() == {used.id, unused.id, ended.id}
