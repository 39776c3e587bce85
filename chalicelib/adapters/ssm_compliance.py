"""SSM Compliance, read: one row a node and type, one item a non-compliant check."""

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
# The most that one page of either listing holds (API reference, MaxResults)
PAGE_SIZE: Final = 50
# Whoever may put compliance items may put any time; outside these years it is none of a scan.
YEARS: Final = range(2006, 2100)
# A row may come without its execution, or with an absurd one. It then carries an id that no item
# has, so a node with findings stays unverified and is read again by every pass, and a time before
# any scan.
NO_EXECUTION: Final = "none announced"
NEVER: Final = datetime.fromtimestamp(0, UTC)


class SsmCompliance:
    """`Compliance` for the given types; safe to use from threads.

    Whether AWS's filter minds case is unknown, so `types` holds every spelling
    (20 at most, AWS's limit); rows are compared case-insensitively here.
    """

    def __init__(self, client: SSMClient, types: Sequence[str]) -> None:
        self._client = client
        self._types = tuple(types)
        self._folded = frozenset(each.casefold() for each in types)

    def summaries(self) -> tuple[SummaryRow, ...]:
        """Every row of the types, every page."""
        pages = self._client.get_paginator("list_resource_compliance_summaries")
        with translate_errors("SSM", "the compliance summaries"):
            return tuple(
                _row(row)
                for page in pages.paginate(
                    Filters=[_equal("ComplianceType", self._types)],
                    PaginationConfig={"PageSize": PAGE_SIZE},
                )
                for row in _list(page, "ResourceComplianceSummaryItems")
                if self._wanted(row)
            )

    def items(self, instance_id: str, types: Sequence[str]) -> tuple[Item, ...]:
        """Every NON_COMPLIANT item of a node for these types, spelt as its rows spell them."""
        pages = self._client.get_paginator("list_compliance_items")
        with translate_errors("SSM", instance_id):
            return tuple(
                _item(item)
                for page in pages.paginate(
                    ResourceIds=[instance_id],
                    ResourceTypes=[MANAGED_INSTANCE],
                    Filters=[_equal("ComplianceType", types), _equal("Status", ["NON_COMPLIANT"])],
                    PaginationConfig={"PageSize": PAGE_SIZE},
                )
                for item in _list(page, "ComplianceItems")
            )

    def _wanted(self, row: ResourceComplianceSummaryItemTypeDef) -> bool:
        ours = row.get("ComplianceType", "").casefold() in self._folded
        return ours and row.get("ResourceType") == MANAGED_INSTANCE


def _list(page: Mapping[str, Any], name: str) -> list[Any]:
    """The list of a page. An answer without one says nothing, and is no empty last page."""
    rows: list[Any] | None = page.get(name)
    if rows is None:
        raise Unavailable(f"SSM answered without {name}")
    return rows


def _equal(key: str, values: Iterable[str]) -> ComplianceStringFilterTypeDef:
    return {"Key": key, "Values": list(values), "Type": "EQUAL"}


def _row(row: ResourceComplianceSummaryItemTypeDef) -> SummaryRow:
    return SummaryRow(
        instance_id=row["ResourceId"],
        compliance_type=intern(row["ComplianceType"]),
        execution=_execution(row),
        compliant=row.get("CompliantSummary", {}).get("CompliantCount", 0),
    )


def _execution(row: ResourceComplianceSummaryItemTypeDef) -> Execution:
    count = row.get("NonCompliantSummary", {}).get("NonCompliantCount", 0)
    ran = row.get("ExecutionSummary")
    if ran is None or ran["ExecutionTime"].year not in YEARS:
        return Execution(NO_EXECUTION, NEVER, count)
    return Execution(_execution_id(ran), ran["ExecutionTime"].astimezone(UTC), count)


def _execution_id(ran: ComplianceExecutionSummaryOutputTypeDef | None) -> str:
    """What tells runs apart: the ExecutionId, which is optional, or else the time."""
    if ran is None:
        return ""
    return intern(ran.get("ExecutionId") or f"at {ran['ExecutionTime'].timestamp()}")


def _item(item: ComplianceItemTypeDef) -> Item:
    return Item(
        compliance_type=intern(item.get("ComplianceType", "")),
        execution_id=_execution_id(item.get("ExecutionSummary")),
        item_id=_storable(item.get("Id")),
        title=_storable(item.get("Title")),
        severity=item.get("Severity"),
    )


def _storable(text: str | None) -> str | None:
    """JSON can carry half a surrogate pair, which has no UTF-8 and thus no finding id."""
    return None if text is None else intern(text.encode("utf-8", "replace").decode())
