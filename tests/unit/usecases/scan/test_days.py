"""The day in numbers that a scan writes with its decision."""

from datetime import datetime
from typing import Any

import pytest
from msgspec.structs import replace

from chalicelib.domain.errors import Unavailable
from chalicelib.domain.finding import Severity, Title
from chalicelib.domain.history import EventKind
from chalicelib.domain.scan import Day
from chalicelib.usecases.context import Bounds
from chalicelib.usecases.ports import Staged, Work
from tests.fakes import MemoryTitles, PassThrough
from tests.fleet import DAY, HOUR, MINUTE, Service
from tests.reliability.consistency import find_inconsistencies


class CountedTitles(MemoryTitles):
    """Counts how often all titles are read. May refuse."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0
        self.refuses = False

    def all(self) -> dict[str, Title]:
        """Returns every title, by its reference."""
        self.reads += 1
        if self.refuses:
            raise Unavailable("DynamoDB does not answer")
        return dict(super().all())


class WatchedWork(PassThrough):
    """Lists the day of each decision."""

    def __init__(self, port: Work) -> None:
        super().__init__(port)
        self.days: list[Day | None] = []

    def stage(self, staged: Staged, now: datetime) -> None:
        """Writes a decision."""
        self.days.append(staged.day)
        self.port.stage(staged, now)


class FailingWork(PassThrough):
    """Writes no decision."""

    def stage(self, *_: object) -> None:
        """Refuses a decision."""
        raise Unavailable("DynamoDB does not answer")


def get_day(service: Service) -> Day:
    return service.ledger.days[max(service.ledger.days)]


def count_muted(service: Service) -> int:
    muted = get_day(service).muted
    assert muted is not None
    return muted.findings


def test_a_day_counts_what_its_scans_did() -> None:
    service = Service()
    service.report("i-1", "A", "B", "C")
    service.report("i-2", "A", severity="LOW")
    service.run()
    service.clock.forward(HOUR)
    service.report("i-1", "A", "D", run="run-2", passed=["B"])
    service.run()

    day = get_day(service)

    assert day.open == {Severity.HIGH: 2, Severity.LOW: 1}
    assert (day.unchecked, day.nodes_known, day.nodes_reported) == (1, 2, 2)
    assert (day.count(EventKind.NEW), day.count(EventKind.FIXED)) == (5, 1)
    assert find_inconsistencies(service) == []


def test_a_day_on_which_nothing_ran_says_so_and_is_written_once() -> None:
    service = Service()
    service.report("i-1", "A")
    service.run()
    service.clock.forward(DAY)
    work = WatchedWork(service.context.work)
    for _ in range(3):
        service.run(work=work)
        service.clock.forward(MINUTE)

    first, *later = work.days
    assert first is not None
    assert (first.nodes_known, first.nodes_reported, first.changes) == (1, 0, {})
    assert first.open == {Severity.HIGH: 1}
    assert later == [None, None]


@pytest.mark.parametrize(("days", "title"), [(9, "A"), (9, "B"), (0, "A")])
def test_the_age_of_what_is_fixed_counts_from_its_first_sight(days: int, title: str) -> None:
    service = Service()
    service.report("i-1", "A", "B")
    service.run()
    service.clock.forward(days * DAY + HOUR)
    rest = {"A": "B", "B": "A"}[title]
    service.report("i-1", rest, run="run-2", passed=[title])
    service.run()

    assert get_day(service).fixed_ages == {days: 1}


def test_the_age_of_what_was_not_checked_meanwhile_counts_from_its_first_sight() -> None:
    service = Service()
    service.report("i-1", "A", "B")
    service.run()
    service.clock.forward(3 * DAY)
    service.report("i-1", "B", run="run-2", passed=[])
    service.run()
    assert get_day(service).unchecked == 1
    service.clock.forward(4 * DAY)
    service.report("i-1", "B", run="run-3", passed=["A"])
    service.run()

    assert get_day(service).count(EventKind.FIXED) == 1
    assert get_day(service).fixed_ages == {7: 1}


SCOPES: list[tuple[dict[str, Any], int]] = [
    ({"title": "A"}, 1),
    ({"title": None}, 2),
    ({"instance_id": None, "title": "A"}, 3),
    ({"instance_id": None, "title": None, "title_pattern": "*"}, 5),
    ({"instance_id": None, "title": None, "control_id": "ssh-01"}, 5),
    ({"instance_id": None, "title": None, "control_id": "ssh"}, 0),
    ({"instance_id": None, "title": "A", "max_severity": Severity.LOW}, 0),
]


@pytest.mark.parametrize(("scope", "muted"), SCOPES)
@pytest.mark.parametrize("counted_nodes", [1, 2, 100])
def test_findings_that_a_snooze_mutes_are_counted(
    scope: dict[str, Any], muted: int, counted_nodes: int
) -> None:
    service = Service(bounds=Bounds(counted_nodes=counted_nodes))
    service.report("i-1", "A", "B")
    service.report("i-2", "A", "B")
    service.report("i-3", "A")
    service.add_snooze(**scope)
    service.run()

    assert count_muted(service) == muted
    assert find_inconsistencies(service) == []


def test_a_finding_that_several_snoozes_mute_counts_once() -> None:
    service = Service()
    service.report("i-1", "A", "B")
    service.add_snooze(id="s-1", title="A")
    service.add_snooze(id="s-2", title=None)
    service.run()

    assert count_muted(service) == 2


def test_what_snoozes_mute_is_counted_anew_only_if_findings_or_snoozes_changed() -> None:
    titles = CountedTitles()
    service = Service(titles=titles)
    service.report("i-1", "A", "B")
    service.run()
    titles.reads = 0
    assert count_muted(service) == 0

    snooze = service.add_snooze(title="A")
    service.run()
    assert (count_muted(service), titles.reads) == (1, 1)

    service.clock.forward(MINUTE)
    service.report("i-1", "A", "B", run="run-2")
    service.run()
    assert (count_muted(service), titles.reads) == (1, 1)

    service.clock.forward(MINUTE)
    service.report("i-1", "B", run="run-3")
    service.run()
    # it names what was fixed as well
    assert (count_muted(service), titles.reads) == (0, 2)

    service.ledger.snoozes[snooze.id] = replace(snooze, title="B", version=2)
    service.run()
    assert (count_muted(service), titles.reads) == (1, 3)

    service.clock.forward(300 * DAY)
    service.run()
    assert count_muted(service) == 0


def test_a_scan_that_cannot_count_what_is_muted_announces_all_the_same() -> None:
    titles = CountedTitles()
    service = Service(titles=titles)
    service.report("i-1", "A", "B")
    service.add_snooze(title="A")
    service.run()
    assert count_muted(service) == 1

    service.add_snooze(id="s-2", title="B")
    titles.refuses = True
    service.enqueue()
    service.clock.forward(MINUTE)
    report = service.run()
    assert report.failure is None
    assert count_muted(service) == 1

    titles.refuses = False
    service.run()
    assert count_muted(service) == 2


def test_the_facts_of_a_scan_that_could_not_announce_are_counted_by_the_next() -> None:
    service = Service()
    service.report("i-1", "A", "B")

    failed = service.run(work=FailingWork(service.context.work))
    assert failed.failure is not None
    assert service.ledger.days == {}

    service.clock.forward(MINUTE)
    service.run()

    assert get_day(service).count(EventKind.NEW) == 2
    assert find_inconsistencies(service) == []
