"""Fixed findings are listed from facts, the newest fix first, for 90 days."""

from datetime import datetime

import pytest
from msgspec.structs import replace

from chalicelib.domain.finding import Severity
from chalicelib.usecases.inbox.findings import FETCH, FindingFilter, OutOfTimeError
from chalicelib.usecases.inbox.fixed import DAYS, FactPosition, all_fixed, list_fixed
from tests.fleet import DAY, MINUTE, START, Service

EVERY = FindingFilter(state="fixed")


@pytest.fixture
def service() -> Service:
    """A and B on i-1 are fixed on the second day, C on the third, X on i-2 as well."""
    service = Service()
    service.report("i-1", "A", "B", "C")
    service.report("i-2", "X", severity="LOW", control="x-01")
    service.run()
    service.clock.forward(DAY)
    service.report("i-1", "C", run="run-2")
    service.run()
    service.clock.forward(DAY)
    service.report("i-1", run="run-3")
    service.report("i-2", run="run-2")
    service.run()
    return service


def list_titles(service: Service, wanted: FindingFilter, limit: int = 10) -> list[str]:
    """Reads every page."""
    found: list[str] = []
    after = None
    while True:
        page = list_fixed(service.inbox, wanted, after, limit)
        assert len(page.rows) <= limit
        found += [row.finding.title for row in page.rows]
        if page.after is None:
            return found
        assert page.after != after, "the same page again"
        after = page.after


@pytest.mark.parametrize("limit", [1, 2, 10])
def test_every_fix_is_listed_once_the_newest_first(service: Service, limit: int) -> None:
    found = list_titles(service, EVERY, limit)

    assert sorted(found[:2]) == ["C", "X"]
    assert sorted(found[2:]) == ["A", "B"]


def test_a_fixed_finding_says_when_that_was(service: Service) -> None:
    rows = list(all_fixed(service.inbox, EVERY))

    assert {row.state for row in rows} == {"fixed"}
    assert {row.finding.title: row.fixed_at for row in rows} == {
        **dict.fromkeys("AB", START + DAY),
        **dict.fromkeys("CX", START + 2 * DAY),
    }


@pytest.mark.parametrize(
    ("wanted", "titles"),
    [
        (FindingFilter(state="fixed", instance_id="i-2"), ["X"]),
        (FindingFilter(state="fixed", title="a "), ["A"]),
        (FindingFilter(state="fixed", severity=Severity.LOW), ["X"]),
        (FindingFilter(state="fixed", control_id="x-01"), ["X"]),
        (FindingFilter(state="fixed", q="x"), ["X"]),
        (FindingFilter(state="fixed", first_seen_after=START), []),
    ],
)
def test_fixed_findings_can_be_filtered(
    service: Service, wanted: FindingFilter, titles: list[str]
) -> None:
    assert list_titles(service, wanted) == titles


def test_a_fix_is_listed_for_ninety_days(service: Service) -> None:
    service.clock.forward((DAYS - 1) * DAY)
    assert len(list_titles(service, EVERY)) == 4

    service.clock.forward(2 * DAY)
    assert len(list_titles(service, EVERY)) == 0


def test_a_finding_that_was_fixed_and_failed_again_is_listed_too(service: Service) -> None:
    service.report("i-1", "A", run="run-4")
    service.run()

    assert len(list_titles(service, EVERY)) == 4


def test_a_fix_whose_history_is_gone_is_left_out(service: Service) -> None:
    for key in [key for key in service.ledger.history if key.at == START + DAY]:
        del service.ledger.history[key]

    assert sorted(list_titles(service, EVERY)) == ["C", "X"]


def test_more_fixes_than_are_read_at_once_are_all_listed_and_time_may_run_out() -> None:
    service = Service()
    titles = [f"T{number:03}" for number in range(FETCH + 5)]
    service.report("i-1", *titles)
    service.run()
    service.report("i-1", run="run-2")
    service.run()

    assert sorted(list_titles(service, EVERY, 50)) == titles
    assert sorted(row.finding.title for row in all_fixed(service.inbox, EVERY)) == titles

    clock = service.clock

    def read_slow_clock() -> datetime:
        """Each look at it takes a minute."""
        clock.forward(MINUTE)
        return clock.now

    slow = replace(service.inbox, clock=read_slow_clock)
    # one title, and a node without any fix: a page ends before it has read all the others
    for wanted in (
        FindingFilter(state="fixed", q="T000"),
        FindingFilter(state="fixed", instance_id="i-2"),
    ):
        short = list_fixed(slow, wanted, None, 3)
        assert short.after is not None
        with pytest.raises(OutOfTimeError):
            list(all_fixed(slow, wanted))


@pytest.mark.parametrize("text", ["", "abc", "2026-11-28#", "2026-11-28#x"])
def test_a_position_of_another_form_is_the_newest(text: str) -> None:
    assert FactPosition.read(text) is None
    assert FactPosition.read(str(FactPosition("2026-11-28", 7))) == ("2026-11-28", 7)
