from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.errors import NotFound
from chalicelib.domain.finding import Severity, finding_id
from chalicelib.usecases.inbox.findings import (
    FETCH,
    FindingFilter,
    all_findings,
    get_finding,
    list_finding_history,
    list_findings,
)
from tests.fleet import HOUR, MINUTE, START, Service, make_snooze


@pytest.fixture
def service() -> Service:
    service = Service()
    service.report("i-1", "SSH root", "SSH empty", "Updates")
    service.report("i-2", "SSH root")
    service.report("i-3", "Kernel", severity="LOW")
    service.run()
    return service


def walk(service: Service, wanted: FindingFilter, limit: int) -> list[tuple[str, str]]:
    """Every row of a list, page by page."""
    found, after = [], None
    while True:
        page = list_findings(service.inbox, wanted, after, limit)
        assert len(page.rows) <= limit
        found += [row.finding.key for row in page.rows]
        if page.after is None:
            return found
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
def test_a_list_has_every_row_once_whatever_the_page(
    service: Service, wanted: FindingFilter, count: int, limit: int
) -> None:
    rows = walk(service, wanted, limit)
    assert len(rows) == len(set(rows)) == count
    assert len(list(all_findings(service.inbox, wanted))) == count


@pytest.mark.parametrize(
    ("instance_id", "title", "count"),
    [("i-1", "SSH root", 1), ("i-1", None, 3), (None, "SSH root", 2)],
)
def test_snoozed_is_what_a_pair_an_instance_or_a_title_snooze_mutes_to_the_second(
    service: Service, instance_id: str | None, title: str | None, count: int
) -> None:
    rule = make_snooze(instance_id=instance_id, title=title, ends_at=START + HOUR)
    service.ledger.snoozes["s-1"] = rule
    snoozed, rest = FindingFilter(state="snoozed"), FindingFilter(state="open")
    service.clock.now = START + HOUR - timedelta(seconds=1)
    assert len(walk(service, snoozed, 2)) == count
    assert len(walk(service, rest, 2)) == 5 - count
    service.clock.now = START + HOUR
    assert walk(service, snoozed, 2) == []


def test_a_rare_filter_gives_a_short_page_when_its_time_is_up() -> None:
    service = Service()
    service.report("i-1", *(f"title {number}" for number in range(2 * FETCH)))
    service.run()
    ticks = iter([START, START + timedelta(seconds=11)])
    inbox = service.inbox
    hurried = replace(inbox, clock=lambda: next(ticks))
    page = list_findings(hurried, FindingFilter(q="absent"), None, 10)
    assert page.rows == ()
    assert page.after is not None
    rest = list_findings(inbox, FindingFilter(q="absent"), page.after, 10)
    assert rest.after is None


def test_one_finding_shows_every_snooze_about_it_that_has_not_ended(service: Service) -> None:
    service.ledger.snoozes |= {
        "s-1": make_snooze(title="SSH root"),
        "s-2": make_snooze(id="s-2", title=None, starts_at=START + HOUR),
        "s-3": make_snooze(id="s-3", title="SSH root", ended_at=START),
        "s-4": make_snooze(id="s-4", title="Updates"),
    }
    detail = get_finding(service.inbox, finding_id("i-1", "SSH root"))
    assert [each.id for each in detail.snoozes] == ["s-1", "s-2"]
    assert detail.listed.snooze
    assert detail.listed.snooze.id == "s-1"
    with pytest.raises(NotFound):
        get_finding(service.inbox, "0" * 32)


def test_the_history_of_a_resolved_finding_is_still_there(service: Service) -> None:
    wanted = finding_id("i-2", "SSH root")
    service.clock.forward(HOUR)
    service.report("i-2", run="run-2")
    service.run()
    events, lines = list_finding_history(service.inbox, wanted)
    assert [each.kind for each in events] == ["new", "fixed"]
    assert lines == []
    with pytest.raises(NotFound):
        list_finding_history(service.inbox, "0" * 32)


def test_the_history_of_a_finding_has_its_pair_snoozes(service: Service) -> None:
    rule = make_snooze(title="SSH root", ends_at=START + MINUTE)
    service.ledger.snoozes["s-1"] = rule
    service.clock.forward(HOUR)
    _, lines = list_finding_history(service.inbox, finding_id("i-1", "SSH root"))
    assert [(line.kind, line.via, line.at) for line in lines] == [("ended", "time", START + MINUTE)]
