"""Measures the peak memory of one scan over a fleet that takes no memory itself.

`python -m bench.simulation.one_scan quiet 1000`, or `new`. Everything is built as in production.
SSM and the tables of findings, nodes and history generate their rows on request and keep none.
Prints a `Peak` as JSON.
"""

import os
import sys
from datetime import timedelta
from functools import partial
from typing import Any

import msgspec
from msgspec.structs import replace

from bench.fleet_results import Peak
from bench.generated import GeneratedFleet, GeneratedSsm, GeneratedTable
from bench.processes import read_peak_mb
from bench.simulation.clock import SimulatedClock
from bench.simulation.service import BEFORE, NOW, START
from chalicelib.adapters.dynamodb.inventory import DynamoFindings, DynamoNodes
from chalicelib.adapters.dynamodb.journal import DynamoJournal
from chalicelib.adapters.ssm import SsmCompliance
from chalicelib.bootstrap import Runtime
from chalicelib.settings import Settings
from chalicelib.usecases.run import ANNOUNCING_TIME, run_scans
from devstack.environment import ACCOUNT, REGION

CASES = {"quiet": "nothing changed", "new": "everything is new"}
# A scan has time for 6,000 nodes, as at some 7 calls a second.
RATE, MOST_READ = 10.0, 6_000


def measure(case: str, nodes: int) -> Peak:
    """Run one scan. RuntimeError if it fails."""
    clock = SimulatedClock(START)
    fleet = GeneratedFleet(nodes, NOW)
    settings = Settings.from_env(os.environ)
    ssm: Any = GeneratedSsm(fleet, lambda: clock.advance(1 / RATE))
    clean = partial(GeneratedFleet(nodes, BEFORE).generate_node_rows, 0)
    known: Any = GeneratedTable(fleet.generate_node_rows if case == "quiet" else clean)
    other: Any = GeneratedTable()
    context = replace(
        Runtime(settings).context(ACCOUNT, REGION),
        compliance=SsmCompliance(ssm, settings.compliance_types),
        findings=DynamoFindings(other),
        nodes=DynamoNodes(known),
        journal=DynamoJournal(other),
        clock=clock,
    )
    (report,) = run_scans(context, START + timedelta(seconds=MOST_READ / RATE) + ANNOUNCING_TIME)
    if report.failure or report.outcome is None or report.pending:
        raise RuntimeError(f"{report.failure!r}, {report.undelivered}")
    return Peak(
        case=CASES[case],
        nodes=nodes,
        read=report.outcome.coverage.read,
        peak_mb=round(read_peak_mb(), 1),
    )


if __name__ == "__main__":
    print(msgspec.json.encode(measure(sys.argv[1], int(sys.argv[2]))).decode())
