"""SSM lists that break off or change while they are read: nothing is resolved by mistake."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.domain.errors import ServiceError
from devstack.inspec.loader import read_clock
from tests.engines.engines import Engines, node_id
from tests.engines.proxy import Answer, Call, answered, meanwhile, refused

pytestmark = pytest.mark.enable_socket

NODES = 101
LIST, ITEMS = "ListResourceComplianceSummaries", "ListComplianceItems"


def of(node: int, titles: Sequence[str]) -> list[tuple[str, str]]:
    return sorted((node_id(node), title) for title in titles)


@pytest.fixture
def fleet(engines: Engines) -> Engines:
    """Nodes on three pages of the list, every fifth has a finding, told long ago."""
    for node in range(NODES):
        engines.report(node, [f"title {node}"] if node % 5 == 0 else [])
    engines.scan(nodes=NODES)
    engines.slack.reset()
    engines.faults.end()
    return engines


def test_a_list_that_breaks_off_says_nothing_and_resolves_nothing(fleet: Engines) -> None:
    before = fleet.stored()
    fleet.report(0, [], "run-2")
    fleet.report(NODES - 1, ["new"], "run-2")
    fleet.faults.at(LIST, refused("InvalidNextToken"), 3)
    with pytest.raises(ServiceError):
        fleet.scan(nodes=NODES)
    assert (fleet.stored(), fleet.posts(), fleet.completed()) == (before, [], 1)
    assert [job.association_id for job in fleet.open_work().jobs]
    fleet.faults.end()
    (made,) = fleet.reconcile()
    assert (made["findings_new"], made["findings_fixed"]) == (1, 2)
    assert fleet.posts() == ["1 new non-compliant finding"]
    assert fleet.announced() == of(NODES - 1, ["new"])
    assert (fleet.settled(), fleet.completed()) == (True, 2)


def test_a_list_that_breaks_off_is_no_all_clear(fleet: Engines) -> None:
    # the node ends its run behind the beginning of the association's, which has whole seconds
    fleet.report(5, ["title 5"], "run-2", at=datetime.now(UTC) + timedelta(seconds=2))
    fleet.faults.at(LIST, refused("AccessDeniedException"), 3)
    with pytest.raises(ServiceError):
        fleet.scan(read_clock(), NODES)
    assert (fleet.posts(), fleet.completed()) == ([], 1)
    fleet.faults.end()
    fleet.reconcile()
    assert fleet.posts() == ["No new non-compliant findings"]
    assert (fleet.settled(), fleet.completed()) == (True, 2)


def without_next(call: Call) -> Answer:
    """The last page, as far as its reader can see."""
    answer = call.forward()
    page = json.loads(answer.body)
    del page["NextToken"]
    return replace(answer, body=json.dumps(page).encode())


def test_a_list_that_ends_early_resolves_nothing_and_is_no_all_clear(fleet: Engines) -> None:
    before = fleet.stored()
    fleet.report(5, ["title 5"], "run-2")
    fleet.faults.at(LIST, without_next, 1)
    (made,) = fleet.scan(nodes=NODES)
    assert (made["braked"], made["nodes_missing"], made["findings_fixed"]) == (True, 51, 0)
    assert fleet.stored() == before
    assert all("No new" not in post for post in fleet.posts())
    fleet.faults.end()
    (made,) = fleet.reconcile()
    assert (made["braked"], made["nodes_missing"], made["findings_fixed"]) == (False, 0, 0)
    assert (fleet.stored(), fleet.settled()) == (before, True)


def test_a_page_that_is_no_list_is_neither_an_end_nor_an_all_clear(fleet: Engines) -> None:
    before = fleet.stored()
    fleet.report(5, ["title 5"], "run-2", at=datetime.now(UTC) + timedelta(seconds=2))
    fleet.faults.at(LIST, answered(200, b"<html>Sign in</html>"), 3)
    with pytest.raises(ServiceError, match="without"):
        fleet.scan(read_clock(), NODES)
    assert (fleet.stored(), fleet.posts()) == (before, [])
    fleet.faults.end()
    (made,) = fleet.reconcile()
    assert (made["nodes_missing"], made["findings_fixed"], fleet.stored()) == (0, 0, before)
    assert fleet.posts() == ["No new non-compliant findings"]


def test_a_throttled_list_is_read_to_its_end(fleet: Engines) -> None:
    fleet.report(NODES - 1, ["new"], "run-2")
    fleet.faults.at(LIST, refused("ThrottlingException"), 3)
    (made,) = fleet.scan(nodes=NODES)
    assert (made["findings_new"], made["findings_fixed"], made["nodes_missing"]) == (1, 1, 0)
    assert (fleet.announced(), fleet.settled()) == (of(NODES - 1, ["new"]), True)
    # the client has learnt to go slowly
    fleet.forget_the_process()


def test_nodes_that_report_between_two_pages_of_the_list_are_read_again(fleet: Engines) -> None:
    def report() -> None:
        for node in (0, 60, NODES - 1):
            fleet.report(node, [f"title {node}", f"new {node}"], "run-3")

    for node in (0, 60, NODES - 1):
        fleet.report(node, [f"title {node}"], "run-2")
    before = fleet.stored()
    fleet.faults.at(LIST, meanwhile(report), 3)
    (made,) = fleet.scan(nodes=NODES)
    assert (made["nodes_unverified"], made["findings_fixed"]) == (2, 0)
    assert set(before) < set(fleet.stored())
    fleet.faults.end()
    (made,) = fleet.reconcile()
    new = sorted((node_id(node), f"new {node}") for node in (0, 60, NODES - 1))
    assert (made["nodes_unverified"], made["findings_fixed"]) == (0, 0)
    assert (fleet.stored(), fleet.announced()) == (sorted([*before, *new]), new)
    assert fleet.settled()


OLD = [f"title {number:03}" for number in range(101)]


@pytest.mark.parametrize(
    ("now", "pages"),
    [
        pytest.param(OLD[20:], (2,), id="fixed"),
        pytest.param(
            [*OLD[30:], *(f"new {number}" for number in range(30))], (2,), id="same-count"
        ),
        pytest.param([*OLD[50:], *(f"new {number}" for number in range(50))], (3, 6), id="twice"),
        pytest.param(["first", *OLD], (3,), id="more"),
        pytest.param([], (1, 4), id="nothing"),
    ],
)
def test_an_execution_between_two_pages_of_items_resolves_nothing(
    engines: Engines, now: list[str], pages: tuple[int, ...]
) -> None:
    engines.report(0, OLD)
    engines.scan()
    engines.report(0, OLD, "run-2")
    engines.slack.reset()
    engines.faults.end()
    for number in pages:
        again = meanwhile(lambda run=f"run-{number + 2}": engines.report(0, now, run))  # type: ignore[misc]
        engines.faults.at(ITEMS, again, number)
    (made,) = engines.scan()
    assert (made["findings_fixed"], made["nodes_unverified"]) == (0, 1)
    assert set(of(0, OLD)) <= set(engines.stored())
    engines.faults.end()
    engines.reconcile()
    assert engines.stored() == of(0, now)
    assert engines.announced() == of(0, [title for title in now if title not in OLD])
    assert engines.settled()


def test_a_list_that_changes_its_order_between_two_pages_resolves_nothing(
    engines: Engines,
) -> None:
    """What moved forward is missed, what moved back is read twice, and the number is right."""
    engines.report(0, OLD)
    engines.scan()
    engines.report(0, OLD, "run-2")
    engines.faults.end()
    engines.faults.at(ITEMS, meanwhile(lambda: engines.report(0, OLD[10:] + OLD[:10], "run-2")), 2)
    (made,) = engines.scan()
    assert (made["findings_fixed"], engines.stored()) == (0, of(0, OLD))
    engines.faults.end()
    engines.reconcile()
    assert engines.stored() == of(0, OLD)
