"""ListComplianceItems and ListResourceComplianceSummaries: two views of the same groups."""

import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC
from typing import Any

from devstack.aws.compliance_put import RESOURCE_TYPE, SEVERITIES
from devstack.aws.compliance_store import ComplianceStore, Group, broken, refused


def list_compliance_items(store: ComplianceStore, request: Mapping[str, Any]) -> dict[str, Any]:
    """Answer a page of the items of exactly one node, all its compliance types together."""
    ids = request.get("ResourceIds", [])
    if len(ids) != 1:
        raise broken(ids, "resourceIds", "Member must have length equal to 1")
    if request.get("ResourceTypes", [RESOURCE_TYPE]) != [RESOURCE_TYPE]:
        raise refused("InvalidResourceType", f"the resource type must be {RESOURCE_TYPE}")
    items = (
        item for group in store.list_groups() if group.instance_id == ids[0] for item in group.items
    )
    rows = filter_rows(items, request.get("Filters", []), ITEM_KEYS)
    return cut_page(rows, request, "ComplianceItems")


def list_resource_summaries(store: ComplianceStore, request: Mapping[str, Any]) -> dict[str, Any]:
    """Answer a page of summaries, one for each node and type; no items give a row of zeros."""
    summaries = map(_summary, store.list_groups())
    rows = filter_rows(summaries, request.get("Filters", []), SUMMARY_KEYS)
    return cut_page(rows, request, "ResourceComplianceSummaryItems")


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


def filter_rows(
    rows: Iterable[Mapping[str, Any]], filters: Sequence[Mapping[str, Any]], keys: Collection[str]
) -> list[Mapping[str, Any]]:
    """Return the rows that all `filters` let through; only `keys` may be filtered on."""
    for number, wanted in enumerate(filters, start=1):
        _check(wanted, f"filters.{number}.member", keys)
    return [row for row in rows if all(_holds(wanted, row) for wanted in filters)]


def _holds(wanted: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    return OPERATORS[wanted.get("Type", "EQUAL")](_text(row, wanted["Key"]), wanted["Values"])


def _text(row: Mapping[str, Any], key: str) -> str:
    if key == "ExecutionTime":
        moment = row["ExecutionSummary"]["ExecutionTime"]
        return str(moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    return str(row.get(key, ""))


def _check(wanted: Mapping[str, Any], path: str, keys: Collection[str]) -> None:
    key, operator = wanted.get("Key"), wanted.get("Type", "EQUAL")
    values: Sequence[str] = wanted.get("Values", [])
    if key not in keys:
        raise refused("InvalidFilter", f"{key} is no filter here, use one of {sorted(keys)}")
    if operator not in OPERATORS:
        raise broken(operator, f"{path}.type", f"Member must be one of {list(OPERATORS)}")
    if not 1 <= len(values) <= MAX_VALUES:
        raise broken(values, f"{path}.values", f"Member must have length 1 to {MAX_VALUES}")
    if operator in ORDERINGS and key not in ORDERED_KEYS:
        raise refused("InvalidFilter", f"{operator} does not apply to {key}")
    if key in ORDERED_KEYS and operator != "BEGIN_WITH" and not all(map(TIME.fullmatch, values)):
        raise refused("InvalidFilter", f"{key} is compared with times like 2024-05-16T23:00:01Z")


MAX_RESULTS = 50


def cut_page(
    rows: Sequence[Mapping[str, Any]], request: Mapping[str, Any], name: str
) -> dict[str, Any]:
    """Return the page that `request` asks for as `{name: rows}`, `NextToken` when more follow.

    A token holds a position, so rows that change between two pages may be missed or seen
    twice, as on the real service.
    """
    size = request.get("MaxResults", MAX_RESULTS)
    if not 1 <= size <= MAX_RESULTS:
        raise broken(size, "maxResults", f"Member must be between 1 and {MAX_RESULTS}")
    question = _fingerprint(request)
    start = _position(request["NextToken"], question) if "NextToken" in request else 0
    answer: dict[str, Any] = {name: list(rows[start : start + size])}
    if start + size < len(rows):
        answer["NextToken"] = _token(question, start + size)
    return answer


def _fingerprint(request: Mapping[str, Any]) -> str:
    asked = {key: request[key] for key in request if key not in {"NextToken", "MaxResults"}}
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]


def _token(question: str, position: int) -> str:
    return base64.urlsafe_b64encode(f"{question}.{position}".encode()).decode()


def _position(token: str, question: str) -> int:
    try:
        asked, _, position = base64.urlsafe_b64decode(token).decode().partition(".")
        start = int(position)
    except ValueError as error:
        raise refused("InvalidNextToken", "the token is not one of ours") from error
    if asked != question:
        raise refused("InvalidNextToken", "the token belongs to another request")
    return start
