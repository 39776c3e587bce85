"""Plays a change of a whole fleet, scan by scan, until no node is deferred."""

import gc
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from bench.fleet_results import Change
from bench.processes import Notify
from bench.simulation.checks import PartialScan, check_end, check_quiet_scan, check_scan
from bench.simulation.fleet import ITEMS, SUMMARIES
from bench.simulation.service import START, SimulatedService, build_service
from chalicelib.usecases.run import run_scans
from ops.costs import DYNAMODB_READ, DYNAMODB_WRITE, LAMBDA_GB_SECOND, LAMBDA_REQUEST

# The longest time of a Lambda function, and the schedule of `reconcile`.
DEADLINE = EVERY = timedelta(minutes=15)
# The memory of the functions that scan (.chalice/config.json).
LAMBDA_GB = 1.0


@dataclass(frozen=True, slots=True)
class PlayedChange:
    """The figures of a change, and the errors that the checks found."""

    change: Change
    errors: tuple[str, ...]


def play_change(nodes: int, rate: float, notify: Notify) -> PlayedChange:
    """Change all findings of a fleet, scan until everything is announced, then scan once more."""
    cpu_began = time.process_time()
    service, errors, scans, busy = build_service(nodes, rate), [], 0, 0.0
    tick, deferred, before = START, nodes, nodes + 1
    while 0 < deferred < before:
        # millions of rows stay, so spare the collector from walking them again and again
        gc.freeze()
        service.clock.advance_to(tick)
        scans, before = scans + 1, deferred
        began = service.clock()
        scan = _run_scan(service, began + DEADLINE)
        deferred = scan.deferred
        busy += (service.clock() - began).total_seconds()
        errors += [f"scan {scans}: {each}" for each in check_scan(scan)]
        progress = f"{deferred:,} nodes deferred, {_count_hours(service):.2f} h"
        notify(f"{rate:g} calls a second, scan {scans}: {progress}")
        while tick < service.clock():
            tick += EVERY
    change = _build_change(service, rate, scans, busy, time.process_time() - cpu_began)
    errors += check_end(service, scans)
    service.clock.advance_to(tick)
    quiet = _run_scan(service, service.clock() + DEADLINE)
    errors += check_quiet_scan(quiet.report, quiet.texts)
    gc.unfreeze()
    return PlayedChange(change, tuple(errors))


def _run_scan(service: SimulatedService, deadline: datetime) -> PartialScan:
    texts, files = len(service.channel.texts), len(service.files.stored)
    (report,) = run_scans(service.context, deadline)
    return PartialScan(
        report=report,
        in_time=service.clock() <= deadline,
        texts=service.channel.texts[texts:],
        csvs=list(service.files.stored.values())[files:],
        deferred=service.count_deferred(),
    )


def _count_hours(service: SimulatedService) -> float:
    return (service.clock() - START).total_seconds() / 3600


def _build_change(
    service: SimulatedService, rate: float, scans: int, busy: float, cpu: float
) -> Change:
    meter = service.meter
    dollars = compute_dollars(
        scans=scans, lambda_seconds=busy, reads=meter.read_units, writes=meter.write_units
    )
    return Change(
        rate=rate,
        scans=scans,
        hours=round(_count_hours(service), 2),
        lambda_seconds=round(busy),
        summary_calls=service.ssm.calls[SUMMARIES],
        item_calls=service.ssm.calls[ITEMS],
        dynamodb_calls=meter.calls.total(),
        read_units=round(meter.read_units),
        write_units=round(meter.write_units),
        messages=len(service.channel.texts),
        cpu_seconds=round(cpu, 1),
        dollars=round(dollars, 2),
    )


def compute_dollars(*, scans: int, lambda_seconds: float, reads: float, writes: float) -> float:
    """The price of scans by `ops.costs`. SSM's calls are free, and S3's too few to count."""
    return (
        lambda_seconds * LAMBDA_GB * LAMBDA_GB_SECOND
        + scans * LAMBDA_REQUEST
        + reads * DYNAMODB_READ
        + writes * DYNAMODB_WRITE
    )
