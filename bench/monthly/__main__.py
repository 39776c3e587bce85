"""Measures the monthly report at three sizes, and the rate of its CSV: `python -m bench.monthly`.

Exits with 1 if a promise is broken or a report arrived incomplete.
"""

import gc
import sys
import time
from collections import deque
from collections.abc import Iterator

from rich.console import Console

from bench.fleet_results import Month, Monthly, ProcessCost
from bench.generated import GeneratedFleet, choose_severity, make_title
from bench.monthly.delivered import read_delivered
from bench.processes import Notify, run_module
from bench.promises import format_verdict, judge_monthly
from bench.results import count_cores, format_today, save
from bench.sections.fleet import render_monthly
from bench.simulation.fleet import FINDINGS_A_NODE, make_instance_id
from bench.simulation.service import START
from chalicelib.domain.finding import Finding, worst_first
from chalicelib.domain.snooze import ListedFinding
from chalicelib.reports.csv_file import render_csv
from devstack.environment import isolate
from devstack.stack import run_stack

SIZES = (10_000, 100_000, 300_000)
CSV_ROWS, CSV_RUNS = 200_000, 5


def measure_csv_rates() -> Iterator[int]:
    """Rows per CPU second in each run, over rows in the order of a file.

    The renderer never waits, so CPU seconds equal seconds on an idle machine.
    """
    fleet = GeneratedFleet(CSV_ROWS // FINDINGS_A_NODE, START)
    findings = (
        Finding(
            make_instance_id(number),
            make_title(control),
            choose_severity(control),
            f"control-{control:03d}",
            fleet.compute_executed_at(number),
            "scan-1",
        )
        for number in range(fleet.nodes)
        for control in (fleet.choose_control(number, item) for item in range(FINDINGS_A_NODE))
    )
    rows = [ListedFinding(finding, None) for finding in sorted(findings, key=worst_first)]
    gc.collect()
    for _ in range(CSV_RUNS):
        began = time.process_time()
        deque(render_csv(rows), maxlen=0)
        yield round(CSV_ROWS / (time.process_time() - began))


def measure_months(notify: Notify) -> Iterator[Month]:
    """Each size in a process of its own, on new stand-ins."""
    for findings in SIZES:
        notify(f"a month with {findings:,} findings")
        with run_stack() as stack:
            module, arguments = "bench.monthly.one_month", (str(findings),)
            cost = run_module(module, arguments, stack.env, ProcessCost)
            delivered = read_delivered(stack)
        yield Month(
            findings=findings,
            nodes=findings // FINDINGS_A_NODE,
            seconds=cost.seconds,
            cpu_seconds=cost.cpu_seconds,
            peak_mb=cost.peak_mb,
            object_bytes=len(delivered.stored),
            parts=delivered.parts,
            rows=delivered.rows,
            thread_rows=delivered.thread_rows,
            complete=delivered.is_complete(findings),
        )


def main() -> int:
    """Measure, save and judge."""
    isolate()
    console = Console(highlight=False, width=120)
    with console.status("CSV rows per second") as status:
        monthly = Monthly(
            when=format_today(),
            cores=count_cores(),
            rows=CSV_ROWS,
            rows_a_second=tuple(measure_csv_rates()),
            months=tuple(measure_months(status.update)),
        )
    save("monthly", monthly)
    console.print("\n".join(render_monthly(monthly)))
    verdicts = list(judge_monthly(monthly))
    for verdict in verdicts:
        console.print(format_verdict(verdict))
    return 0 if all(each.kept for each in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
