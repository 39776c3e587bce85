"""Put an InSpec report of one node into SSM Compliance, as AWS-RunInspecChecks does."""

from __future__ import annotations

import re
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from devstack.aws.session import make_session
from devstack.inspec.report import ReportError, ReportItem, parse_report

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_ssm.type_defs import ComplianceItemEntryTypeDef


INSTANCE_ID = re.compile(r"i-([0-9a-f]{8}|[0-9a-f]{17})|mi-[0-9a-f]{17}")


@dataclass(frozen=True, slots=True)
class LoadResult:
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
) -> LoadResult:
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
    found = parse_report(report)
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
    return LoadResult(
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


SAMPLES = Path(__file__).parents[1] / "samples"

# Node names as people would give them, and what each reports at first.
FLEET = {
    "i-0a1b2c3d4e5f60001": "amazon-bad",
    "i-0a1b2c3d4e5f60002": "amazon-good",
    "i-0a1b2c3d4e5f60003": "ubuntu-good",
    "i-0a1b2c3d4e5f60004": "ubuntu-bad",
}


def load_now(aws_url: str, instance_id: str, report: bytes) -> LoadResult:
    """Let a node report now, as the SSM document does after a run of InSpec."""
    with closing(make_session().client("ssm", endpoint_url=aws_url)) as ssm:
        return load_report(ssm, report, instance_id, datetime.now(UTC), str(uuid4()))


def load_sample(aws_url: str, instance_id: str, name: str) -> LoadResult:
    """Let a node report one of the samples."""
    return load_now(aws_url, instance_id, (SAMPLES / f"{name}.json").read_bytes())


def find_last_report(aws_url: str) -> datetime:
    """When the newest report came; an association execution that began then has been answered."""
    with closing(make_session().client("ssm", endpoint_url=aws_url)) as ssm:
        pages = ssm.get_paginator("list_resource_compliance_summaries").paginate()
        rows = [row for page in pages for row in page["ResourceComplianceSummaryItems"]]
    times = [row["ExecutionSummary"]["ExecutionTime"] for row in rows]
    return max(times, default=read_clock())


def read_clock() -> datetime:
    """When an association execution that starts now began: SSM keeps whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)
