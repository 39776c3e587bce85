"""Lists of SSM that end early or change during a read: nothing is fixed by mistake."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.domain.errors import ServiceError
from devstack.inspec.loader import read_clock
from tests.engines.engines import Engines, build_node_id
from tests.engines.proxy import Call, Response, refuse, respond, run_before
from tests.functional.service import reset_process

pytestmark = pytest.mark.enable_socket

NODES = 101
LIST, ITEMS = "ListResourceComplianceSummaries", "ListComplianceItems"


def pair_with_node(node: int, titles: Sequence[str]) -> list[tuple[str, str]]:
    return sorted((build_node_id(node), title) for title in titles)


@pytest.fixture
def fleet(engines: Engines) -> Engines:
    """Nodes on three pages of the list. Every fifth has a finding, which is already announced."""
    for node in range(NODES):
        engines.report(node, list_titles(node))
    engines.scan(nodes=NODES)
    engines.slack.reset()
    engines.faults.clear()
    return engines


def list_titles(node: int) -> list[str]:
    return [f"title {node}"] if node % 5 == 0 else []


def report_unchanged(fleet: Engines) -> None:
    """Lets all nodes report after an execution of now began, which is known in whole seconds."""
    for node in range(NODES):
        at = datetime.now(UTC) + timedelta(seconds=2)
        fleet.report(node, list_titles(node), "run-2", at=at)


def test_an_incomplete_list_announces_and_fixes_nothing(fleet: Engines) -> None:
    before = fleet.list_findings()
    fleet.report(0, [], "run-2", passed=list_titles(0))
    fleet.report(NODES - 1, ["new"], "run-2", passed=list_titles(NODES - 1))
    fleet.faults.plan(LIST, refuse("InvalidNextToken"), 3)

    with pytest.raises(ServiceError):
        fleet.scan(nodes=NODES)

    assert (fleet.list_findings(), fleet.list_headers()) == (before, [])
    assert fleet.count_completed_jobs() == 1
    assert [job.association_id for job in fleet.read_open_work().jobs]

    fleet.faults.clear()
    (scan,) = fleet.reconcile()
    assert (scan["findings_new"], scan["findings_fixed"]) == (1, 2)
    assert fleet.list_headers() == ["1 new non-compliant finding"]
    assert fleet.list_announced() == pair_with_node(NODES - 1, ["new"])
    assert (fleet.is_work_done(), fleet.count_completed_jobs()) == (True, 2)


def test_an_incomplete_list_is_not_an_all_clear(fleet: Engines) -> None:
    report_unchanged(fleet)
    fleet.faults.plan(LIST, refuse("AccessDeniedException"), 3)

    with pytest.raises(ServiceError):
        fleet.scan(read_clock(), NODES)

    assert (fleet.list_headers(), fleet.count_completed_jobs()) == ([], 1)

    fleet.faults.clear()
    fleet.reconcile()
    assert fleet.list_headers() == ["No new non-compliant findings"]
    assert (fleet.is_work_done(), fleet.count_completed_jobs()) == (True, 2)


def drop_next_token(call: Call) -> Response:
    """Returns a page that looks like the last one."""
    response = call.forward()
    page = json.loads(response.body)
    del page["NextToken"]
    return replace(response, body=json.dumps(page).encode())


def test_a_list_without_its_last_pages_fixes_nothing_and_is_not_an_all_clear(
    fleet: Engines,
) -> None:
    before = fleet.list_findings()
    fleet.report(5, ["title 5"], "run-2")
    fleet.faults.plan(LIST, drop_next_token, 1)
    (scan,) = fleet.scan(nodes=NODES)
    assert (scan["braked"], scan["nodes_missing"], scan["findings_fixed"]) == (True, 51, 0)
    assert fleet.list_findings() == before
    assert all("No new" not in header for header in fleet.list_headers())

    fleet.faults.clear()
    (scan,) = fleet.reconcile()
    assert (scan["braked"], scan["nodes_missing"], scan["findings_fixed"]) == (False, 0, 0)
    assert (fleet.list_findings(), fleet.is_work_done()) == (before, True)


def test_a_page_without_a_list_is_an_error_and_not_an_all_clear(fleet: Engines) -> None:
    before = fleet.list_findings()
    report_unchanged(fleet)
    fleet.faults.plan(LIST, respond(200, b"<html>Sign in</html>"), 3)

    with pytest.raises(ServiceError, match="without"):
        fleet.scan(read_clock(), NODES)

    assert (fleet.list_findings(), fleet.list_headers()) == (before, [])

    fleet.faults.clear()
    (scan,) = fleet.reconcile()
    assert (scan["nodes_missing"], scan["findings_fixed"], fleet.list_findings()) == (0, 0, before)
    assert fleet.list_headers() == ["No new non-compliant findings"]


def test_a_throttled_list_is_read_completely(fleet: Engines) -> None:
    fleet.report(NODES - 1, ["new"], "run-2", passed=list_titles(NODES - 1))
    fleet.faults.plan(LIST, refuse("ThrottlingException"), 3)
    (scan,) = fleet.scan(nodes=NODES)
    assert (scan["findings_new"], scan["findings_fixed"], scan["nodes_missing"]) == (1, 1, 0)
    assert fleet.list_announced() == pair_with_node(NODES - 1, ["new"])
    assert fleet.is_work_done()

    # the adaptive client has become slow
    reset_process()


def test_nodes_that_report_between_two_pages_of_the_list_are_read_again(fleet: Engines) -> None:
    def report() -> None:
        for node in (0, 60, NODES - 1):
            fleet.report(node, [f"title {node}", f"new {node}"], "run-3")

    for node in (0, 60, NODES - 1):
        fleet.report(node, [f"title {node}"], "run-2")
    before = fleet.list_findings()
    fleet.faults.plan(LIST, run_before(report), 3)
    (scan,) = fleet.scan(nodes=NODES)
    assert (scan["nodes_unverified"], scan["findings_fixed"]) == (2, 0)
    assert set(before) < set(fleet.list_findings())
    fleet.faults.clear()
    (scan,) = fleet.reconcile()
    new = sorted((build_node_id(node), f"new {node}") for node in (0, 60, NODES - 1))
    assert (scan["nodes_unverified"], scan["findings_fixed"]) == (0, 0)
    assert (fleet.list_findings(), fleet.list_announced()) == (sorted([*before, *new]), new)
    assert fleet.is_work_done()


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
def test_an_execution_between_two_pages_of_items_fixes_nothing(
    engines: Engines, now: list[str], pages: tuple[int, ...]
) -> None:
    engines.report(0, OLD)
    engines.scan()
    engines.report(0, OLD, "run-2")
    engines.slack.reset()
    engines.faults.clear()
    for number in pages:
        new_execution = run_before(lambda run=f"run-{number + 2}": engines.report(0, now, run))  # type: ignore[misc]
        engines.faults.plan(ITEMS, new_execution, number)
    (scan,) = engines.scan()
    assert (scan["findings_fixed"], scan["nodes_unverified"]) == (0, 1)
    assert set(pair_with_node(0, OLD)) <= set(engines.list_findings())

    engines.faults.clear()
    engines.reconcile()
    assert engines.list_findings() == pair_with_node(0, now)
    new = [title for title in now if title not in OLD]
    assert engines.list_announced() == pair_with_node(0, new)
    assert engines.is_work_done()


def test_a_new_order_between_two_pages_of_items_fixes_nothing(
    engines: Engines,
) -> None:
    """Some items are missed, others are read twice, and their number is right."""
    engines.report(0, OLD)
    engines.scan()
    engines.report(0, OLD, "run-2")
    engines.faults.clear()
    reorder = run_before(lambda: engines.report(0, OLD[10:] + OLD[:10], "run-2"))
    engines.faults.plan(ITEMS, reorder, 2)
    (scan,) = engines.scan()
    assert (scan["findings_fixed"], engines.list_findings()) == (0, pair_with_node(0, OLD))

    engines.faults.clear()
    engines.reconcile()
    assert engines.list_findings() == pair_with_node(0, OLD)
