"""Plays a change of a whole fleet, pass by pass, until nothing is left."""

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bench.simulation.checks import Part, of_part, of_quiet, of_whole
from bench.simulation.figures import Change, dollars
from bench.simulation.service import START, Service, service
from bench.simulation.ssm import ITEMS, SUMMARIES
from chalicelib.usecases.passes import run_scans

# What a Lambda function has at most, and how often `reconcile` comes.
DEADLINE = EVERY = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Played:
    """The figures of a change, and what was wrong with it: nothing, as it should be."""

    change: Change
    broken: tuple[str, ...]


def play(nodes: int, rate: float, told: Callable[[str], object]) -> Played:
    """Let all findings of a fleet change, and make scans until all is told, and one more."""
    began = time.process_time()
    played, broken, scans, busy = service(nodes, rate), [], 0, 0.0
    tick, left, before = START, nodes, nodes + 1
    while 0 < left < before:
        # millions of rows that stay: the collector need not look through them again and again
        gc.freeze()
        played.clock.wait_until(tick)
        scans, before = scans + 1, left
        at = played.clock()
        part = _pass(played, at + DEADLINE)
        left = part.left
        busy += (played.clock() - at).total_seconds()
        broken += [f"pass {scans}: {each}" for each in of_part(part)]
        hours = _hours(played)
        told(f"{rate:g} calls a second, pass {scans}: {left:,} nodes left, {hours:.2f} h")
        while tick < played.clock():
            tick += EVERY
    change = _figures(played, rate, scans, busy, time.process_time() - began)
    broken += of_whole(played, scans)
    played.clock.wait_until(tick)
    quiet = _pass(played, played.clock() + DEADLINE)
    broken += of_quiet(quiet.report, quiet.texts)
    gc.unfreeze()
    return Played(change, tuple(broken))


def _pass(played: Service, deadline: datetime) -> Part:
    texts, files = len(played.channel.texts), len(played.files.stored)
    (report,) = run_scans(played.context, deadline)
    return Part(
        report=report,
        in_time=played.clock() <= deadline,
        texts=played.channel.texts[texts:],
        csvs=list(played.files.stored.values())[files:],
        left=played.left,
    )


def _hours(played: Service) -> float:
    return (played.clock() - START).total_seconds() / 3600


def _figures(played: Service, rate: float, scans: int, busy: float, cpu: float) -> Change:
    meter = played.meter
    cost = dollars(
        scans=scans, lambda_seconds=busy, reads=meter.read_units, writes=meter.write_units
    )
    return Change(
        rate=rate,
        scans=scans,
        hours=round(_hours(played), 2),
        lambda_seconds=round(busy),
        summary_calls=played.ssm.calls[SUMMARIES],
        item_calls=played.ssm.calls[ITEMS],
        dynamodb_calls=meter.calls.total(),
        read_units=round(meter.read_units),
        write_units=round(meter.write_units),
        messages=len(played.channel.texts),
        cpu_seconds=round(cpu, 1),
        dollars=round(cost, 2),
    )
