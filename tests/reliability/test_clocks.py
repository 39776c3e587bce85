"""Clocks that jump, scans over midnight: nothing is lost, announced twice, or stuck."""

from datetime import timedelta

import pytest

from tests.fleet import DAY, HOUR, MINUTE, START, FakeClock, Service
from tests.reliability.consistency import find_inconsistencies
from tests.reliability.crashing import Fuse, list_points
from tests.reliability.model import count_titles, count_unrecorded_posts
from tests.reliability.stories import LAMBDA, run_until_crash

# The next scan after the lease of a dead one has ended; and a clock that was ahead and is right.
JUMPS = {"on": LAMBDA + MINUTE, "back a day": -DAY, "ahead 100 days": 100 * DAY}


def make_service() -> Service:
    service = Service(FakeClock(START + 15 * HOUR + 59 * MINUTE + timedelta(seconds=59)))
    service.report("i-1", "i-1/A", "i-1/fixed")
    service.report("i-2", "i-2/gone")
    service.run()
    service.compliance.remove("i-2")
    service.run()
    service.clock.forward(HOUR)
    service.report("i-1", "i-1/A", "i-1/B", run="run-2")
    return service


@pytest.mark.parametrize("jump", JUMPS)
def test_a_clock_that_jumps_after_a_crash_loses_nothing_and_repeats_nothing(jump: str) -> None:
    broken = {}
    for point in list_points(run_until_crash(make_service(), Fuse())):
        service = make_service()
        run_until_crash(service, Fuse(point))
        repeated = count_unrecorded_posts(service)
        service.clock.forward(JUMPS[jump])
        service.report("i-1", "i-1/A", "i-1/B", "i-1/C", run="run-3")
        service.run()
        # until the clock is where it was, and the hour of a gone node is over
        for time in (DAY + HOUR, 2 * HOUR):
            service.clock.forward(time)
            service.run()
        errors = find_inconsistencies(service)
        announced = count_titles(service.messages)
        if announced.keys() != {"i-1/A", "i-1/B", "i-1/C", "i-1/fixed", "i-2/gone"}:
            errors.append(f"announced {announced}")
        if sum(announced.values()) > len(announced) + repeated:
            errors.append(f"announced twice {announced}")
        if service.list_titles() != ["i-1/A", "i-1/B", "i-1/C"]:
            errors.append(f"stored {service.list_titles()}")
        if service.ledger.marks or service.ledger.messages:
            errors.append("unfinished")
        if errors:
            broken[point] = errors

    assert broken == {}


def test_a_scan_over_midnight_keeps_its_facts_in_order() -> None:
    service = Service(FakeClock(START.replace(hour=23, minute=59)))
    for number in range(5):
        service.report("i-1", *(f"i-1/{each}" for each in range(number)), run=f"run-{number}")
        service.run()
        service.clock.forward(timedelta(seconds=25))

    assert len({row.day for row in service.ledger.facts.values()}) == 2
    assert find_inconsistencies(service) == []
    assert set(count_titles(service.messages).values()) == {1}
