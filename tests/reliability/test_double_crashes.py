"""Interrupts a scan at any call, and the scan that repairs it at any call, while nodes report."""

import random
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass

import pytest

from chalicelib.usecases.context import Bounds
from chalicelib.usecases.run import run_scans
from tests.effort import examples
from tests.fleet import HOUR, MINUTE, START, Service
from tests.reliability.consistency import find_inconsistencies
from tests.reliability.crashing import BATCH_WRITES, CrashPoint, Fuse, Moment
from tests.reliability.model import Model
from tests.reliability.stories import LAMBDA, run_until_crash

# Everything is split that can be, or some of it in the middle of a node, or nothing.
BOUNDS = {
    "ones": Bounds(chunk_pages=1, gone_nodes=1, facts_a_row=1, ids_a_mark=1, unmarked_rows=0),
    "odd": Bounds(chunk_pages=2, gone_nodes=2, facts_a_row=2, ids_a_mark=4, unmarked_rows=6),
    "marked": Bounds(unmarked_rows=0),
    "usual": Bounds(),
}
MOMENTS = (Moment.BEFORE, Moment.DURING, Moment.AFTER, Moment.LOST)
RECOVERY = 7
NEW = ("new", "new 2", "new 3")
RecordProperty = Callable[[str, str], None]


@dataclass
class Fleet:
    """A service whose nodes change, with the model of what it announces. Number the executions."""

    service: Service
    model: Model
    runs: int = 1

    def report(self, node: str, *letters: str, severity: str = "HIGH") -> None:
        self.runs += 1
        titles = (f"{node}/{letter}" for letter in letters)
        self.service.report(node, *titles, run=f"run-{self.runs}", severity=severity)

    def crash(self, fuse: Fuse) -> None:
        began = self.service.clock.now
        run_until_crash(self.service, fuse)
        self.model.observe(began)
        self.service.clock.forward(LAMBDA + MINUTE)

    def recover(self) -> None:
        for _ in range(RECOVERY):
            began = self.service.clock.now
            run_scans(self.service.context, began + LAMBDA)
            self.model.observe(began)
            self.service.clock.forward(LAMBDA + MINUTE)


def make_fleet(bounds: Bounds) -> Fleet:
    """A fleet whose next scan finds every kind of change. The snoozed finding is fixed."""
    service = Service(bounds=bounds)
    fleet = Fleet(service, Model(service))
    fleet.report("i-1", "stays", "fixed", "fixed too", "worse")
    fleet.report("i-2", "gone", "gone too")
    fleet.recover()
    service.add_snooze(title="i-1/fixed", until_resolved=True, ends_at=None, created_at=START)
    service.compliance.remove("i-2")
    fleet.recover()
    assert service.list_titles("i-2") == []
    return fleet


def change_fleet(fleet: Fleet) -> None:
    """What the first scan finds: new, fixed, another severity, a new node and a gone one."""
    fleet.report("i-2", "gone", "gone too")
    fleet.crash(Fuse())
    fleet.service.compliance.remove("i-2")
    fleet.crash(Fuse())
    fleet.service.clock.forward(HOUR)
    fleet.report("i-1", "stays", "worse", *NEW, severity="CRITICAL")
    fleet.report("i-3", "new")


def keep(fleet: Fleet) -> None:
    """Nothing happens."""


def repeat(fleet: Fleet) -> None:
    """The nodes report the same in a new execution."""
    fleet.report("i-1", "stays", "worse", *NEW, severity="CRITICAL")
    fleet.report("i-3", "new")


def revert(fleet: Fleet) -> None:
    """Everything is as before the change: what was fixed fails again, what was new is fixed."""
    fleet.report("i-1", "stays", "fixed", "fixed too", "worse")
    fleet.report("i-2", "gone", "gone too")
    fleet.report("i-3")


def leave(fleet: Fleet) -> None:
    """The new node leaves before anything of it was settled, and another one has changed again."""
    fleet.service.compliance.remove("i-3")
    fleet.report("i-1", "fixed", "new", severity="LOW")


def turn(fleet: Fleet) -> None:
    """A finding is fixed, another is new, at every point, and a node comes or goes."""
    fleet.report("i-1", "stays", f"turn {fleet.runs}")
    if fleet.runs % 2:
        fleet.service.compliance.remove("i-3")
    else:
        fleet.report("i-3", f"turn {fleet.runs}")
    fleet.report("i-4", "stays", f"turn {fleet.runs}")


EVENTS = {each.__name__: each for each in (keep, repeat, revert, leave, turn)}


def list_crashes(calls: list[str]) -> list[CrashPoint]:
    return [
        CrashPoint(number, moment)
        for number, name in enumerate(calls, 1)
        for moment in MOMENTS
        if moment is not Moment.DURING or name in BATCH_WRITES
    ]


def crash_once(
    between: str, bounds: Bounds
) -> Iterator[tuple[CrashPoint, Fleet, list[CrashPoint]]]:
    """Yields a fleet whose scan died, for every point, and the points of the next scan."""
    start = make_fleet(bounds)
    change_fleet(start)
    probe, fuse = deepcopy(start), Fuse()
    probe.crash(fuse)
    for point in list_crashes(fuse.calls):
        fleet = deepcopy(start)
        fleet.crash(Fuse(point))
        EVENTS[between](fleet)
        probe, fuse = deepcopy(fleet), Fuse()
        probe.crash(fuse)
        yield point, fleet, list_crashes(fuse.calls)


@pytest.mark.parametrize("bounds", BOUNDS)
@pytest.mark.parametrize("between", EVENTS)
def test_two_crashes_lose_nothing_and_leave_no_trace(
    between: str, bounds: str, record_property: RecordProperty
) -> None:
    draw = random.Random(f"{between} {bounds}")  # noqa: S311 - the same choice in every run
    broken: dict[tuple[CrashPoint, CrashPoint, str], list[str]] = {}
    tried = 0
    for first, fleet, points in crash_once(between, BOUNDS[bounds]):
        for second in draw.sample(points, min(len(points), examples(1, soak=12))):
            for last in draw.sample(sorted(EVENTS), examples(1, soak=2)):
                copy = deepcopy(fleet)
                copy.crash(Fuse(second))
                EVENTS[last](copy)
                copy.recover()
                tried += 1
                found = [*copy.model.find_errors(), *find_inconsistencies(copy.service)]
                if copy.service.ledger.marks:
                    found.append("a mark is left")
                if found:
                    broken[first, second, last] = found

    record_property("summary", f"{between}, {bounds}: {tried} pairs of crash points tried")
    assert broken == {}
