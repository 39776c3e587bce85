"""Real processes: two at once, and one that is killed in the middle."""

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
from tests.engines.engines import Engines, node_id
from tests.engines.proxy import ANY_CALL, Call, Fault, meanwhile, unprocessed

if TYPE_CHECKING:
    import subprocess

pytestmark = pytest.mark.enable_socket

Tell = Callable[[str, str], None]
Pairs = list[tuple[str, str]]
LAMBDA = timedelta(minutes=15)
SECONDS = 60
# `KILLS=100` kills at every point there is.
KILLS, SEED = int(os.environ.get("KILLS", "10")), 376
LIST = "ListResourceComplianceSummaries"


def seconds_ago(seconds: int) -> str:
    return (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat()


def answer_of(process: "subprocess.Popen[str]") -> dict[str, list[object] | bool]:
    told, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, errors
    answer: dict[str, list[object] | bool] = json.loads(told)
    return answer


def fleet(engines: Engines) -> Pairs:
    titles = [f"title {number}" for number in range(40)]
    for node in range(3):
        engines.report(node, titles)
    return sorted((node_id(node), title) for node in range(3) for title in titles)


# Two at once


def test_who_comes_second_leaves_what_it_owes_to_the_first(engines: Engines) -> None:
    expected = fleet(engines)
    second: list[object] = []

    def come() -> None:
        second.append(answer_of(engines.start("scan", seconds_ago(5))))

    engines.faults.at(LIST, meanwhile(come), 1)
    first = answer_of(engines.start("scan", seconds_ago(10)))
    assert second == [{"busy": True, "scans": []}]
    assert isinstance(first["scans"], list)
    assert len(first["scans"]) == 2
    assert engines.stored() == engines.announced() == expected
    assert engines.posts() == ["120 new non-compliant findings"]
    assert (engines.settled(), engines.completed()) == (True, 2)


def test_two_at_once_tell_everything_once(engines: Engines) -> None:
    expected = fleet(engines)
    both = [engines.start("scan", seconds_ago(number)) for number in (5, 10)]
    answers = [answer_of(each) for each in both]
    assert any(not answer["busy"] for answer in answers)
    assert engines.stored() == engines.announced() == expected
    assert engines.posts() == ["120 new non-compliant findings"]
    assert (engines.settled(), engines.completed()) == (True, 2)


# Killed


class Moment(StrEnum):
    """When the process dies: half way through is only for a batch of rows."""

    BEFORE = "before"
    HALF = "half way through"
    AFTER = "after"


@dataclass(frozen=True)
class Story:
    """What must be stored in the end, and what must be told."""

    stored: Pairs
    new: Pairs


def story(engines: Engines) -> Story:
    """Three nodes: ten findings of each are fixed, ten are new, and a fourth node is new."""
    engines.reset()
    for node in range(3):
        engines.report(node, [f"title {number}" for number in range(20)])
    engines.scan(nodes=3)
    engines.slack.reset()
    engines.faults.end()
    for node in range(3):
        engines.report(node, [f"title {number}" for number in range(10, 30)], "run-2")
    engines.report(3, [f"title {number}" for number in range(20, 30)], "run-2")
    new = [(node_id(node), f"title {number}") for node in range(4) for number in range(20, 30)]
    old = [(node_id(node), f"title {number}") for node in range(3) for number in range(10, 20)]
    return Story(sorted([*old, *new]), sorted(new))


@dataclass(frozen=True)
class Point:
    """A call, counted from 1, at which the process dies."""

    call: int
    operation: str
    moment: Moment


def points_of(calls: list[str]) -> list[Point]:
    return [
        Point(number, operation, moment)
        for number, operation in enumerate(calls, 1)
        for moment in Moment
        if moment is not Moment.HALF or operation == "BatchWriteItem"
    ]


def killing(process: "subprocess.Popen[str]", moment: Moment) -> Fault:
    def kill(call: Call) -> None:
        if moment is Moment.HALF:
            unprocessed(5)(call)
        elif moment is Moment.AFTER:
            call.forward()
        process.kill()
        process.wait(SECONDS)

    return kill


def kill(engines: Engines, point: Point) -> None:
    """Start a scan and kill it."""
    process = engines.start("scan", seconds_ago(10))
    engines.faults.at(ANY_CALL, killing(process, point.moment), point.call)
    process.communicate(timeout=SECONDS)
    assert process.returncode == -signal.SIGKILL
    assert engines.faults.calls[point.call - 1] == point.operation
    engines.faults.end()


def recover(engines: Engines) -> None:
    """Reconcile comes every 15 minutes; the dead process holds its lease until the first."""
    if engines.is_held():
        assert run_scans(engines.context(), datetime.now(UTC) + LAMBDA) == ()
    for minutes in (16, 31, 46):
        context = engines.context(timedelta(minutes=minutes))
        for report in run_scans(context, context.clock() + LAMBDA):
            assert report.failure is None


def faults(engines: Engines, wanted: Story) -> list[str]:
    """What is not as it was promised: nothing lost, one double at most."""
    found = []
    if engines.stored() != wanted.stored:
        found.append(f"stored {engines.stored()}")
    if not engines.settled():
        found.append(f"left {engines.open_work()}")
    posts, files = engines.posts(), engines.files()
    if set(posts) != {f"{len(wanted.new)} new non-compliant findings"}:
        found.append(f"said {posts}")
    doubles = len(posts) - 1 + len(files) - 1
    if doubles not in {0, 1}:
        found.append(f"{len(posts)} posts and {len(files)} files")
    told = Counter(engines.announced())
    if told != Counter(dict.fromkeys(wanted.new, len(files))):
        found.append(f"told {told}")
    return found


def test_who_is_killed_loses_nothing_and_doubles_one_alert_at_most(
    engines: Engines, record_property: Tell
) -> None:
    wanted = story(engines)
    answer_of(engines.start("scan", seconds_ago(10)))
    points = points_of(engines.faults.calls)
    assert faults(engines, wanted) == []
    chosen = Random(SEED).sample(points, min(KILLS, len(points)))  # noqa: S311 - guards nothing
    broken = {}
    for point in chosen:
        wanted = story(engines)
        kill(engines, point)
        recover(engines)
        found = faults(engines, wanted)
        if found:
            broken[point] = found
    record_property("summary", f"kill test: {len(chosen) - len(broken)} of {len(chosen)}")
    assert broken == {}
