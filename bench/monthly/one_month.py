"""One monthly report over findings that are nowhere in memory: `python -m bench.monthly.one_month`.

Takes the number of findings. Everything is built as in production; SSM and the tables of findings
and nodes make their rows when asked, the findings in no order, as DynamoDB's hash has them.
"""

import os
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec

from bench.generated import GeneratedFleet, GeneratedSsm, GeneratedTable, severity, title
from bench.measured import LAMBDA_SECONDS, peak_mb
from bench.monthly.figures import Made
from bench.simulation.fleet import EACH, instance_id
from bench.simulation.service import NOW, START
from chalicelib.adapters.dynamodb_findings import DynamoFindings
from chalicelib.adapters.dynamodb_nodes import DynamoNodes
from chalicelib.adapters.ssm_compliance import SsmCompliance
from chalicelib.aws.dynamodb_pages import Row
from chalicelib.aws.dynamodb_times import to_text
from chalicelib.bootstrap import Runtime
from chalicelib.domain.job import Job, JobKind, monthly_key
from chalicelib.settings import Settings
from chalicelib.usecases.passes import run_scans
from devstack.environment import ACCOUNT, REGION

# Steps of this prime over the findings bring each of them once, in no order.
STRIDE = 7_368_787


def rows(fleet: GeneratedFleet) -> Iterator[Row]:
    """The findings table of a fleet."""
    findings = fleet.nodes * EACH
    for step in range(findings):
        number, item = divmod(step * STRIDE % findings, EACH)
        control = fleet.control(number, item)
        yield {
            "instance_id": instance_id(number),
            "title": title(control),
            "severity": str(severity(control)),
            "control_id": f"control-{control:03d}",
            "first_seen": to_text(fleet.executed_at(number)),
            "scan_id": "scan-1",
        }


def measure(findings: int) -> Made:
    """Make the pass that a month is owed; RuntimeError where it fails."""
    fleet = GeneratedFleet(findings // EACH, NOW)
    settings = Settings.from_env(os.environ)
    ssm: Any = GeneratedSsm(fleet, lambda: None)
    nodes: Any = GeneratedTable(fleet.node_rows)
    stored: Any = GeneratedTable(lambda: rows(fleet))
    runtime = Runtime(settings)
    context = replace(
        runtime.context(ACCOUNT, REGION),
        compliance=SsmCompliance(ssm, settings.compliance_types),
        findings=DynamoFindings(stored),
        nodes=DynamoNodes(nodes),
    )
    began, worked = time.perf_counter(), time.process_time()
    context.work.enqueue(Job(monthly_key(START), JobKind.MONTHLY, START, runtime.clock()))
    deadline = runtime.clock() + timedelta(seconds=float(LAMBDA_SECONDS))
    (report,) = run_scans(context, deadline)
    steps = [each.step for each in report.deliveries]
    if report.failure or report.undelivered or report.pending or not steps:
        raise RuntimeError(f"{report.failure!r}, {report.undelivered}")
    return Made(
        seconds=round(time.perf_counter() - began, 2),
        cpu_seconds=round(time.process_time() - worked, 2),
        peak_mb=round(peak_mb(), 1),
    )


if __name__ == "__main__":
    print(msgspec.json.encode(measure(int(sys.argv[1]))).decode())
