"""One pass over a fleet that is nowhere in memory.

`python -m bench.simulation.one_pass quiet 1000`, or `new`. Everything is built as in
production; SSM and the tables of findings, nodes and history make their rows when asked and keep
none. Prints a `Peak` as JSON.
"""

import os
import sys
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import msgspec

from bench.generated import GeneratedFleet, GeneratedSsm, GeneratedTable
from bench.measured import peak_mb
from bench.simulation.clock import SimulatedClock
from bench.simulation.figures import Peak
from bench.simulation.service import BEFORE, NOW, START
from chalicelib.adapters.dynamodb_findings import DynamoFindings
from chalicelib.adapters.dynamodb_journal import DynamoJournal
from chalicelib.adapters.dynamodb_nodes import DynamoNodes
from chalicelib.adapters.ssm_compliance import SsmCompliance
from chalicelib.bootstrap import Runtime
from chalicelib.settings import Settings
from chalicelib.usecases.context import ANNOUNCING_TIME
from chalicelib.usecases.passes import run_scans
from devstack.environment import ACCOUNT, REGION

CASES = {"quiet": "nothing changed", "new": "everything is new"}
# Time for 6,000 nodes, as a pass has it at some 7 calls a second.
RATE, MOST_READ = 10.0, 6_000


def measure(case: str, nodes: int) -> Peak:
    """Make one pass; RuntimeError where it fails."""
    clock = SimulatedClock(START)
    fleet = GeneratedFleet(nodes, NOW)
    settings = Settings.from_env(os.environ)
    ssm: Any = GeneratedSsm(fleet, lambda: clock.forward(1 / RATE))
    clean = partial(GeneratedFleet(nodes, BEFORE).node_rows, 0)
    known: Any = GeneratedTable(fleet.node_rows if case == "quiet" else clean)
    kept: Any = GeneratedTable()
    context = replace(
        Runtime(settings).context(ACCOUNT, REGION),
        compliance=SsmCompliance(ssm, settings.compliance_types),
        findings=DynamoFindings(kept),
        nodes=DynamoNodes(known),
        journal=DynamoJournal(kept),
        clock=clock,
    )
    (report,) = run_scans(context, START + timedelta(seconds=MOST_READ / RATE) + ANNOUNCING_TIME)
    if report.failure or report.outcome is None or report.pending:
        raise RuntimeError(f"{report.failure!r}, {report.undelivered}")
    return Peak(
        what=CASES[case],
        nodes=nodes,
        read=report.outcome.coverage.read,
        peak_mb=round(peak_mb(), 1),
    )


if __name__ == "__main__":
    print(msgspec.json.encode(measure(sys.argv[1], int(sys.argv[2]))).decode())
