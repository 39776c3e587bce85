"""PutComplianceItems: checks the whole request before it stores anything.

The limits are those of the SSM service model. AWS documents a total size of about 800 KB,
measured here as the JSON of the items in UTF-8.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from moto.ssm.exceptions import SSMException

from devstack.aws.compliance_store import ComplianceStore, Group, build_validation_error

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
    """Replace the items of one type on one node. PARTIAL, for associations, adds by Id."""
    instance_id, compliance_type = _read_target(request)
    execution = _read_execution(request.get("ExecutionSummary", {}))
    entries: Sequence[Mapping[str, Any]] = request.get("Items", [])
    _check_entries(entries)
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
        known = store.read_items(instance_id, compliance_type)
        items = (*(item for item in known if item.get("Id") not in written), *items)
    store.put(Group(instance_id, compliance_type, execution, items))
    return {}


def _read_target(request: Mapping[str, Any]) -> tuple[str, str]:
    if request.get("ResourceType") != RESOURCE_TYPE:
        raise SSMException("InvalidResourceType", f"the resource type must be {RESOURCE_TYPE}")
    instance_id, compliance_type = request.get("ResourceId", ""), request.get("ComplianceType", "")
    if not NODE_ID.fullmatch(instance_id):
        raise SSMException("InvalidResourceId", f"{instance_id} is not a managed node")
    if not COMPLIANCE_TYPE.fullmatch(compliance_type):
        pattern = f"pattern: {COMPLIANCE_TYPE.pattern}"
        raise build_validation_error(compliance_type, "complianceType", pattern)
    return instance_id, compliance_type


def _read_execution(summary: Mapping[str, Any]) -> dict[str, Any]:
    seconds = summary.get("ExecutionTime")
    path = "executionSummary"
    if not isinstance(seconds, (int, float)):
        raise build_validation_error(seconds, f"{path}.executionTime", "Member must not be null")
    _check_length(MAX_EXECUTION_ID, summary.get("ExecutionId", ""), f"{path}.executionId")
    _check_length(MAX_EXECUTION_TYPE, summary.get("ExecutionType", ""), f"{path}.executionType")
    return {**summary, "ExecutionTime": datetime.fromtimestamp(seconds, UTC)}


def _is_partial(request: Mapping[str, Any], compliance_type: str) -> bool:
    upload = request.get("UploadType", "COMPLETE")
    _check_choice(("COMPLETE", "PARTIAL"), upload, "uploadType")
    if upload == "PARTIAL" and compliance_type != "Association":
        constraint = "PARTIAL is valid for association compliance only"
        raise build_validation_error(upload, "uploadType", constraint)
    return bool(upload == "PARTIAL")


def _check_entries(entries: Sequence[Mapping[str, Any]]) -> None:
    if len(entries) > MAX_ITEMS:
        constraint = f"Member must have length less than or equal to {MAX_ITEMS}"
        raise build_validation_error(f"{len(entries)} items", "items", constraint)
    for number, entry in enumerate(entries, start=1):
        path = f"items.{number}.member"
        _check_choice(SEVERITIES, entry.get("Severity"), f"{path}.severity")
        _check_choice(STATUSES, entry.get("Status"), f"{path}.status")
        _check_length(MAX_TITLE, entry.get("Title", ""), f"{path}.title")
        for key, value in entry.get("Details", {}).items():
            _check_length(MAX_DETAIL_VALUE, value, f"{path}.details.{key}")
    text = json.dumps(entries, ensure_ascii=False)
    size = len(text.encode(errors="surrogatepass"))
    if size > MAX_TOTAL_BYTES:
        raise SSMException(
            "TotalSizeLimitExceededException",
            f"the items take {size} bytes, the limit is {MAX_TOTAL_BYTES}",
        )


def _check_choice(allowed: Sequence[str], value: object, path: str) -> None:
    if value not in allowed:
        constraint = f"Member must satisfy enum value set: [{', '.join(allowed)}]"
        raise build_validation_error(value, path, constraint)


def _check_length(limit: int, text: str, path: str) -> None:
    if len(text) > limit:
        constraint = f"Member must have length less than or equal to {limit}"
        raise build_validation_error(text, path, constraint)
