"""Real processes: two at once, and one that is killed during a scan."""

import json
import os
import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from random import Random
from typing import TYPE_CHECKING

import pytest

from chalicelib.usecases.run import run_scans
from tests.engines.engines import Engines, build_node_id
from tests.engines.proxy import ANY_CALL, Call, Fault, process_only, run_before

if TYPE_CHECKING:
    import subprocess

pytestmark = [pytest.mark.enable_socket, pytest.mark.xdist_group("dynamodb-local")]

RecordProperty = Callable[[str, str], None]
Pairs = list[tuple[str, str]]
LAMBDA_TIMEOUT = timedelta(minutes=15)
# Seconds that a process may take.
PROCESS_TIMEOUT = 60
# `KILLS=100` kills at every point there is.
KILLS, SEED = int(os.environ.get("KILLS", "10")), 376
LIST = "ListResourceComplianceSummaries"


def seconds_ago(seconds: int) -> str:
    return (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat()


def read_response(process: "subprocess.Popen[str]") -> dict[str, list[object] | bool]:
    """Waits for the process and returns the response of its handler."""
    output, errors = process.communicate(timeout=PROCESS_TIMEOUT)
    assert process.returncode == 0, errors
    response: dict[str, list[object] | bool] = json.loads(output)
    return response


def report_fleet(engines: Engines) -> Pairs:
    """Lets three nodes report forty titles each; returns the expected findings."""
    titles = [f"title {number}" for number in range(40)]
    for node in range(3):
        engines.report(node, titles)
    return sorted((build_node_id(node), title) for node in range(3) for title in titles)


# Two at once


def test_a_second_process_leaves_its_job_to_the_first(engines: Engines) -> None:
    expected = report_fleet(engines)
    second: list[object] = []

    def run_second() -> None:
        second.append(read_response(engines.start_process("scan", seconds_ago(5))))

    engines.faults.plan(LIST, run_before(run_second), 1)
    first = read_response(engines.start_process("scan", seconds_ago(10)))

    assert second == [{"busy": True, "scans": []}]
    assert isinstance(first["scans"], list)
    assert len(first["scans"]) == 2
    assert engines.list_findings() == engines.list_announced() == expected
    assert engines.list_headers() == ["120 new non-compliant findings"]
    assert (engines.is_work_done(), engines.count_completed_jobs()) == (True, 2)


def test_two_processes_at_once_announce_everything_once(engines: Engines) -> None:
    expected = report_fleet(engines)

    both = [engines.start_process("scan", seconds_ago(number)) for number in (5, 10)]
    responses = [read_response(each) for each in both]

    assert any(not response["busy"] for response in responses)
    assert engines.list_findings() == engines.list_announced() == expected
    assert engines.list_headers() == ["120 new non-compliant findings"]
    assert (engines.is_work_done(), engines.count_completed_jobs()) == (True, 2)


# Killed


class Moment(StrEnum):
    """When the process dies: before, during or after a call."""

    BEFORE = "before"
    DURING = "during"
    AFTER = "after"


@dataclass(frozen=True)
class Expected:
    """What must be stored and what must be announced in the end."""

    stored: Pairs
    new: Pairs


@dataclass(frozen=True)
class Point:
    """A call, counted from 1, at which the process dies."""

    call: int
    operation: str
    moment: Moment


def prepare_fleet(engines: Engines) -> Expected:
    """Prepares three nodes with ten fixed and ten new findings each, and a fourth, new node."""
    engines.reset()
    for node in range(3):
        engines.report(node, [f"title {number}" for number in range(20)])
    engines.scan(nodes=3)
    engines.slack.reset()
    engines.faults.clear()
    for node in range(3):
        engines.report(node, [f"title {number}" for number in range(10, 30)], "run-2")
    engines.report(3, [f"title {number}" for number in range(20, 30)], "run-2")
    new = [
        (build_node_id(node), f"title {number}") for node in range(4) for number in range(20, 30)
    ]
    old = [
        (build_node_id(node), f"title {number}") for node in range(3) for number in range(10, 20)
    ]
    return Expected(sorted([*old, *new]), sorted(new))


def list_points(calls: list[str]) -> list[Point]:
    """Lists every point at which a process can die. Only a batch of rows can be half done."""
    return [
        Point(number, operation, moment)
        for number, operation in enumerate(calls, 1)
        for moment in Moment
        if moment is not Moment.DURING or operation == "BatchWriteItem"
    ]


def kill_at(process: "subprocess.Popen[str]", moment: Moment) -> Fault:
    """Returns a fault that kills the process before, during or after its call."""

    def kill(call: Call) -> None:
        if moment is Moment.DURING:
            process_only(5)(call)
        elif moment is Moment.AFTER:
            call.forward()
        process.kill()
        process.wait(PROCESS_TIMEOUT)

    return kill


def run_and_kill(engines: Engines, point: Point) -> None:
    """Starts a scan and kills it."""
    process = engines.start_process("scan", seconds_ago(10))
    engines.faults.plan(ANY_CALL, kill_at(process, point.moment), point.call)
    process.communicate(timeout=PROCESS_TIMEOUT)
    assert process.returncode == -signal.SIGKILL
    assert engines.faults.calls[point.call - 1] == point.operation
    engines.faults.clear()


def run_reconciles(engines: Engines) -> None:
    """Runs reconcile three times, 15 minutes apart, once the lease of the dead process ended."""
    if engines.is_lease_taken():
        assert run_scans(engines.build_context(), datetime.now(UTC) + LAMBDA_TIMEOUT) == ()
    for minutes in (16, 31, 46):
        context = engines.build_context(timedelta(minutes=minutes))
        for report in run_scans(context, context.clock() + LAMBDA_TIMEOUT):
            assert report.failure is None


def list_broken_promises(engines: Engines, expected: Expected) -> list[str]:
    """Lists what was lost, and more than one duplicate."""
    broken = []
    if engines.list_findings() != expected.stored:
        broken.append(f"stored {engines.list_findings()}")
    if not engines.is_work_done():
        broken.append(f"open {engines.read_open_work()}")
    headers, files = engines.list_headers(), engines.list_files()
    if set(headers) != {f"{len(expected.new)} new non-compliant findings"}:
        broken.append(f"posted {headers}")
    duplicates = len(headers) - 1 + len(files) - 1
    if duplicates not in {0, 1}:
        broken.append(f"{len(headers)} posts and {len(files)} files")
    announced = Counter(engines.list_announced())
    if announced != Counter(dict.fromkeys(expected.new, len(files))):
        broken.append(f"announced {announced}")
    return broken


def test_a_killed_process_loses_nothing_and_duplicates_one_alert_at_most(
    engines: Engines, record_property: RecordProperty
) -> None:
    expected = prepare_fleet(engines)
    read_response(engines.start_process("scan", seconds_ago(10)))
    points = list_points(engines.faults.calls)
    assert list_broken_promises(engines, expected) == []

    broken = {}
    chosen = Random(SEED).sample(points, min(KILLS, len(points)))  # noqa: S311 - guards nothing
    for point in chosen:
        expected = prepare_fleet(engines)
        run_and_kill(engines, point)
        run_reconciles(engines)
        promises = list_broken_promises(engines, expected)
        if promises:
            broken[point] = promises

    record_property("summary", f"kill test: {len(chosen) - len(broken)} of {len(chosen)}")
    assert broken == {}
