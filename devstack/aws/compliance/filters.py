"""The `Filters` of both listings: every filter must hold, any of its values will do.

Values are compared exactly, case included: the stricter of the two readings that AWS's
documentation allows. Times are compared as text, which is sound because both sides have
the one form `YYYY-MM-DDTHH:MM:SSZ`.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC
from typing import Any

from devstack.aws.compliance.errors import broken, refused

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


def matching(
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
