"""Reads SSM: compliance rows and items, and the targets of association executions.

What nodes write is not trusted. A field of an impossible form is read as absent, so that one
row or item cannot hurt the others.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from sys import intern
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from botocore.utils import parse_timestamp

from chalicelib.aws import translate_errors
from chalicelib.domain.compliance import NEVER, Doubt, Execution, Item, ItemList, SummaryRow
from chalicelib.domain.errors import Unavailable
from chalicelib.domain.scan import Targets, is_running, merge_targets
from chalicelib.usecases.ports import SAME_EXECUTION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_ssm.type_defs import (
        AssociationExecutionTypeDef,
        ComplianceExecutionSummaryOutputTypeDef,
        ComplianceItemTypeDef,
        ComplianceStringFilterTypeDef,
        ResourceComplianceSummaryItemTypeDef,
    )

# The name of each field, and what it must be: a check, or the form of a structure.
Form: TypeAlias = "dict[str, Callable[[object], bool] | Form]"
MANAGED_INSTANCE: Final = "ManagedInstance"
# The limits of these calls (API reference, MaxResults, and Values of ComplianceStringFilter).
PAGE_SIZE: Final = 50
MAX_VALUES: Final = 20
# PutComplianceItems accepts any time. One outside these years is not that of an execution.
YEARS: Final = range(2000, 10_000)
# The service model has 32-bit integers.
COUNTS: Final = range(2**31)
# Ids of managed nodes have up to 20 characters. `#` and an empty key mean something else here.
NODE_ID: Final = re.compile(r"[\w.:-]{1,255}", re.ASCII)
# A row may lack an execution or have one with an impossible time. It then gets an id that no item
# has, and a time before any execution.
NO_EXECUTION: Final = "no execution"


class SsmCompliance:
    """`Compliance` for the given types. Safe to use in threads.

    AWS does not say whether its filter ignores case, so `types` holds every
    spelling (at most 20, AWS's limit). Rows are compared here, ignoring case.
    """

    def __init__(self, client: SSMClient, types: Sequence[str]) -> None:
        self._client = client
        self._types = tuple(types)
        self._folded = frozenset(each.casefold() for each in types)
        _register_forms(client)

    def summaries(self) -> tuple[SummaryRow, ...]:
        """Returns every row of the types, all pages."""
        pages = self._client.get_paginator("list_resource_compliance_summaries")
        with translate_errors("SSM", "the compliance summaries"):
            return tuple(
                _build_row(row)
                for page in pages.paginate(
                    Filters=[_build_filter("ComplianceType", self._types)],
                    PaginationConfig={"PageSize": PAGE_SIZE},
                )
                for row in _require_list(page, "ResourceComplianceSummaryItems")
                if self._is_ours(row)
            )

    def items(self, instance_id: str, types: Sequence[str]) -> ItemList:
        """Returns every NON_COMPLIANT item of a node for these types, spelt as in its rows."""
        return self._list_items(instance_id, types, "NON_COMPLIANT")

    def passed_items(self, instance_id: str, types: Sequence[str]) -> ItemList:
        """Returns every COMPLIANT item of a node for these types, spelt as in its rows."""
        return self._list_items(instance_id, types, "COMPLIANT")

    def _list_items(self, instance_id: str, types: Sequence[str], status: str) -> ItemList:
        paginator = self._client.get_paginator("list_compliance_items")
        items: list[Item] = []
        count = 0
        with translate_errors("SSM", instance_id):
            for start in range(0, len(types), MAX_VALUES):
                pages = paginator.paginate(
                    ResourceIds=[instance_id],
                    ResourceTypes=[MANAGED_INSTANCE],
                    Filters=[
                        _build_filter("ComplianceType", types[start : start + MAX_VALUES]),
                        _build_filter("Status", [status]),
                    ],
                    PaginationConfig={"PageSize": PAGE_SIZE},
                )
                for page in pages:
                    items.extend(map(_build_item, _require_list(page, "ComplianceItems")))
                    count += 1
        return ItemList(tuple(items), count)

    def _is_ours(self, row: ResourceComplianceSummaryItemTypeDef) -> bool:
        has_type = row.get("ComplianceType", "").casefold() in self._folded
        has_node = NODE_ID.fullmatch(row.get("ResourceId", "")) is not None
        return has_type and has_node and row.get("ResourceType") == MANAGED_INSTANCE


class SsmExecutions:
    """`Executions`. `open_client` returns a client that does not retry; it is called once."""

    def __init__(self, open_client: Callable[[], SSMClient]) -> None:
        self._open_client = open_client
        self._client: SSMClient | None = None

    def targets(self, association_id: str, began: datetime) -> Targets | None:
        """Returns the targets of the nearest execution: one call, and one for every 50 targets.

        `Unavailable` if a target has no id: the list would lack it.
        """
        if self._client is None:
            self._client = self._open_client()
            _register_forms(self._client)
        with translate_errors("SSM", f"the targets of {association_id}"):
            execution = _find_execution(self._client, association_id, began)
            if execution is None:
                return None
            pages = self._client.get_paginator("describe_association_execution_targets").paginate(
                AssociationId=association_id,
                ExecutionId=execution["ExecutionId"],
                PaginationConfig={"PageSize": PAGE_SIZE},
            )
            statuses = merge_targets(
                (target["ResourceId"], target.get("Status", ""))
                for page in pages
                for target in _require_list(page, "AssociationExecutionTargets")
            )
        # an execution without a status may have ended: its targets say how
        running = is_running(execution.get("Status", "Success"))
        return Targets(statuses, running) if statuses else None


def _find_execution(
    client: SSMClient, association_id: str, began: datetime
) -> AssociationExecutionTypeDef | None:
    """Finds the execution that was created nearest to this time, if one was near enough."""
    # SSM documents no order, so the filter must keep older executions from the first page
    after = began - SAME_EXECUTION - timedelta(seconds=1)
    page = client.describe_association_executions(
        AssociationId=association_id,
        Filters=[
            {
                "Key": "CreatedTime",
                "Value": f"{after:%Y-%m-%dT%H:%M:%S.000Z}",
                "Type": "GREATER_THAN",
            }
        ],
        MaxResults=PAGE_SIZE,
    )
    near = [
        each
        for each in _require_list(page, "AssociationExecutions")
        if "ExecutionId" in each
        and "CreatedTime" in each
        and abs(each["CreatedTime"] - began) <= SAME_EXECUTION
    ]
    return min(near, key=lambda each: abs(each["CreatedTime"] - began), default=None)


def _require_list(page: Mapping[str, Any], name: str) -> list[Any]:
    """Returns the list of a page; `Unavailable` if there is none, which is not an empty page."""
    rows: list[Any] | None = page.get(name)
    if rows is None:
        raise Unavailable(f"SSM answered without {name}")
    return rows


def _build_filter(key: str, values: Iterable[str]) -> ComplianceStringFilterTypeDef:
    return {"Key": key, "Values": list(values), "Type": "EQUAL"}


def _build_row(row: ResourceComplianceSummaryItemTypeDef) -> SummaryRow:
    count = row.get("NonCompliantSummary", {}).get("NonCompliantCount")
    compliant = row.get("CompliantSummary", {}).get("CompliantCount")
    execution = _build_execution(row.get("ExecutionSummary"), count or 0)
    has_counts = count is not None and compliant is not None
    return SummaryRow(
        instance_id=row["ResourceId"],
        compliance_type=intern(row["ComplianceType"]),
        execution=execution or Execution(NO_EXECUTION, NEVER, count or 0),
        compliant=compliant or 0,
        flaw=Doubt.NO_EXECUTION if not execution else None if has_counts else Doubt.NO_COUNT,
    )


def _build_execution(
    summary: ComplianceExecutionSummaryOutputTypeDef | None, count: int
) -> Execution | None:
    """Returns the execution of a row; None if it has none, or no possible time."""
    at = (
        summary["ExecutionTime"].astimezone(UTC) if summary and "ExecutionTime" in summary else None
    )
    if at is None or at.year not in YEARS:
        return None
    return Execution(_identify_execution(summary), at, count)


def _identify_execution(summary: ComplianceExecutionSummaryOutputTypeDef | None) -> str:
    """Returns the ExecutionId, which is optional, else the time; empty if there is neither."""
    if not summary:
        return ""
    if execution_id := summary.get("ExecutionId"):
        return _replace_surrogates(execution_id) or ""
    at: datetime | None = summary.get("ExecutionTime")
    return "" if at is None else intern(f"at {at.timestamp()}")


def _build_item(item: ComplianceItemTypeDef) -> Item:
    return Item(
        compliance_type=intern(item.get("ComplianceType", "")),
        execution_id=_identify_execution(item.get("ExecutionSummary")),
        item_id=_replace_surrogates(item.get("Id")),
        title=_replace_surrogates(item.get("Title")),
        severity=item.get("Severity"),
    )


def _replace_surrogates(text: str | None) -> str | None:
    """Replaces halves of surrogate pairs: JSON allows them, UTF-8 and so a finding id do not."""
    return None if text is None else intern(text.encode("utf-8", "replace").decode())


# What is read of a response: the form of each field. A field of another form is absent.


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_count(value: object) -> bool:
    return type(value) is int and value in COUNTS


def _is_time(value: object) -> bool:
    """Whether botocore can parse a time, and it is a possible one."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return False
    try:
        return parse_timestamp(value).astimezone(UTC).year in YEARS  # type: ignore[arg-type] # or a number
    except (ArithmeticError, OSError, RuntimeError, ValueError):
        return False


_EXECUTION: Final[Form] = {"ExecutionTime": _is_time, "ExecutionId": _is_text}
_FORMS: Final[Mapping[str, tuple[str, Form]]] = {
    "ListResourceComplianceSummaries": (
        "ResourceComplianceSummaryItems",
        {
            "ComplianceType": _is_text,
            "ResourceType": _is_text,
            "ResourceId": _is_text,
            "ExecutionSummary": _EXECUTION,
            "CompliantSummary": {"CompliantCount": _is_count},
            "NonCompliantSummary": {"NonCompliantCount": _is_count},
        },
    ),
    "ListComplianceItems": (
        "ComplianceItems",
        {
            "ComplianceType": _is_text,
            "ExecutionSummary": _EXECUTION,
            "Id": _is_text,
            "Title": _is_text,
            "Severity": _is_text,
        },
    ),
    "DescribeAssociationExecutions": (
        "AssociationExecutions",
        {"ExecutionId": _is_text, "CreatedTime": _is_time, "Status": _is_text},
    ),
    "DescribeAssociationExecutionTargets": (
        "AssociationExecutionTargets",
        {"ResourceId": _is_text, "Status": _is_text},
    ),
}


def _register_forms(client: SSMClient) -> None:
    """Lets a client drop what is malformed.

    botocore's parser fails for the whole page if one time or structure is impossible.
    """
    for operation in _FORMS:
        client.meta.events.register(
            f"before-parse.ssm.{operation}", _drop_malformed, unique_id=f"forms {operation}"
        )


def _drop_malformed(operation_model: Any, response_dict: dict[str, Any], **_: object) -> None:
    """Drops fields of another form from a response, before botocore parses it."""
    if response_dict["status_code"] >= HTTPStatus.MULTIPLE_CHOICES:
        return
    name, form = _FORMS[operation_model.name]
    try:
        content = json.loads(response_dict["body"])
    except ValueError:
        # botocore makes an answer without a list of it
        return
    page = content if isinstance(content, dict) else {}
    kept = {"NextToken": page["NextToken"]} if _is_text(page.get("NextToken")) else {}
    if isinstance(page.get(name), list):
        kept[name] = [_keep(each, form) for each in page[name]]
    response_dict["body"] = json.dumps(kept).encode()


def _keep(value: object, form: Form) -> dict[str, Any]:
    """Keeps the fields of this form. A row of another form keeps none, and still counts."""
    fields = value if isinstance(value, dict) else {}
    kept = {}
    for name, part in form.items():
        if name not in fields:
            continue
        if not isinstance(part, dict):
            if part(fields[name]):
                kept[name] = fields[name]
        elif isinstance(fields[name], dict):
            kept[name] = _keep(fields[name], part)
    return kept
