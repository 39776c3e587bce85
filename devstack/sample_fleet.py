"""The sample fleet: four nodes, the reports they can give, and how they report."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from devstack.aws.session import local_session
from devstack.inspec.loader import Loaded, load_report

SAMPLES = Path(__file__).parent / "samples"

# Node names as people would give them, and what each reports at first.
FLEET = {
    "i-0a1b2c3d4e5f60001": "amazon-bad",
    "i-0a1b2c3d4e5f60002": "amazon-good",
    "i-0a1b2c3d4e5f60003": "ubuntu-good",
    "i-0a1b2c3d4e5f60004": "ubuntu-bad",
}


def load(aws_url: str, instance_id: str, report: bytes) -> Loaded:
    """Let a node report now, as the SSM document does after a run of InSpec."""
    with closing(local_session().client("ssm", endpoint_url=aws_url)) as ssm:
        return load_report(ssm, report, instance_id, datetime.now(UTC), str(uuid4()))


def load_sample(aws_url: str, instance_id: str, name: str) -> Loaded:
    """Let a node report one of the samples."""
    return load(aws_url, instance_id, (SAMPLES / f"{name}.json").read_bytes())


def last_report(aws_url: str) -> datetime:
    """When the newest report came; an association execution that began then has been answered."""
    with closing(local_session().client("ssm", endpoint_url=aws_url)) as ssm:
        pages = ssm.get_paginator("list_resource_compliance_summaries").paginate()
        rows = [row for page in pages for row in page["ResourceComplianceSummaryItems"]]
    times = [row["ExecutionSummary"]["ExecutionTime"] for row in rows]
    return max(times, default=started_now())


def started_now() -> datetime:
    """When an association execution that starts now began: SSM keeps whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)
