"""Findings, looked up through the API: lists, one finding, its history."""

import pytest
from msgspec.structs import replace

from chalicelib.domain.errors import NotFound
from chalicelib.domain.finding import Severity, finding_id
from chalicelib.domain.snooze import ListedFinding
from chalicelib.usecases.inbox.findings import (
    FETCH,
    PAGE_TIME,
    FindingFilter,
    add_ages,
    all_findings,
    get_finding,
    list_finding_history,
    list_findings,
)
from tests.fakes import PassThrough
from tests.fleet import HOUR, MINUTE, START, Service


@pytest.fixture
def service() -> Service:
    """A service that stores five findings of three nodes."""
    service = Service()
    service.report("i-1", "SSH root", "SSH empty", "Updates")
    service.report("i-2", "SSH root")
    service.report("i-3", "Kernel", severity="LOW")
    service.run()
    return service


def list_all_pages(service: Service, wanted: FindingFilter, limit: int) -> list[tuple[str, str]]:
    """Lists the keys of every row, page by page."""
    listed: list[tuple[str, str]] = []
    after = None
    while True:
        page = list_findings(service.inbox, wanted, after, limit)
        assert len(page.rows) <= limit
        listed += [row.finding.key for row in page.rows]
        if page.after is None:
            return listed
        after = page.after


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 200])
@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        (FindingFilter(), 5),
        (FindingFilter(instance_id="i-1"), 3),
        (FindingFilter(title="SSH root"), 2),
        (FindingFilter(instance_id="i-1", title="SSH root"), 1),
        (FindingFilter(instance_id="i-9"), 0),
        (FindingFilter(severity=Severity.LOW), 1),
        (FindingFilter(control_id="ssh-01"), 5),
        (FindingFilter(control_id="ssh"), 0),
        (FindingFilter(q="ssh"), 3),
        (FindingFilter(q="I-3"), 1),
        (FindingFilter(state="open"), 5),
        (FindingFilter(state="snoozed"), 0),
    ],
)
def test_a_list_has_every_matching_row_once_for_any_page_size(
    service: Service, wanted: FindingFilter, count: int, limit: int
) -> None:
    rows = list_all_pages(service, wanted, limit)

    assert len(rows) == len(set(rows)) == count
    assert len(list(all_findings(service.inbox, wanted))) == count


@pytest.mark.parametrize(
    ("instance_id", "title", "count"),
    [("i-1", "SSH root", 1), ("i-1", None, 3), (None, "SSH root", 2)],
)
def test_a_finding_is_listed_as_snoozed_until_the_second_its_snooze_ends(
    service: Service, instance_id: str | None, title: str | None, count: int
) -> None:
    service.add_snooze(instance_id=instance_id, title=title, ends_at=START + HOUR)
    snoozed, open_ones = FindingFilter(state="snoozed"), FindingFilter(state="open")

    service.clock.now = START + HOUR - MINUTE / 60

    assert len(list_all_pages(service, snoozed, 2)) == count
    assert len(list_all_pages(service, open_ones, 2)) == 5 - count

    service.clock.now = START + HOUR

    assert list_all_pages(service, snoozed, 2) == []


def test_a_filter_that_matches_little_gives_a_short_page_when_its_time_is_up() -> None:
    service = Service()
    service.report("i-1", *(f"title {number}" for number in range(2 * FETCH)))
    service.run()
    inbox, wanted = service.inbox, FindingFilter(q="absent")
    times = iter([START, START + PAGE_TIME])

    page = list_findings(replace(inbox, clock=lambda: next(times)), wanted, None, 10)

    assert page.rows == ()
    assert page.after is not None
    assert list_findings(inbox, wanted, page.after, 10).after is None


def test_a_finding_shows_every_snooze_that_covers_it_and_has_not_ended(service: Service) -> None:
    service.add_snooze(title="SSH root")
    service.add_snooze(id="s-2", title=None, starts_at=START + HOUR)
    service.add_snooze(id="s-3", title="SSH root", ended_at=START)
    service.add_snooze(id="s-4", title="Updates")

    detail = get_finding(service.inbox, finding_id("i-1", "SSH root"))

    assert [each.id for each in detail.snoozes] == ["s-1", "s-2"]
    assert detail.listed.snooze is not None
    assert detail.listed.snooze.id == "s-1"


def test_a_finding_that_is_not_stored_is_not_found(service: Service) -> None:
    with pytest.raises(NotFound):
        get_finding(service.inbox, "0" * 32)


def test_a_fixed_finding_keeps_its_history(service: Service) -> None:
    service.clock.forward(HOUR)
    service.report("i-2", run="run-2")
    service.run()

    events, lines = list_finding_history(service.inbox, finding_id("i-2", "SSH root"))

    assert [each.kind for each in events] == ["new", "fixed"]
    assert lines == []


def test_the_history_of_an_unknown_finding_is_not_found(service: Service) -> None:
    with pytest.raises(NotFound):
        list_finding_history(service.inbox, "0" * 32)


def test_the_history_of_a_finding_includes_its_pair_snoozes(service: Service) -> None:
    service.add_snooze(title="SSH root", ends_at=START + MINUTE)
    service.clock.forward(HOUR)

    _, lines = list_finding_history(service.inbox, finding_id("i-1", "SSH root"))

    assert [(line.kind, line.via, line.at) for line in lines] == [("ended", "time", START + MINUTE)]


def test_findings_have_the_age_of_their_nodes_which_are_read_once_a_page(service: Service) -> None:
    reads: list[set[str]] = []

    class CountingNodes(PassThrough):
        """A nodes table that notes which rows are read by id."""

        def get(self, instance_ids: set[str]) -> object:
            reads.append(instance_ids)
            return self.port.get(instance_ids)

    service.clock.forward(HOUR)
    service.report("i-2", "SSH root", run="run-2")
    service.run()
    inbox = replace(service.inbox, nodes=CountingNodes(service.nodes))

    page = list_findings(inbox, FindingFilter(), None, 200)
    detail = get_finding(inbox, finding_id("i-2", "SSH root"))
    empty = list_findings(inbox, FindingFilter(q="nothing"), None, 200)

    ages = {row.finding.instance_id: row.checked_at for row in page.rows}
    assert ages == {"i-1": START, "i-2": START + HOUR, "i-3": START}
    assert detail.listed.checked_at == START + HOUR
    assert empty.rows == ()
    assert reads == [{"i-1", "i-2", "i-3"}, {"i-2"}]


def test_a_finding_whose_node_has_no_row_has_no_age(service: Service) -> None:
    service.nodes.remove("i-3")

    assert get_finding(service.inbox, finding_id("i-3", "Kernel")).listed.checked_at is None


def test_what_is_fixed_or_not_checked_has_no_age(service: Service) -> None:
    finding = get_finding(service.inbox, finding_id("i-3", "Kernel")).listed.finding
    rows = (
        ListedFinding(finding, None, fixed_at=START),
        ListedFinding(finding, None, unchecked_since=START),
    )

    assert add_ages(service.inbox, rows) == rows
