"""How many rows the CSV renderer writes in a second of the CPU.

It waits for nothing, so that is its second on a machine of its own; this one may be shared.
"""

import gc
import time
from collections import deque
from collections.abc import Iterator

from bench.generated import GeneratedFleet, severity, title
from bench.simulation.fleet import EACH, instance_id
from bench.simulation.service import START
from chalicelib.domain.finding import Finding, worst_first
from chalicelib.domain.monthly import ListedFinding
from chalicelib.reports.csv_file import render_csv

ROWS, ROUNDS = 200_000, 5


def rates() -> Iterator[float]:
    """Rows a CPU second over the same rows, in the order of a file: by severity, title and node."""
    fleet = GeneratedFleet(ROWS // EACH, START)
    findings = (
        Finding(
            instance_id(number),
            title(control),
            severity(control),
            f"control-{control:03d}",
            fleet.executed_at(number),
            "scan-1",
        )
        for number in range(fleet.nodes)
        for control in (fleet.control(number, item) for item in range(EACH))
    )
    rows = [ListedFinding(finding, None) for finding in sorted(findings, key=worst_first)]
    gc.collect()
    for _ in range(ROUNDS):
        began = time.process_time()
        deque(render_csv(rows), maxlen=0)
        yield round(ROWS / (time.process_time() - began))
