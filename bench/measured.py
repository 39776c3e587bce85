"""One scan in a process of its own, measured: `python -m bench.measured ours|plain`.

Settings come from the environment, as for the deployed functions; the figures go to standard
output as one JSON object. Imports and clients are there before the clock starts; what they cost
is measured by `bench.cold_start`.
"""

import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import msgspec
from slack_sdk import WebClient

from bench.figures import Run
from bench.plain import Plain
from bench.watch import Watch
from chalicelib.bootstrap import Runtime
from chalicelib.domain.job import Job, JobKind
from chalicelib.settings import Settings
from chalicelib.usecases.passes import run_scans
from devstack.environment import ACCOUNT, ASSOCIATION, REGION, TOKEN

# Environment: seconds that are added to each call to DynamoDB; seconds that a pass has.
DYNAMODB_LATENCY = "BENCH_DYNAMODB_LATENCY"
DEADLINE = "BENCH_DEADLINE"
LAMBDA_SECONDS = "900"
# An event comes when its execution is over; the nodes have reported since it began.
EXECUTION_LASTED = timedelta(minutes=5)


def ours(session: boto3.Session) -> Callable[[], Mapping[str, Any]]:
    """The pass, with an execution that is owed an answer, as an event brings it."""
    runtime = Runtime(Settings.from_env(os.environ), session)
    context = runtime.context(ACCOUNT, REGION)
    time_given = timedelta(seconds=float(os.environ.get(DEADLINE, LAMBDA_SECONDS)))

    def scan() -> Mapping[str, Any]:
        now = datetime.now(UTC)
        began = now - EXECUTION_LASTED
        key = f"{ASSOCIATION}#{now.isoformat()}"
        context.work.enqueue(Job(key, JobKind.EXECUTION, now, now, ASSOCIATION, "Success", began))
        (made,) = run_scans(context, now + time_given)
        facts: dict[str, Any] = {"topic": made.announcement.topic or ""}
        if made.failure:
            facts["failure"] = repr(made.failure)
        if made.outcome:
            coverage = made.outcome.coverage
            facts |= {
                "opened": len(made.outcome.new),
                "resolved": made.outcome.fixed,
                "open": made.outcome.open_total,
                "left": coverage.deferred,
                "doubts": Counter(coverage.unverified.values()),
            }
        return facts

    return scan


def plain(session: boto3.Session) -> Callable[[], Mapping[str, Any]]:
    """The first idea."""
    settings = Settings.from_env(os.environ)
    slack = WebClient(token=TOKEN, base_url=settings.slack_base_url)
    return Plain(session, settings.findings_table, slack, settings.slack_channel).scan


VARIANTS = {"ours": ours, "plain": plain}


def peak_mb() -> float:
    """The most memory that this program has held, in MB; 0 where the system does not tell.

    Not `ru_maxrss`: that begins at what the parent held when it started us.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        return 0.0
    (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def measure(variant: str) -> Run:
    """Scan once; the clients are made before the clock starts."""
    session = boto3.Session()
    watch = Watch(session, float(os.environ.get(DYNAMODB_LATENCY, "0")))
    scan = VARIANTS[variant](session)
    began, worked = time.perf_counter(), time.process_time()
    facts = scan()
    return Run(
        seconds=round(time.perf_counter() - began, 3),
        cpu_seconds=round(time.process_time() - worked, 3),
        engine_seconds=round(watch.engine_seconds, 3),
        peak_mb=round(peak_mb(), 1),
        calls=dict(sorted(watch.calls.items())),
        read_units=watch.read_units,
        write_units=watch.write_units,
        **facts,
    )


def main() -> None:
    """Scan once and print what it took."""
    print(msgspec.json.encode(measure(sys.argv[1])).decode(), flush=True)
    # As in Lambda, nobody waits for a thread that still hangs in a call.
    os._exit(0)


if __name__ == "__main__":
    main()
