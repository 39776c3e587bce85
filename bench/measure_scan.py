"""Measures one scan in a process of its own: `python -m bench.measure_scan ours|baseline`.

Settings come from the environment, as in a deployed function. The last line of standard output is
a `MeasuredScan` as JSON. Imports and clients are ready before the clock starts;
`bench.cold_start` measures those.
"""

import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from threading import Lock, local
from typing import Any

import boto3
import msgspec
from slack_sdk import WebClient

from bench.baseline import Baseline
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
TRANSACTION = "TransactWriteItems"
WRITES = ("BatchWriteItem", "DeleteItem", "PutItem", TRANSACTION, "UpdateItem")
# The indexes of the findings table, whose key this is.
INDEXES, INDEXED = 2, "finding_id"


class CallMeter:
    """Counts the calls of a session, and can delay those to DynamoDB.

    calls: by operation, retries included · read_units, write_units: as DynamoDB reports
    them, but those of transactions computed: DynamoDB Local reports one row a table ·
    engine_seconds: the summed duration of the calls to DynamoDB, without the delay.
    """

    def __init__(self, session: boto3.Session, dynamodb_latency: float = 0.0) -> None:
        self.calls: Counter[str] = Counter()
        self.read_units = 0.0
        self.write_units = 0.0
        self.engine_seconds = 0.0
        self._latency = dynamodb_latency
        self._lock = Lock()
        self._thread = local()
        session.events.register("before-parameter-build.dynamodb", self._request_units)
        session.events.register("before-call.dynamodb.TransactWriteItems", self._add_transaction)
        session.events.register("before-send", self._count_call)
        session.events.register("response-received.dynamodb", self._add_time)
        session.events.register("after-call.dynamodb", self._add_units)

    def _request_units(self, params: dict[str, Any], model: Any, **_: object) -> None:
        if "ReturnConsumedCapacity" in model.input_shape.members:
            params["ReturnConsumedCapacity"] = "TOTAL"

    def _add_transaction(self, params: Mapping[str, Any], **_: object) -> None:
        units = count_transaction_units(msgspec.json.decode(params["body"])["TransactItems"])
        with self._lock:
            self.write_units += units

    def _count_call(self, event_name: str, **_: object) -> None:
        service, operation = event_name.split(".")[1:]
        with self._lock:
            self.calls[f"{service}.{operation}"] += 1
        if service == "dynamodb":
            if self._latency:
                time.sleep(self._latency)
            self._thread.sent = time.perf_counter()

    def _add_time(self, **_: object) -> None:
        seconds = time.perf_counter() - self._thread.sent
        with self._lock:
            self.engine_seconds += seconds

    def _add_units(self, parsed: Mapping[str, Any], model: Any, **_: object) -> None:
        consumed = parsed.get("ConsumedCapacity") or []
        units = sum(
            each["CapacityUnits"]
            for each in (consumed if isinstance(consumed, list) else [consumed])
        )
        with self._lock:
            if model.name == TRANSACTION:
                pass  # computed
            elif model.name in WRITES:
                self.write_units += units
            else:
                self.read_units += units


def count_transaction_units(actions: Sequence[Mapping[str, Mapping[str, Any]]]) -> int:
    """Returns the write units of a transaction, from the JSON of its actions.

    A unit is 1 KB. A row costs twice, and once more in each index.
    """
    units = 0
    for action in actions:
        (what,) = action.values()
        row = what.get("Item") or what["Key"]
        size = -(-len(msgspec.json.encode(row)) // 1_024)
        units += size * (2 + INDEXES * (INDEXED in row))
    return units


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
