"""Loads InSpec reports into SSM Compliance, as AWS-RunInspecChecks does, and a sample fleet."""

from __future__ import annotations

import re
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from chalicelib.reports.slack_blocks import format_count
from devstack.aws.session import make_session
from devstack.inspec.report import MAX_TITLE, REFUSED, ReportItem, parse_report
from devstack.inspec.report_json import ReportError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_ssm.type_defs import ComplianceItemEntryTypeDef

INSTANCE_ID = re.compile(r"i-([0-9a-f]{8}|[0-9a-f]{17})|mi-[0-9a-f]{17}")
COMPLIANCE_TYPE = "Custom:InSpec"
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
    """What was loaded, in numbers, and warnings.

    `findings` counts the different titles of the non-compliant items.
    """

    items: int
    non_compliant: int
    findings: int
    cut_titles: int
    warnings: tuple[str, ...]

    def describe(self) -> Iterator[str]:
        """Yield a sentence for each thing that a person should know, without the warnings."""
        items = format_count(self.items, "compliance item", "compliance items")
        yield f"{items}, {self.non_compliant:,} non-compliant"
        if repeats := self.non_compliant - self.findings:
            findings = format_count(self.findings, "finding", "findings")
            repeated = format_count(repeats, "item repeats", "items repeat")
            yield (
                f"The {self.non_compliant:,} non-compliant items are {findings} in Slack and the "
                f"API: a finding is one title on one node, and {repeated} the title of another."
            )
        if self.cut_titles:
            titles = format_count(self.cut_titles, "title was", "titles were")
            yield (
                f"{titles} cut to {MAX_TITLE} characters. AWS-RunInspecChecks cuts nothing: "
                "it would fail, and the node would keep its old items."
            )


def load_report(
    ssm: SSMClient,
    report: bytes,
    instance_id: str,
    executed_at: datetime,
    execution_id: str,
    *,
    cut_titles: bool = False,
) -> LoadResult:
    """Replace the InSpec items of a node by those of `report`.

    `executed_at` is aware. SSM keeps whole seconds. `cut_titles` loads titles over 500
    characters cut, for which AWS-RunInspecChecks fails. Raises ReportError if the report is
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
    parsed = parse_report(report, cut_titles=cut_titles)
    try:
        ssm.put_compliance_items(
            ResourceId=instance_id,
            ResourceType="ManagedInstance",
            ComplianceType=COMPLIANCE_TYPE,
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
            f"The {len(parsed.items):,} results of the report are over 800 KB, SSM's limit for a "
            f"node. {REFUSED} Split the profile, or shorten its titles and the texts of its checks."
        ) from error
    failed = [item.title for item in parsed.items if item.status == "NON_COMPLIANT"]
    return LoadResult(
        items=len(parsed.items),
        non_compliant=len(failed),
        findings=len(set(failed)),
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


def load_now(
    aws_url: str, instance_id: str, report: bytes, *, cut_titles: bool = False
) -> LoadResult:
    """Load a report with the present time, as the SSM document does after a run of InSpec."""
    with closing(make_session().client("ssm", endpoint_url=aws_url)) as ssm:
        return load_report(
            ssm, report, instance_id, datetime.now(UTC), str(uuid4()), cut_titles=cut_titles
        )


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
