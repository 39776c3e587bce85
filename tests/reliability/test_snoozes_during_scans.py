"""People snooze while a scan runs: no snooze outlives a fix, and people make no scan fail."""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from chalicelib.domain.errors import Conflict, NotFound, Unavailable
from chalicelib.domain.finding import finding_id
from chalicelib.domain.history import EventKind
from chalicelib.domain.snooze import Reason, Scope, Snooze, State
from chalicelib.domain.snooze_rules import SnoozeChange, SnoozeEnd, SnoozeTerms
from chalicelib.usecases.context import Author, Bounds
from chalicelib.usecases.inbox.snoozes import (
    change_snooze,
    create_snooze,
    end_snooze,
    snooze_finding,
)
from chalicelib.usecases.run import ScanReport, run_scans
from tests.effort import examples
from tests.fakes import PassThrough
from tests.fleet import DAY, MINUTE, START, Service
from tests.reliability.crashing import CRASHES, CrashedError, CrashPoint, Faults, Fuse, add_fuse

ONCALL = Author("oncall")
FIXED = finding_id("i-1", "fixed")
FOREVER = SnoozeTerms(
    SnoozeEnd(permanent=True), Reason.ACCEPTED_RISK, "ticket 42", until_resolved=True
)
BOUNDS = [Bounds(), Bounds(unmarked_rows=0)]
FIX = EventKind.FIXED
# The calls that can delete a finding.
FIX_WRITES = ("findings.delete", "facts.settle")
Act = Callable[[Service], object]


def make_service(bounds: Bounds | None = None, **snooze: Any) -> Service:
    """A service before a scan that finds a fix on one node and something new on another.

    `snooze` are fields of a snooze of the finding that is fixed, if there is one.
    """
    service = Service(bounds=bounds or Bounds())
    service.report("i-1", "fixed")
    service.report("i-2")
    service.run()
    if snooze:
        service.add_snooze(title="fixed", **snooze)
    service.clock.forward(MINUTE)
    service.report("i-1", run="run-2")
    service.report("i-2", "critical", run="run-2", severity="CRITICAL")
    return service


def scan(service: Service, fuse: Fuse) -> ScanReport:
    """Runs one scan, in which the fuse does something."""
    context = add_fuse(service.context, fuse)
    (report,) = run_scans(context, service.clock.now + 15 * MINUTE)
    return report


def list_calls(service: Service) -> list[str]:
    """Lists the calls of a scan until its announcement is written, with this one."""
    fuse = Fuse()
    scan(service, fuse)
    return fuse.calls[: fuse.calls.index("work.stage") + 1]


def put(service: Service) -> None:
    """Snoozes the finding until its fix, if it is stored."""
    with suppress(NotFound):
        snooze_finding(service.inbox, FIXED, FOREVER, None, ONCALL)


def post(service: Service) -> None:
    """Makes the same rule, whether the finding is stored or not."""
    create_snooze(service.inbox, Scope("i-1", "fixed"), FOREVER, ONCALL)


def patch(service: Service) -> None:
    """Changes the comment of every snooze that has not ended."""
    for each in service.inbox.snoozes.unsettled():
        if each.state(service.clock.now) is not State.ENDED:
            comment = SnoozeChange(comment=f"ticket {each.version}")
            change_snooze(service.inbox, each.id, comment, None, ONCALL)


def delete(service: Service) -> None:
    """Ends every snooze."""
    for each in service.inbox.snoozes.unsettled():
        end_snooze(service.inbox, each.id, None, ONCALL)


def list_outlived(service: Service) -> list[Snooze]:
    """Lists the `until_resolved` snoozes that have not ended."""
    snoozes = service.inbox.snoozes.all()
    now = service.clock.now
    return [each for each in snoozes if each.until_resolved and each.state(now) is State.ACTIVE]


@pytest.mark.parametrize("bounds", BOUNDS, ids=["small", "marked"])
@pytest.mark.parametrize("act", [put, post, patch])
def test_a_snooze_of_any_moment_of_a_scan_ends_with_the_fix_that_the_scan_writes(
    bounds: Bounds, act: Act
) -> None:
    snooze: dict[str, Any] = {"until_resolved": True, "ends_at": None} if act is patch else {}
    calls = list_calls(make_service(bounds, **snooze))
    broken: list[str] = []

    for number, call in enumerate(calls, 1):
        service = make_service(bounds, **snooze)
        fuse = Fuse(meanwhile=(number, partial(act, service)))
        report = scan(service, fuse)
        if report.failure or service.messages[1:] != ["new: critical"]:
            broken.append(f"{number} {call}: {report.failure}, {service.messages}")
        if list_outlived(service):
            broken.append(f"{number} {call}: outlived the fix")
        service.report("i-1", "fixed", run="run-3")
        service.run()
        if service.messages[2:] != ["new: fixed"]:
            broken.append(f"{number} {call}: {service.messages}")

    assert len(calls) > 8
    assert broken == []


def test_a_snooze_that_becomes_until_resolved_during_a_scan_ends_with_its_fix() -> None:
    calls = list_calls(make_service(until_resolved=False, ends_at=None))

    for number in range(1, len(calls) + 1):
        service = make_service(until_resolved=False, ends_at=None)
        before = service.list_titles("i-1")
        scan(service, Fuse(meanwhile=(number, partial(put, service))))
        assert before == ["fixed"]
        assert list_outlived(service) == []


@pytest.mark.parametrize("bounds", BOUNDS, ids=["small", "marked"])
def test_a_snooze_from_before_a_fix_ends_with_it_even_if_the_scan_dies(bounds: Bounds) -> None:
    calls = list_calls(make_service(bounds))
    first_write = min(calls.index(each) for each in calls if each in FIX_WRITES)
    broken = []

    for made, died in product(range(1, first_write + 2), range(1, len(calls) + 1)):
        for moment in CRASHES if made <= died else ():
            service = make_service(bounds)
            point = CrashPoint(died, moment)
            with suppress(CrashedError):
                scan(service, Fuse(point, meanwhile=(made, partial(post, service))))
            service.clock.forward(16 * MINUTE)
            service.report("i-1", "fixed", run="run-3")
            service.run()
            keys = [key for row in service.ledger.facts.values() for key in row.list_keys(FIX)]
            was_announced = any("fixed" in text for text in service.messages[1:])
            if {bool(keys)} != {not list_outlived(service), was_announced}:
                broken.append((made, point, service.messages))

    assert broken == []


def test_a_snooze_that_cannot_be_ended_is_ended_by_the_next_scan() -> None:
    service = make_service(until_resolved=True, ends_at=None)

    for call in ("snoozes.save", "facts.rows", "snoozes.unsettled"):
        report = scan(service, Fuse(faults=Faults(failing=Counter({call: 2}))))
        assert report.failure is None or call == "snoozes.unsettled"

    service.run()
    service.report("i-1", "fixed", run="run-3")
    service.run()

    assert service.messages[1:] == ["new: critical", "new: fixed"]


def test_a_snooze_that_somebody_else_always_changes_stops_no_other_node() -> None:
    class AlwaysConflicts(PassThrough):
        def save(self, *_: object) -> None:
            raise Conflict("another writer was first")

    service = make_service(until_resolved=True, ends_at=None)

    report = service.run(snoozes=AlwaysConflicts(service.context.snoozes))

    assert report.failure is None
    assert service.messages[1:] == ["new: critical"]
    assert list_outlived(service) != []

    service.run()

    assert list_outlived(service) == []


def test_of_many_snoozes_only_the_changed_one_is_read_again() -> None:
    class OvertakenOnce(PassThrough):
        def __init__(self, port: Any) -> None:
            super().__init__(port)
            self.saved: list[str] = []

        def save(self, snooze: Snooze) -> None:
            self.saved.append(snooze.id)
            if self.saved == ["s-1"]:
                patch(service)
            self.port.save(snooze)

    service = make_service(until_resolved=True, ends_at=None)
    service.add_snooze(id="s-2", title="fixed", until_resolved=True)
    snoozes = OvertakenOnce(service.context.snoozes)

    service.run(snoozes=snoozes)

    # the first change is that of both snoozes
    assert snoozes.saved == ["s-1", "s-2", "s-1", "s-2"]
    assert list_outlived(service) == []


def test_a_snooze_of_a_finding_that_came_back_is_not_ended_by_the_fix_before() -> None:
    class FailsToStage(PassThrough):
        def stage(self, *_: object) -> None:
            raise Unavailable("the ledger did not answer")

    service = make_service(until_resolved=True)
    service.run(work=FailsToStage(service.context.work))
    service.clock.forward(MINUTE)
    service.report("i-1", "fixed", run="run-3")
    service.run(work=FailsToStage(service.context.work))
    service.clock.forward(MINUTE)
    service.add_snooze(
        id="s-2", title="fixed", until_resolved=True, created_at=service.clock.now, ends_at=None
    )

    service.run()

    assert [each.id for each in list_outlived(service)] == ["s-2"]
    assert service.messages[1:] == ["new: critical"]


def test_a_finding_that_is_fixed_before_its_snooze_is_written_is_not_snoozed() -> None:
    class ScansFirst(PassThrough):
        """A whole scan runs after the finding was read."""

        def add(self, *written: object) -> None:
            service.run()
            self.port.add(*written)

    service = make_service()
    snoozes: Any = ScansFirst(service.inbox.snoozes)
    inbox = replace(service.inbox, snoozes=snoozes)

    with pytest.raises(NotFound):
        snooze_finding(inbox, FIXED, FOREVER, None, ONCALL)

    assert list_outlived(service) == []


def test_a_snooze_that_is_no_more_until_resolved_is_kept() -> None:
    service = make_service(until_resolved=True, ends_at=None)
    kept = replace(FOREVER, until_resolved=False)
    calls = list_calls(make_service(until_resolved=True, ends_at=None))
    number = calls.index("facts.settle") + 1

    act = partial(snooze_finding, service.inbox, FIXED, kept, None, ONCALL)
    scan(service, Fuse(meanwhile=(number, act)))

    (snooze,) = service.inbox.snoozes.all()
    assert snooze.state(service.clock.now) is State.ACTIVE


@settings(max_examples=examples(60, soak=2_000), deadline=None)
@given(
    scopes=st.lists(
        st.tuples(st.sampled_from(["i-1", "i-2", None]), st.sampled_from(["A", "B", "C", None])),
        max_size=12,
    ),
    most=st.integers(min_value=1, max_value=4),
    new=st.sets(st.sampled_from("BC")),
)
def test_findings_are_announced_once_however_many_of_their_snoozes_end_together(
    scopes: list[tuple[str | None, str | None]], most: int, new: set[str]
) -> None:
    service = Service(bounds=Bounds(settled_snoozes=most))
    pairs = [each for each in scopes if any(each)]
    for number, (node, title) in enumerate(pairs):
        service.add_snooze(id=f"s-{number}", instance_id=node, title=title)
    nodes, titles = ("i-1", "i-2"), {"A", "B"} - new
    for node in nodes:
        service.report(node, *(f"{title}" for title in titles))
    service.run()
    told_before = Counter(list_announced(service))

    service.clock.now = START + DAY
    for node in nodes:
        service.report(node, *titles, *new, run="run-2")
    for _ in range(len(pairs) + 2):
        service.run()

    announced = Counter(list_announced(service))
    assert announced == {title: len(nodes) for title in titles | new}
    assert told_before <= announced
    assert all(each.settled_at for each in service.inbox.snoozes.all())


def list_announced(service: Service) -> list[str]:
    """Lists the titles of all messages about findings, each for every node."""
    lists = (text.removeprefix("new: ") for text in service.messages if text.startswith("new: "))
    return [title for text in lists for title in text.split(",")]
