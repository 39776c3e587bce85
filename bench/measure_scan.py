"""Measures one scan in a process of its own: `python -m bench.measure_scan ours|baseline`.

Settings come from the environment, as in a deployed function. The last line of standard output is
a `MeasuredScan` as JSON. Imports and clients are ready before the clock starts;
`bench.cold_start` measures those.
"""

import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import msgspec
from slack_sdk import WebClient

from bench.baseline import Baseline
from bench.meter import CallMeter
from bench.processes import read_peak_mb
from bench.results import MeasuredScan
from chalicelib.bootstrap import Runtime
from chalicelib.domain.scan import Job, JobKind
from chalicelib.settings import Settings
from chalicelib.usecases.run import run_scans
from devstack.environment import ACCOUNT, ASSOCIATION, REGION, TOKEN

# Names in the environment: the latency of each call to DynamoDB, and the time of a scan, in
# seconds.
DYNAMODB_LATENCY = "BENCH_DYNAMODB_LATENCY"
DEADLINE = "BENCH_DEADLINE"
LAMBDA_SECONDS = "900"
# The event arrives after the execution, and nodes have reported since the execution began.
EXECUTION_LASTED = timedelta(minutes=5)


def prepare_ours(session: boto3.Session) -> Callable[[], Mapping[str, Any]]:
    """Our scan, with the job of one execution as an event enqueues it."""
    runtime = Runtime(Settings.from_env(os.environ), session)
    context = runtime.context(ACCOUNT, REGION)
    time_given = timedelta(seconds=float(os.environ.get(DEADLINE, LAMBDA_SECONDS)))

    def scan() -> Mapping[str, Any]:
        now = datetime.now(UTC)
        began = now - EXECUTION_LASTED
        key = f"{ASSOCIATION}#{now.isoformat()}"
        context.work.enqueue(Job(key, JobKind.EXECUTION, now, now, ASSOCIATION, "Success", began))
        (report,) = run_scans(context, now + time_given)
        facts: dict[str, Any] = {"topic": report.announcement.topic or ""}
        if report.failure:
            facts["failure"] = repr(report.failure)
        if report.outcome:
            coverage = report.outcome.coverage
            facts |= {
                "new": len(report.outcome.new),
                "fixed": report.outcome.fixed,
                "open": report.outcome.open_total,
                "deferred": coverage.deferred,
                "unverified": Counter(coverage.unverified.values()),
            }
        return facts

    return scan


def prepare_baseline(session: boto3.Session) -> Callable[[], Mapping[str, Any]]:
    """The scan of the baseline."""
    settings = Settings.from_env(os.environ)
    slack = WebClient(token=TOKEN, base_url=settings.slack_base_url)
    return Baseline(session, settings.findings_table, slack, settings.slack_channel).scan


VARIANTS = {"ours": prepare_ours, "baseline": prepare_baseline}


def measure(variant: str) -> MeasuredScan:
    """Run and measure one scan."""
    session = boto3.Session()
    meter = CallMeter(session, float(os.environ.get(DYNAMODB_LATENCY, "0")))
    scan = VARIANTS[variant](session)
    began, cpu_began = time.perf_counter(), time.process_time()
    facts = scan()
    return MeasuredScan(
        seconds=round(time.perf_counter() - began, 3),
        cpu_seconds=round(time.process_time() - cpu_began, 3),
        engine_seconds=round(meter.engine_seconds, 3),
        peak_mb=round(read_peak_mb(), 1),
        calls=dict(sorted(meter.calls.items())),
        read_units=meter.read_units,
        write_units=meter.write_units,
        **facts,
    )


def main() -> None:
    """Measure one scan and print the result."""
    print(msgspec.json.encode(measure(sys.argv[1])).decode(), flush=True)
    # Lambda does not wait for a thread that hangs in a call, so neither does this process.
    os._exit(0)


if __name__ == "__main__":
    main()
