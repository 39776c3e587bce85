"""PutComplianceItems: check everything first, then replace, so a refused call changes nothing.

Limits are those of the SSM service model; the total size is the documented "about 800 KB",
measured here as the JSON of the items in UTF-8.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from devstack.aws.compliance_store import ComplianceStore, Group, broken, refused

MAX_ITEMS = 10_000
MAX_TITLE = 500
MAX_TOTAL_BYTES = 800 * 1024
MAX_EXECUTION_ID = 100
MAX_EXECUTION_TYPE = 50
MAX_DETAIL_VALUE = 4096
RESOURCE_TYPE = "ManagedInstance"
SEVERITIES = ("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL", "UNSPECIFIED")
STATUSES = ("COMPLIANT", "NON_COMPLIANT")
COMPLIANCE_TYPE = re.compile(r"Association|Patch|Custom:[A-Za-z0-9_\-]\w+", re.ASCII)
NODE_ID = re.compile(r"i-(\w{8}|\w{17})|mi-\w{17}", re.ASCII)


def put_compliance_items(store: ComplianceStore, request: Mapping[str, Any]) -> dict[str, Any]:
    """Take the whole list of one type on one node; `PARTIAL` (associations only) adds by Id."""
    instance_id, compliance_type = _target(request)
    execution = _execution(request.get("ExecutionSummary", {}))
    entries: Sequence[Mapping[str, Any]] = request.get("Items", [])
    _check(entries)
    items: tuple[Mapping[str, Any], ...] = tuple(
        {
            **entry,
            "ComplianceType": compliance_type,
            "ResourceType": RESOURCE_TYPE,
            "ResourceId": instance_id,
            "ExecutionSummary": execution,
        }
        for entry in entries
    )
    if _is_partial(request, compliance_type):
        written = {item.get("Id") for item in items}
        known = store.items_of(instance_id, compliance_type)
        items = (*(item for item in known if item.get("Id") not in written), *items)
    store.put(Group(instance_id, compliance_type, execution, items))
    return {}


def _target(request: Mapping[str, Any]) -> tuple[str, str]:
    if request.get("ResourceType") != RESOURCE_TYPE:
        raise refused("InvalidResourceType", f"the resource type must be {RESOURCE_TYPE}")
    instance_id, compliance_type = request.get("ResourceId", ""), request.get("ComplianceType", "")
    if not NODE_ID.fullmatch(instance_id):
        raise refused("InvalidResourceId", f"{instance_id} is no managed node")
    if not COMPLIANCE_TYPE.fullmatch(compliance_type):
        raise broken(compliance_type, "complianceType", f"pattern: {COMPLIANCE_TYPE.pattern}")
    return instance_id, compliance_type


def _execution(summary: Mapping[str, Any]) -> dict[str, Any]:
    seconds = summary.get("ExecutionTime")
    if not isinstance(seconds, (int, float)):
        raise broken(seconds, "executionSummary.executionTime", "Member must not be null")
    _at_most(MAX_EXECUTION_ID, summary.get("ExecutionId", ""), "executionSummary.executionId")
    _at_most(MAX_EXECUTION_TYPE, summary.get("ExecutionType", ""), "executionSummary.executionType")
    return {**summary, "ExecutionTime": datetime.fromtimestamp(seconds, UTC)}


def _is_partial(request: Mapping[str, Any], compliance_type: str) -> bool:
    upload = request.get("UploadType", "COMPLETE")
    _one_of(("COMPLETE", "PARTIAL"), upload, "uploadType")
    if upload == "PARTIAL" and compliance_type != "Association":
        raise broken(upload, "uploadType", "PARTIAL is valid for association compliance only")
    return bool(upload == "PARTIAL")


def _check(entries: Sequence[Mapping[str, Any]]) -> None:
    if len(entries) > MAX_ITEMS:
        raise broken(
            f"{len(entries)} items",
            "items",
            f"Member must have length less than or equal to {MAX_ITEMS}",
        )
    for number, entry in enumerate(entries, start=1):
        path = f"items.{number}.member"
        _one_of(SEVERITIES, entry.get("Severity"), f"{path}.severity")
        _one_of(STATUSES, entry.get("Status"), f"{path}.status")
        _at_most(MAX_TITLE, entry.get("Title", ""), f"{path}.title")
        for key, value in entry.get("Details", {}).items():
            _at_most(MAX_DETAIL_VALUE, value, f"{path}.details.{key}")
    text = json.dumps(entries, ensure_ascii=False)
    size = len(text.encode(errors="surrogatepass"))
    if size > MAX_TOTAL_BYTES:
        raise refused(
            "TotalSizeLimitExceededException",
            f"the items take {size} bytes, the limit is {MAX_TOTAL_BYTES}",
        )


def _one_of(allowed: Sequence[str], value: object, path: str) -> None:
    if value not in allowed:
        raise broken(value, path, f"Member must satisfy enum value set: [{', '.join(allowed)}]")


def _at_most(limit: int, text: str, path: str) -> None:
    if len(text) > limit:
        raise broken(text, path, f"Member must have length less than or equal to {limit}")
