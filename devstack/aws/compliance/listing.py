"""ListComplianceItems and ListResourceComplianceSummaries: two views of the same groups."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from devstack.aws.compliance.errors import broken, refused
from devstack.aws.compliance.filters import ITEM_KEYS, SUMMARY_KEYS, matching
from devstack.aws.compliance.pages import page
from devstack.aws.compliance.put import RESOURCE_TYPE, SEVERITIES
from devstack.aws.compliance.store import ComplianceStore, Group


def list_compliance_items(store: ComplianceStore, request: Mapping[str, Any]) -> dict[str, Any]:
    """Answer a page of the items of exactly one node, all its compliance types together."""
    ids = request.get("ResourceIds", [])
    if len(ids) != 1:
        raise broken(ids, "resourceIds", "Member must have length equal to 1")
    if request.get("ResourceTypes", [RESOURCE_TYPE]) != [RESOURCE_TYPE]:
        raise refused("InvalidResourceType", f"the resource type must be {RESOURCE_TYPE}")
    items = (
        item for group in store.groups() if group.instance_id == ids[0] for item in group.items
    )
    rows = matching(items, request.get("Filters", []), ITEM_KEYS)
    return page(rows, request, "ComplianceItems")


def list_resource_summaries(store: ComplianceStore, request: Mapping[str, Any]) -> dict[str, Any]:
    """Answer a page of summaries, one for each node and type; no items give a row of zeros."""
    summaries = map(_summary, store.groups())
    rows = matching(summaries, request.get("Filters", []), SUMMARY_KEYS)
    return page(rows, request, "ResourceComplianceSummaryItems")


def _summary(group: Group) -> dict[str, Any]:
    failing = [item for item in group.items if item["Status"] == "NON_COMPLIANT"]
    passing = [item for item in group.items if item["Status"] == "COMPLIANT"]
    found = {item["Severity"] for item in failing}
    return {
        "ComplianceType": group.compliance_type,
        "ResourceType": RESOURCE_TYPE,
        "ResourceId": group.instance_id,
        "Status": "NON_COMPLIANT" if failing else "COMPLIANT",
        "OverallSeverity": next((each for each in SEVERITIES if each in found), "UNSPECIFIED"),
        "ExecutionSummary": group.execution,
        "CompliantSummary": {
            "CompliantCount": len(passing),
            "SeveritySummary": _severities(passing),
        },
        "NonCompliantSummary": {
            "NonCompliantCount": len(failing),
            "SeveritySummary": _severities(failing),
        },
    }


def _severities(items: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Count by severity under the names of the service: `CriticalCount` to `UnspecifiedCount`."""
    counts = Counter(item["Severity"] for item in items)
    return {f"{severity.capitalize()}Count": counts[severity] for severity in SEVERITIES}
