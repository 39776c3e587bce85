"""Put an InSpec report of one node into SSM Compliance, as AWS-RunInspecChecks does."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from devstack.inspec.report import ReportItem, compliance_items
from devstack.inspec.shape import ReportError

if TYPE_CHECKING:
    from datetime import datetime

    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_ssm.type_defs import ComplianceItemEntryTypeDef

INSTANCE_ID = re.compile(r"i-([0-9a-f]{8}|[0-9a-f]{17})|mi-[0-9a-f]{17}")


@dataclass(frozen=True, slots=True)
class Loaded:
    """Counts of what SSM took, all and non-compliant, and what to tell whoever loaded it."""

    items: int
    non_compliant: int
    cut_titles: int
    warnings: tuple[str, ...]


def load_report(
    ssm: SSMClient,
    report: bytes,
    instance_id: str,
    executed_at: datetime,
    execution_id: str,
    *,
    compliance_type: str = "Custom:InSpec",
) -> Loaded:
    """Replace the items of `compliance_type` on the node by those of `report`.

    `executed_at` is aware; SSM keeps whole seconds. Raises ReportError for a report that
    cannot be loaded or is too large for SSM, ValueError for a bad instance id or a naive
    time, and botocore's ClientError when SSM refuses otherwise. After an error SSM still
    has what it had.
    """
    if not INSTANCE_ID.fullmatch(instance_id):
        raise ValueError(
            f"{instance_id!r} is no instance id; give i- and 8 or 17 hex digits, "
            "or mi- and 17 hex digits."
        )
    if executed_at.utcoffset() is None:
        raise ValueError(f"{executed_at} has no time zone; give an aware time.")
    found = compliance_items(report)
    try:
        ssm.put_compliance_items(
            ResourceId=instance_id,
            ResourceType="ManagedInstance",
            ComplianceType=compliance_type,
            ExecutionSummary={
                "ExecutionTime": executed_at,
                "ExecutionId": execution_id,
                "ExecutionType": "Command",
            },
            Items=[_entry(item) for item in found.items],
        )
    except (
        ssm.exceptions.TotalSizeLimitExceededException,
        ssm.exceptions.ItemSizeLimitExceededException,
    ) as error:
        raise ReportError(
            f"The report of {instance_id} is too large for SSM ({len(found.items)} results). "
            "Split the profile, or shorten its titles and descriptions."
        ) from error
    return Loaded(
        items=len(found.items),
        non_compliant=sum(item.status == "NON_COMPLIANT" for item in found.items),
        cut_titles=found.cut_titles,
        warnings=found.warnings,
    )


def _entry(item: ReportItem) -> ComplianceItemEntryTypeDef:
    return {
        "Id": item.id,
        "Title": item.title,
        "Severity": item.severity,
        "Status": item.status,
    }
