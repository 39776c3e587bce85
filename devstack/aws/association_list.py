"""DescribeAssociationExecutions and DescribeAssociationExecutionTargets, with filters and pages.

The filters and the size of a page are those of the API reference. The newest execution comes
first. An association without a recorded run has no executions.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from moto.ssm.exceptions import SSMException

from devstack.aws.compliance_list import cut_page
from devstack.aws.compliance_store import AssociationRun, ComplianceStore

EXECUTION_KEYS = frozenset({"CreatedTime", "ExecutionId", "Status"})
TARGET_KEYS = frozenset({"ResourceId", "ResourceType", "Status"})


def describe_association_executions(
    store: ComplianceStore, request: Mapping[str, Any]
) -> dict[str, Any]:
    """Return a page of the executions of an association, the newest first."""
    runs = sorted(
        store.list_runs(request["AssociationId"]), key=lambda run: run.created_at, reverse=True
    )
    rows = [_describe_run(run) for run in runs]
    for condition in request.get("Filters", []):
        _check_key(condition, EXECUTION_KEYS)
        rows = [row for row in rows if _matches(condition, row)]
    return cut_page(rows, request, "AssociationExecutions")


def describe_association_execution_targets(
    store: ComplianceStore, request: Mapping[str, Any]
) -> dict[str, Any]:
    """Return a page of the targets of one execution, in the order in which they were recorded."""
    wanted = request.get("ExecutionId")
    runs = [run for run in store.list_runs(request["AssociationId"]) if run.execution_id == wanted]
    if not runs:
        raise SSMException("AssociationExecutionDoesNotExist", f"{wanted} is no execution")
    rows: Sequence[Mapping[str, Any]] = [
        {
            "AssociationId": runs[0].association_id,
            "AssociationVersion": "1",
            "ExecutionId": runs[0].execution_id,
            "LastExecutionDate": runs[0].created_at,
            **target,
        }
        for target in runs[0].targets
    ]
    for condition in request.get("Filters", []):
        _check_key(condition, TARGET_KEYS)
        rows = [row for row in rows if row.get(condition["Key"]) == condition["Value"]]
    return cut_page(rows, request, "AssociationExecutionTargets")


def _describe_run(run: AssociationRun) -> dict[str, Any]:
    counts = Counter(str(target.get("Status")) for target in run.targets)
    listed = ", ".join(f"{status}={number}" for status, number in sorted(counts.items()))
    return {
        "AssociationId": run.association_id,
        "AssociationVersion": "1",
        "ExecutionId": run.execution_id,
        "Status": run.status,
        "DetailedStatus": run.status,
        "CreatedTime": run.created_at,
        "LastExecutionDate": run.created_at,
        "ResourceCountByStatus": f"{{{listed}}}",
    }


def _check_key(condition: Mapping[str, Any], keys: Collection[str]) -> None:
    if condition.get("Key") not in keys:
        raise SSMException("InvalidFilterKey", f"use one of {sorted(keys)}")


def _matches(condition: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    if condition["Key"] != "CreatedTime":
        if condition["Type"] != "EQUAL":
            raise SSMException("InvalidFilterValue", f"{condition['Key']} takes EQUAL only")
        return bool(row[condition["Key"]] == condition["Value"])
    try:
        at = datetime.fromisoformat(condition["Value"])
    except ValueError as error:
        raise SSMException("InvalidFilterValue", "CreatedTime takes an ISO 8601 time") from error
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    match condition["Type"]:
        case "GREATER_THAN":
            return bool(row["CreatedTime"] > at)
        case "LESS_THAN":
            return bool(row["CreatedTime"] < at)
        case _:
            return bool(row["CreatedTime"] == at)
