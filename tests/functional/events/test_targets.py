"""Targets of executions through the handler: calls, refusals, log and metrics."""

import pytest

from devstack.aws.compliance_store import find_store
from devstack.environment import ASSOCIATION
from devstack.inspec.loader import read_clock
from tests.functional.service import Service

pytestmark = pytest.mark.enable_socket

EXECUTIONS = "ssm.DescribeAssociationExecutions"
TARGETS = "ssm.DescribeAssociationExecutionTargets"
NODES = [f"i-{number:017x}" for number in range(51)]


def test_an_execution_takes_one_call_and_one_for_every_fifty_targets(service: Service) -> None:
    began = read_clock()
    for node in NODES:
        service.report(node=node)
    statuses = dict.fromkeys(NODES, "Success") | {NODES[3]: "Failed"}
    service.stack.aws.run_association(ASSOCIATION, began, statuses, "Failed")

    (facts,) = service.handlers.scan(began, {"Success": 50, "Failed": 1})["scans"]

    assert (facts["calls"][EXECUTIONS], facts["calls"][TARGETS]) == (1, 2)
    assert (facts["targets_reported"], facts["scans_finished"]) == (98, 1)
    assert service.list_headers() == ["Nothing new on 50 of 51 nodes; 1 gave no result"]


@pytest.mark.parametrize("operation", [EXECUTIONS, TARGETS])
@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException"])
def test_refused_targets_are_tried_once_and_the_log_says_why(
    service: Service, operation: str, code: str
) -> None:
    began = read_clock()
    service.report()
    service.stack.aws.run_association(ASSOCIATION, began, {NODES[3]: "Failed"})
    # a retry would succeed
    find_store().fail_next(operation.removeprefix("ssm."), code)

    service.handlers.scan(began, {"Success": 1})

    assert service.list_headers() == ["No new non-compliant findings"]
    (line,) = [line for line in service.read_log() if line.get("message") == "targets not read"]
    assert line["level"] == "WARNING"
    assert code in line["why"]


def test_without_an_execution_no_call_is_made(service: Service) -> None:
    service.report()

    (facts,) = service.handlers.reconcile()["scans"]

    assert {EXECUTIONS, TARGETS}.isdisjoint(facts["calls"])
    assert "targets_reported" not in facts
