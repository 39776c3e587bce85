"""What a scan costs: its calls by operation, where nothing vanished and where something did."""

from datetime import timedelta
from typing import Any

import pytest

from devstack.inspec.loader import read_clock
from tests.functional.service import Service

pytestmark = pytest.mark.enable_socket

NODES = [f"i-{number:017x}" for number in range(3)]
EXECUTIONS, ITEMS = "ssm.DescribeAssociationExecutions", "ssm.ListComplianceItems"
# What every scan does: lease, node rows, ended snoozes, open work, the list of SSM.
EVERY_SCAN = {
    "dynamodb.DeleteItem": 1,
    "dynamodb.PutItem": 1,
    "dynamodb.Query": 2,
    "dynamodb.Scan": 1,
    "dynamodb.TransactWriteItems": 1,
    "ssm.ListResourceComplianceSummaries": 1,
}


def run_association(service: Service, run: int, *titles: str, compliant: int = 1) -> dict[str, Any]:
    """Lets every node report in a new execution, which began after the ones before."""
    began = read_clock() - timedelta(seconds=70 - 10 * run)
    at = began + timedelta(seconds=1)
    for node in NODES:
        service.report(*titles, node=node, run=f"run-{run}", at=at, compliant=compliant)
    (facts,) = service.handlers.scan(began, {"Success": len(NODES)})["scans"]
    result: dict[str, Any] = facts
    return result


def test_only_what_vanished_or_is_remembered_costs_calls(service: Service) -> None:
    run_association(service, 1, "A", "B", "C")

    (nothing_ran,) = service.handlers.reconcile()["scans"]
    assert nothing_ran["calls"] == EVERY_SCAN

    same = run_association(service, 2, "A", "B", "C")
    changed = {"dynamodb.BatchWriteItem": 1, ITEMS: 3}
    # within the hour of the alert no quiet answer is sent
    answered = {"dynamodb.TransactWriteItems": 2, EXECUTIONS: 1}
    assert same["calls"] == EVERY_SCAN | changed | answered

    new = run_association(service, 3, "A", "B", "C", "D")
    assert new["findings_new"] == 3
    announced = {"dynamodb.TransactWriteItems": 4, "dynamodb.PutItem": 2, "s3.PutObject": 1}
    # the titles, and whether a snooze covers what is new
    named = {"dynamodb.Query": 4}
    assert new["calls"] == EVERY_SCAN | changed | announced | named | {EXECUTIONS: 1}

    vanished = run_association(service, 4, "A", "B", "C")
    assert (vanished["findings_fixed"], vanished["findings_unchecked"]) == (0, 3)
    assert vanished["calls"][ITEMS] == 6

    remembered = run_association(service, 5, "A", "B", "C")
    assert remembered["calls"][ITEMS] == 6

    nothing_passed = run_association(service, 6, "A", "B", compliant=0)
    assert (nothing_passed["findings_fixed"], nothing_passed["calls"][ITEMS]) == (0, 3)

    (nothing_ran,) = service.handlers.reconcile()["scans"]
    assert ITEMS not in nothing_ran["calls"]
