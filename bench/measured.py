"""One scan in a process of its own, measured: `python -m bench.measured ours|plain`.

Settings come from the environment, as for the deployed functions; the figures go to standard
output as one JSON object. Imports and clients are there before the clock starts; what they cost
is measured by `bench.cold_start`.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
from slack_sdk import WebClient

from bench.plain import Plain
from bench.watch import Watch
from chalicelib.bootstrap import Runtime
from chalicelib.domain.debt import Debt, DebtKind
from chalicelib.settings import Settings
from chalicelib.usecases.passes import make_passes
from devstack.names import ACCOUNT, ASSOCIATION, REGION, TOKEN

LAMBDA = timedelta(minutes=15)


def ours(session: boto3.Session) -> Callable[[], Mapping[str, Any]]:
    """The pass, with an execution that is owed an answer, as an event brings it."""
    runtime = Runtime(Settings.from_env(os.environ), session)
    world = runtime.world(ACCOUNT, REGION)

    def scan() -> Mapping[str, Any]:
        now = datetime.now(UTC)
        key = f"{ASSOCIATION}#{now.isoformat()}"
        world.work.owe(Debt(key, DebtKind.EXECUTION, now, now, ASSOCIATION, "Success", now))
        (made,) = make_passes(world, now + LAMBDA)
        if made.failure:
            raise made.failure
        assert made.outcome is not None
        return {
            "opened": len(made.outcome.opened),
            "resolved": made.outcome.resolved,
            "open": sum(made.outcome.by_severity.values()),
            "left": made.outcome.coverage.left,
        }

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


def main() -> None:
    """Scan once and print what it took."""
    session = boto3.Session()
    watch = Watch(session, float(os.environ.get("BENCH_DYNAMODB_LATENCY", "0")))
    scan = VARIANTS[sys.argv[1]](session)
    began, worked = time.perf_counter(), time.process_time()
    facts = scan()
    figures = {
        "seconds": time.perf_counter() - began,
        "own_seconds": time.process_time() - worked,
        "peak_mb": peak_mb(),
        "calls": dict(watch.calls),
        "read_units": watch.read_units,
        "write_units": watch.write_units,
        **facts,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
