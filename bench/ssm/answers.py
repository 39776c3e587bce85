"""The actions of SSM that a pass calls: two of Compliance, answered from a fleet, and the token."""

from collections.abc import Mapping, Sequence
from typing import Any

from bench.ssm.fleet import SEVERITIES, Fleet, Reported, instance_id, title
from devstack.names import TOKEN

TYPE = "Custom:InSpec"
COMPLIANT = 40
LARGEST_PAGE = 50


def summaries(fleet: Fleet, request: Mapping[str, Any]) -> dict[str, Any]:
    """ListResourceComplianceSummaries: a page of rows, one for each node."""
    page, token = _page(sorted(fleet.nodes), request)
    rows = [_summary(fleet, node) for node in page]
    return {"ResourceComplianceSummaryItems": rows, **token}


def items(fleet: Fleet, request: Mapping[str, Any]) -> dict[str, Any]:
    """ListComplianceItems: a page of the failed controls of one node."""
    (wanted,) = request["ResourceIds"]
    node = int(wanted.removeprefix("i-"), 16)
    shown = fleet.nodes[node]
    page, token = _page(shown.controls, request)
    execution = _execution(shown)
    fleet.listed(node)
    found = [
        {
            "ComplianceType": TYPE,
            "ResourceType": "ManagedInstance",
            "ResourceId": instance_id(node),
            "Id": f"control-{control}",
            "Title": title(control),
            "Status": "NON_COMPLIANT",
            "Severity": SEVERITIES[control % len(SEVERITIES)],
            "ExecutionSummary": execution,
            "Details": {},
        }
        for control in page
    ]
    return {"ComplianceItems": found, **token}


def parameter(fleet: Fleet, request: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG001 - an action
    """GetParameter: the token of the Slack stand-in, whatever is asked for."""
    return {"Parameter": {"Name": request["Name"], "Type": "SecureString", "Value": TOKEN}}


def _summary(fleet: Fleet, node: int) -> dict[str, Any]:
    shown = fleet.nodes[node]
    return {
        "ComplianceType": TYPE,
        "ResourceType": "ManagedInstance",
        "ResourceId": instance_id(node),
        "Status": "NON_COMPLIANT" if shown.controls else "COMPLIANT",
        "ExecutionSummary": _execution(shown),
        "CompliantSummary": {"CompliantCount": COMPLIANT, "SeveritySummary": {}},
        "NonCompliantSummary": {"NonCompliantCount": len(shown.controls), "SeveritySummary": {}},
    }


def _execution(shown: Reported) -> dict[str, Any]:
    return {
        "ExecutionTime": shown.at,
        "ExecutionId": f"run-{shown.run}",
        "ExecutionType": "Command",
    }


def _page(rows: Sequence[int], request: Mapping[str, Any]) -> tuple[Sequence[int], dict[str, str]]:
    start = int(request.get("NextToken") or 0)
    end = start + min(request.get("MaxResults") or LARGEST_PAGE, LARGEST_PAGE)
    return rows[start:end], {"NextToken": str(end)} if end < len(rows) else {}
