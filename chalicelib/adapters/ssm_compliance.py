"""Reads SSM Compliance: a row for each node and type, an item for each non-compliant check."""

from __future__ import annotations

from datetime import UTC, datetime
from sys import intern
from typing import TYPE_CHECKING, Any, Final

from chalicelib.aws import translate_errors
from chalicelib.domain.compliance import Execution, Item, SummaryRow
from chalicelib.domain.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_ssm.type_defs import (
        ComplianceExecutionSummaryOutputTypeDef,
        ComplianceItemTypeDef,
        ComplianceStringFilterTypeDef,
        ResourceComplianceSummaryItemTypeDef,
    )

MANAGED_INSTANCE: Final = "ManagedInstance"
# The limit of both calls (API reference, MaxResults).
PAGE_SIZE: Final = 50
# PutComplianceItems accepts any time. One outside these years is not that of an execution.
YEARS: Final = range(2006, 2100)
# A row may lack an execution or have one with an impossible time. It then gets an id that no item
# has, so that a node with findings stays unverified and is read again in every scan, and a time
# before any execution.
NO_EXECUTION: Final = "no execution"
NEVER: Final = datetime.fromtimestamp(0, UTC)


class SsmCompliance:
    """`Compliance` for the given types. Safe to use in threads.

    AWS does not say whether its filter ignores case, so `types` holds every
    spelling (at most 20, AWS's limit). Rows are compared here, ignoring case.
    """

    def __init__(self, client: SSMClient, types: Sequence[str]) -> None:
        self._client = client
        self._types = tuple(types)
        self._folded = frozenset(each.casefold() for each in types)

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

    def items(self, instance_id: str, types: Sequence[str]) -> tuple[Item, ...]:
        """Returns every NON_COMPLIANT item of a node for these types, spelt as in its rows."""
        pages = self._client.get_paginator("list_compliance_items")
        with translate_errors("SSM", instance_id):
            return tuple(
                _build_item(item)
                for page in pages.paginate(
                    ResourceIds=[instance_id],
                    ResourceTypes=[MANAGED_INSTANCE],
                    Filters=[
                        _build_filter("ComplianceType", types),
                        _build_filter("Status", ["NON_COMPLIANT"]),
                    ],
                    PaginationConfig={"PageSize": PAGE_SIZE},
                )
                for item in _require_list(page, "ComplianceItems")
            )

    def _is_ours(self, row: ResourceComplianceSummaryItemTypeDef) -> bool:
        has_type = row.get("ComplianceType", "").casefold() in self._folded
        return has_type and row.get("ResourceType") == MANAGED_INSTANCE


def _require_list(page: Mapping[str, Any], name: str) -> list[Any]:
    """Returns the list of a page; `Unavailable` if there is none, which is not an empty page."""
    rows: list[Any] | None = page.get(name)
    if rows is None:
        raise Unavailable(f"SSM answered without {name}")
    return rows


def _build_filter(key: str, values: Iterable[str]) -> ComplianceStringFilterTypeDef:
    return {"Key": key, "Values": list(values), "Type": "EQUAL"}


def _build_row(row: ResourceComplianceSummaryItemTypeDef) -> SummaryRow:
    return SummaryRow(
        instance_id=row["ResourceId"],
        compliance_type=intern(row["ComplianceType"]),
        execution=_build_execution(row),
        compliant=row.get("CompliantSummary", {}).get("CompliantCount", 0),
    )


def _build_execution(row: ResourceComplianceSummaryItemTypeDef) -> Execution:
    count = row.get("NonCompliantSummary", {}).get("NonCompliantCount", 0)
    summary = row.get("ExecutionSummary")
    if summary is None or summary["ExecutionTime"].year not in YEARS:
        return Execution(NO_EXECUTION, NEVER, count)
    return Execution(_identify_execution(summary), summary["ExecutionTime"].astimezone(UTC), count)


def _identify_execution(summary: ComplianceExecutionSummaryOutputTypeDef | None) -> str:
    """Returns the ExecutionId, which is optional, else the time; empty if there is neither."""
    if summary is None:
        return ""
    return intern(summary.get("ExecutionId") or f"at {summary['ExecutionTime'].timestamp()}")


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
