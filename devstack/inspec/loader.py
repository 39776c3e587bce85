"""Loads InSpec reports into SSM Compliance, as AWS-RunInspecChecks does, and a sample fleet."""

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
SAMPLES = Path(__file__).parents[1] / "samples"

# The nodes of the sample fleet, and the sample that each reports first.
FLEET = {
    "i-0a1b2c3d4e5f60001": "amazon-bad",
    "i-0a1b2c3d4e5f60002": "amazon-good",
    "i-0a1b2c3d4e5f60003": "ubuntu-good",
    "i-0a1b2c3d4e5f60004": "ubuntu-bad",
}


@dataclass(frozen=True, slots=True)
class LoadResult:
    """The number of loaded items, of non-compliant ones and of cut titles, and warnings."""

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
    """Replace the items of `compliance_type` on a node by those of `report`.

    `executed_at` is aware. SSM keeps whole seconds. Raises ReportError if the report is
    unusable or too large for SSM, ValueError for a bad instance id or a naive time, and
    botocore's ClientError for any other refusal. An error changes nothing in SSM.
    """
    if not INSTANCE_ID.fullmatch(instance_id):
        raise ValueError(
            f"{instance_id!r} is not an instance id. Use i- with 8 or 17 hex digits, "
            "or mi- with 17."
        )
    if executed_at.utcoffset() is None:
        raise ValueError(f"{executed_at} has no time zone. Use an aware time.")
    parsed = parse_report(report)
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
            Items=[_build_entry(item) for item in parsed.items],
        )
    except (
        ssm.exceptions.TotalSizeLimitExceededException,
        ssm.exceptions.ItemSizeLimitExceededException,
    ) as error:
        raise ReportError(
            f"The report of {instance_id} is too large for SSM ({len(parsed.items)} results). "
            "Split the profile, or shorten its titles and descriptions."
        ) from error
    return LoadResult(
        items=len(parsed.items),
        non_compliant=sum(item.status == "NON_COMPLIANT" for item in parsed.items),
        cut_titles=parsed.cut_titles,
        warnings=parsed.warnings,
    )


def _build_entry(item: ReportItem) -> ComplianceItemEntryTypeDef:
    return {
        "Id": item.id,
        "Title": item.title,
        "Severity": item.severity,
        "Status": item.status,
    }


def load_now(aws_url: str, instance_id: str, report: bytes) -> LoadResult:
    """Load a report with the present time, as the SSM document does after a run of InSpec."""
    with closing(make_session().client("ssm", endpoint_url=aws_url)) as ssm:
        return load_report(ssm, report, instance_id, datetime.now(UTC), str(uuid4()))


def load_sample(aws_url: str, instance_id: str, name: str) -> LoadResult:
    """Load one of the sample reports."""
    return load_now(aws_url, instance_id, (SAMPLES / f"{name}.json").read_bytes())


def find_last_report(aws_url: str) -> datetime:
    """Return the execution time of the newest report, or the present time without any."""
    with closing(make_session().client("ssm", endpoint_url=aws_url)) as ssm:
        pages = ssm.get_paginator("list_resource_compliance_summaries").paginate()
        rows = [row for page in pages for row in page["ResourceComplianceSummaryItems"]]
    times = [row["ExecutionSummary"]["ExecutionTime"] for row in rows]
    return max(times, default=read_clock())


def read_clock() -> datetime:
    """Return the present time in whole seconds, as SSM records the start of an execution."""
    return datetime.now(UTC).replace(microsecond=0)
