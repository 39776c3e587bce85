"""ListComplianceItems and ListResourceComplianceSummaries, with their filters and pages.

Filters compare values exactly, case included: the stricter reading of AWS's documentation.
They compare times as text, which is sound because both sides are `YYYY-MM-DDTHH:MM:SSZ`.
"""

import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC
from typing import Any

from moto.ssm.exceptions import SSMException

from devstack.aws.compliance_put import RESOURCE_TYPE, SEVERITIES
from devstack.aws.compliance_store import ComplianceStore, Group, build_validation_error

MAX_VALUES = 20
ITEM_KEYS = frozenset({"ComplianceType", "Status", "Severity", "Id", "ExecutionTime"})
SUMMARY_KEYS = frozenset({"ComplianceType", "Status", "OverallSeverity", "ExecutionTime"})
ORDERED_KEYS = frozenset({"ExecutionTime"})
ORDERINGS = frozenset({"LESS_THAN", "GREATER_THAN"})
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)

OPERATORS: Mapping[str, Callable[[str, Sequence[str]], bool]] = {
    "EQUAL": lambda found, values: found in values,
    "NOT_EQUAL": lambda found, values: found not in values,
    "BEGIN_WITH": lambda found, values: found.startswith(tuple(values)),
    "LESS_THAN": lambda found, values: any(found < value for value in values),
    "GREATER_THAN": lambda found, values: any(found > value for value in values),
}

MAX_RESULTS = 50


def list_compliance_items(store: ComplianceStore, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return a page of the items of one node, all compliance types together."""
    ids = request.get("ResourceIds", [])
    if len(ids) != 1:
        raise build_validation_error(ids, "resourceIds", "Member must have length equal to 1")
    if request.get("ResourceTypes", [RESOURCE_TYPE]) != [RESOURCE_TYPE]:
        raise SSMException("InvalidResourceType", f"the resource type must be {RESOURCE_TYPE}")
    items = (
        item for group in store.list_groups() if group.instance_id == ids[0] for item in group.items
    )
    rows = filter_rows(items, request.get("Filters", []), ITEM_KEYS)
    return cut_page(rows, request, "ComplianceItems")


def list_resource_summaries(store: ComplianceStore, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return a page of summaries, one for each node and type. No items mean a row of zeros."""
    groups = store.list_groups()
    summaries = (store.apply_changes(group, _summarize(group)) for group in groups)
    rows = filter_rows(summaries, request.get("Filters", []), SUMMARY_KEYS)
    return cut_page(rows, request, "ResourceComplianceSummaryItems")


def _summarize(group: Group) -> dict[str, Any]:
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
            "SeveritySummary": _count_severities(passing),
        },
        "NonCompliantSummary": {
            "NonCompliantCount": len(failing),
            "SeveritySummary": _count_severities(failing),
        },
    }


def _count_severities(items: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Count items by severity, with the keys of the service: `CriticalCount` and so on."""
    counts = Counter(item["Severity"] for item in items)
    return {f"{severity.capitalize()}Count": counts[severity] for severity in SEVERITIES}


def filter_rows(
    rows: Iterable[Mapping[str, Any]], filters: Sequence[Mapping[str, Any]], keys: Collection[str]
) -> list[Mapping[str, Any]]:
    """Return the rows that match every filter. A filter matches if one of its values does.

    Raises SSMException for a malformed filter, or one whose key is not in `keys`.
    """
    for number, condition in enumerate(filters, start=1):
        _check_filter(condition, f"filters.{number}.member", keys)
    return [row for row in rows if all(_matches(condition, row) for condition in filters)]


def _matches(condition: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    operator = OPERATORS[condition.get("Type", "EQUAL")]
    return operator(_read_value(row, condition["Key"]), condition["Values"])


def _read_value(row: Mapping[str, Any], key: str) -> str:
    if key == "ExecutionTime":
        moment = row["ExecutionSummary"]["ExecutionTime"]
        return str(moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    return str(row.get(key, ""))


def _check_filter(condition: Mapping[str, Any], path: str, keys: Collection[str]) -> None:
    key, operator = condition.get("Key"), condition.get("Type", "EQUAL")
    values: Sequence[str] = condition.get("Values", [])
    if key not in keys:
        raise SSMException("InvalidFilter", f"unknown key {key}, use one of {sorted(keys)}")
    if operator not in OPERATORS:
        constraint = f"Member must be one of {list(OPERATORS)}"
        raise build_validation_error(operator, f"{path}.type", constraint)
    if not 1 <= len(values) <= MAX_VALUES:
        constraint = f"Member must have length 1 to {MAX_VALUES}"
        raise build_validation_error(values, f"{path}.values", constraint)
    if operator in ORDERINGS and key not in ORDERED_KEYS:
        raise SSMException("InvalidFilter", f"{operator} does not apply to {key}")
    if key in ORDERED_KEYS and operator != "BEGIN_WITH" and not all(map(TIME.fullmatch, values)):
        raise SSMException("InvalidFilter", f"{key} needs a time like 2024-05-16T23:00:01Z")


def cut_page(
    rows: Sequence[Mapping[str, Any]], request: Mapping[str, Any], name: str
) -> dict[str, Any]:
    """Return the requested page as `{name: rows}`, with `NextToken` if more rows follow.

    A token holds a position and fits only the request that it came from. Rows that change
    between two pages may be missed or repeated, as with the real service.
    """
    size = request.get("MaxResults", MAX_RESULTS)
    if not 1 <= size <= MAX_RESULTS:
        constraint = f"Member must be between 1 and {MAX_RESULTS}"
        raise build_validation_error(size, "maxResults", constraint)
    fingerprint = _fingerprint(request)
    start = _read_token(request["NextToken"], fingerprint) if "NextToken" in request else 0
    response: dict[str, Any] = {name: list(rows[start : start + size])}
    if start + size < len(rows):
        response["NextToken"] = _build_token(fingerprint, start + size)
    return response


def _fingerprint(request: Mapping[str, Any]) -> str:
    fields = {key: request[key] for key in request if key not in {"NextToken", "MaxResults"}}
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()[:16]


def _build_token(fingerprint: str, position: int) -> str:
    return base64.urlsafe_b64encode(f"{fingerprint}.{position}".encode()).decode()


def _read_token(token: str, fingerprint: str) -> int:
    try:
        found, _, position = base64.urlsafe_b64decode(token).decode().partition(".")
        start = int(position)
    except ValueError as error:
        raise SSMException("InvalidNextToken", "the token is malformed") from error
    if found != fingerprint:
        raise SSMException("InvalidNextToken", "the token belongs to another request")
    return start
