"""Measures one monthly report over generated findings: `python -m bench.monthly.one_month 100000`.

Everything is built as in production. SSM and the tables of findings and nodes generate their rows
on request. Findings come without order, as from DynamoDB. Prints a `ProcessCost` as JSON.
"""

import os
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec
from msgspec.structs import replace

from bench.fleet_results import ProcessCost
from bench.generated import (
    GeneratedFleet,
    GeneratedSsm,
    GeneratedTable,
    choose_severity,
    make_title,
)
from bench.measure_scan import LAMBDA_SECONDS
from bench.processes import read_peak_mb
from bench.simulation.fleet import FINDINGS_A_NODE, make_instance_id
from bench.simulation.service import NOW, START
from chalicelib.adapters.dynamodb.inventory import DynamoFindings, DynamoNodes
from chalicelib.adapters.dynamodb.tables import Row, to_text
from chalicelib.adapters.ssm import SsmCompliance
from chalicelib.bootstrap import Runtime
from chalicelib.domain.scan import Job, JobKind, monthly_key
from chalicelib.settings import Settings
from chalicelib.usecases.run import run_scans
from devstack.environment import ACCOUNT, REGION

# Steps of this prime visit each finding once, without order.
STRIDE = 7_368_787


def generate_rows(fleet: GeneratedFleet) -> Iterator[Row]:
    """The findings table of a fleet."""
    findings = fleet.nodes * FINDINGS_A_NODE
    for step in range(findings):
        number, item = divmod(step * STRIDE % findings, FINDINGS_A_NODE)
        control = fleet.choose_control(number, item)
        yield {
            "instance_id": make_instance_id(number),
            "title": make_title(control),
            "severity": str(choose_severity(control)),
            "control_id": f"control-{control:03d}",
            "first_seen": to_text(fleet.compute_executed_at(number)),
            "scan_id": "scan-1",
        }


def measure(findings: int) -> ProcessCost:
    """Run the scan with a monthly job. RuntimeError if it fails."""
    fleet = GeneratedFleet(findings // FINDINGS_A_NODE, NOW)
    settings = Settings.from_env(os.environ)
    ssm: Any = GeneratedSsm(fleet, lambda: None)
    nodes: Any = GeneratedTable(fleet.generate_node_rows)
    stored: Any = GeneratedTable(lambda: generate_rows(fleet))
    runtime = Runtime(settings)
    context = replace(
        runtime.context(ACCOUNT, REGION),
        compliance=SsmCompliance(ssm, settings.compliance_types),
        findings=DynamoFindings(stored),
        nodes=DynamoNodes(nodes),
    )
    began, cpu_began = time.perf_counter(), time.process_time()
    context.work.enqueue(Job(monthly_key(START), JobKind.MONTHLY, START, runtime.clock()))
    deadline = runtime.clock() + timedelta(seconds=float(LAMBDA_SECONDS))
    (report,) = run_scans(context, deadline)
    if report.failure or report.undelivered or report.pending or not report.deliveries:
        raise RuntimeError(f"{report.failure!r}, {report.undelivered}")
    return ProcessCost(
        seconds=round(time.perf_counter() - began, 2),
        cpu_seconds=round(time.process_time() - cpu_began, 2),
        peak_mb=round(read_peak_mb(), 1),
    )


if __name__ == "__main__":
    print(msgspec.json.encode(measure(int(sys.argv[1]))).decode())
