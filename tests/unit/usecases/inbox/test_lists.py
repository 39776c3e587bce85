"""Lists of a node or a title: worst first, with their number, whatever the size of either."""

from typing import Any

import pytest
from msgspec.structs import replace

from chalicelib.domain.finding import Finding, Severity
from chalicelib.usecases.inbox.findings import (
    FETCH,
    FindingFilter,
    Position,
    all_findings,
    list_findings,
)
from tests.fakes import PassThrough
from tests.fleet import DAY, START, Service

MANY = FETCH + 5


class NamedCalls(PassThrough):
    """Lists the methods that were called."""

    def __init__(self, port: Any) -> None:
        super().__init__(port)
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        self.calls.append(name)
        return super().__getattr__(name)


@pytest.fixture
def service() -> Service:
    """On i-1 fail more titles than are read at once, on as many nodes the title A."""
    service = Service()
    service.report("i-1", "A", *(f"T{number:03}" for number in range(MANY)), severity="LOW")
    for number in range(MANY):
        severity = list(Severity)[number % 4]
        service.report(f"i-2{number:03}", "A", severity=severity)
    service.report("i-3", "A", "SSH  off", severity="CRITICAL", control="ssh-02")
    service.run()
    return service


def read_pages(service: Service, wanted: FindingFilter, limit: int) -> list[tuple[int, str]]:
    """Reads every page, and returns rank and id of each row."""
    found: list[tuple[int, str]] = []
    after = None
    while True:
        page = list_findings(service.inbox, wanted, after, limit)
        assert len(page.rows) <= limit
        found += [(row.finding.severity.rank, row.finding.finding_id) for row in page.rows]
        after = page.after
        if after is None:
            return found


@pytest.mark.parametrize(
    "wanted",
    [
        FindingFilter(instance_id="i-1"),
        FindingFilter(instance_id="i-3"),
        FindingFilter(title="A"),
        FindingFilter(title="ssh OFF"),
        FindingFilter(title="T0…"),
        FindingFilter(instance_id="i-1", title="t001"),
        FindingFilter(instance_id="i-3", control_id="ssh-02"),
        FindingFilter(title="A", control_id="ssh-02"),
        FindingFilter(title="nothing"),
        FindingFilter(instance_id="i-9"),
    ],
)
@pytest.mark.parametrize("limit", [3, 200])
def test_every_finding_of_a_node_or_title_is_listed_once_worst_first(
    service: Service, wanted: FindingFilter, limit: int
) -> None:
    found = read_pages(service, wanted, limit)

    expected = [each.finding for each in all_findings(service.inbox, FindingFilter())]
    kept = [each for each in expected if _is_wanted(each, wanted)]
    assert found == sorted((each.severity.rank, each.finding_id) for each in kept)
    assert list_findings(service.inbox, wanted, None, limit).total == len(kept)


def _is_wanted(finding: Finding, wanted: FindingFilter) -> bool:
    title = (wanted.title or "").casefold()
    own = " ".join(finding.title.casefold().split())
    is_title = own.startswith(title[:-1]) if title.endswith("…") else title in ("", own)
    is_node = wanted.instance_id in (None, finding.instance_id)
    return is_title and is_node and wanted.control_id in (None, finding.control_id)


def test_filters_that_only_reading_can_tell_leave_the_total_open(service: Service) -> None:
    for wanted in (
        FindingFilter(instance_id="i-1", severity=Severity.LOW),
        FindingFilter(title="A", state="open"),
        FindingFilter(title="A", q="i-3"),
        FindingFilter(title="A", first_seen_after=START - DAY),
        FindingFilter(),
    ):
        page = list_findings(service.inbox, wanted, None, 3)
        assert (len(page.rows), page.total) == (3 if wanted.q is None else 1, None)


def test_findings_that_were_first_seen_later_are_listed(service: Service) -> None:
    service.clock.forward(DAY)
    service.report("i-3", "A", "B", run="run-2", severity="CRITICAL")
    service.run()
    wanted = FindingFilter(first_seen_after=START)

    assert [row.finding.title for row in all_findings(service.inbox, wanted)] == ["B"]


def test_a_finding_that_is_fixed_between_two_pages_is_left_out(service: Service) -> None:
    wanted = FindingFilter(title="A")
    first = list_findings(service.inbox, wanted, None, 3)
    second = list_findings(service.inbox, wanted, first.after, 3)
    service.findings.delete([second.rows[0].finding.finding_id])

    again = list_findings(service.inbox, wanted, first.after, 3)

    assert again.rows[:2] == second.rows[1:]


def test_a_known_title_that_no_node_fails_is_no_title_of_the_fleet(service: Service) -> None:
    service.report("i-3", "A", run="run-2", passed=["SSH  off"])
    service.run()
    inbox = service.inbox

    assert list_findings(inbox, FindingFilter(title="ssh off"), None, 5).rows == ()
    assert "SSH  off" in {each.text for each in inbox.inventory().titles.values()}
    assert "SSH  off" not in {each.title for each in inbox.inventory().groups}


@pytest.mark.parametrize(
    ("wanted", "reads"),
    [
        (FindingFilter(instance_id="i-3"), ["page"]),
        (FindingFilter(title="T001"), ["page"]),
        (FindingFilter(title="A"), ["get"]),
        (FindingFilter(instance_id="i-1"), ["page", "get"]),
    ],
)
def test_a_short_list_is_read_once(
    service: Service, wanted: FindingFilter, reads: list[str]
) -> None:
    findings = NamedCalls(service.findings)

    list_findings(replace(service.inbox, findings=findings), wanted, None, 5)

    assert findings.calls == reads


def test_a_title_that_has_expired_is_still_listed(service: Service) -> None:
    service.titles.expire("SSH  off")

    assert len(read_pages(service, FindingFilter(title="SSH  off"), 3)) == 1


@pytest.mark.parametrize("after", ["x", "#", "i-1", "i-1#x#y"])
@pytest.mark.parametrize("state", ["unchecked", None])
def test_a_key_of_another_form_is_no_error(service: Service, state: str | None, after: str) -> None:
    list_findings(service.inbox, FindingFilter(state=state), after, 5)


@pytest.mark.parametrize("text", ["", "abc", "#", "x#1"])
def test_a_position_of_another_form_is_the_beginning(text: str) -> None:
    assert Position.read(text) == (0, "")
    assert Position.read(str(Position(3, "ab"))) == (3, "ab")
