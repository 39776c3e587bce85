"""Profiles whose checks pass, fail or do not run, against a model that knows no list and no row.

The model has one state for each title of a node: unknown, open, or not checked any more.
"""

from dataclasses import dataclass, field
from datetime import datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.announcement import Topic
from chalicelib.domain.finding import Severity
from chalicelib.domain.history import EventKind
from chalicelib.usecases.context import Bounds
from tests.effort import examples
from tests.fleet import DAY, TYPE, Service, make_item
from tests.reliability.bounds import any_bounds
from tests.reliability.consistency import find_inconsistencies

NODES = ("i-1", "i-2")
TITLES = ("A", "B", "C", "D")
TYPES = (TYPE, "Custom:Other")
# What a check did: it failed with a severity, passed, or did not run.
FAILURES = ("LOW", "HIGH", "CRITICAL")
PASSED, NOT_RUN = "passed", "not run"
RESULTS = st.sampled_from((*FAILURES, PASSED, PASSED, NOT_RUN, NOT_RUN))
# One execution of a type on a node. Check 0 always passes, so that something was checked.
EXECUTIONS = st.tuples(
    st.sampled_from(NODES),
    st.sampled_from(TYPES),
    st.lists(RESULTS, min_size=len(TITLES), max_size=len(TITLES)),
)


@dataclass
class Known:
    """What the model knows of a title of a node. `announced` is its highest severity so far."""

    first_seen: datetime
    announced: Severity
    is_open: bool = True
    away_since: datetime | None = None
    was_back: bool = False
    absences: int = 0


@dataclass
class Expected:
    """What the model expects of one scan: titles by what happens to them."""

    new: set[str] = field(default_factory=set)
    worse: set[str] = field(default_factory=set)
    fixed: set[str] = field(default_factory=set)
    vanished: set[str] = field(default_factory=set)


class Profiles:
    """The model, which plays one execution at a time."""

    def __init__(self) -> None:
        self.known: dict[str, Known] = {}

    def play(self, prefix: str, results: list[str], at: datetime) -> Expected:
        """Plays an execution, whose titles begin with `prefix`."""
        expected = Expected()
        for letter, result in zip(TITLES, results, strict=True):
            title = f"{prefix}{letter}"
            known = self.known.get(title)
            if result in FAILURES:
                self._fail(title, known, Severity(result), at, expected)
            elif known and result == PASSED:
                expected.fixed.add(title)
                del self.known[title]
            elif known and known.is_open:
                if not known.was_back:
                    expected.vanished.add(title)
                known.is_open, known.away_since, known.absences = False, at, 0
            elif known and known.away_since:
                known.absences += 1
                if at - known.away_since >= 45 * DAY and known.absences >= 3:
                    del self.known[title]
        return expected

    def _fail(
        self,
        title: str,
        known: Known | None,
        severity: Severity,
        at: datetime,
        expected: Expected,
    ) -> None:
        if known is None:
            self.known[title] = Known(at, severity)
            expected.new.add(title)
            return
        if severity.rank < known.announced.rank:
            known.announced = severity
            expected.worse.add(title)
        known.was_back |= not known.is_open
        known.is_open, known.away_since = True, None

    def list_open(self) -> dict[str, datetime]:
        return {title: each.first_seen for title, each in self.known.items() if each.is_open}

    def list_away(self) -> dict[str, datetime]:
        return {title: each.first_seen for title, each in self.known.items() if not each.is_open}


def report(service: Service, node: str, kind: str, results: list[str], run: str) -> str:
    """Lets a node report. Returns how its titles begin."""
    prefix = f"{node} {kind} "
    titles = dict(zip((f"{prefix}{letter}" for letter in TITLES), results, strict=True))
    passed = [f"{prefix}always", *(title for title, each in titles.items() if each == PASSED)]
    items = [
        make_item(title, execution=run, severity=each, compliance_type=kind)
        for title, each in titles.items()
        if each in FAILURES
    ]
    shown = [make_item(title, execution=run, compliance_type=kind) for title in passed]
    service.compliance.put(
        node, kind, run, service.clock.now, items, compliant=len(passed), passed=shown
    )
    return prefix


@given(st.lists(EXECUTIONS, min_size=1, max_size=14), any_bounds(5), st.sampled_from([1, 9]))
@settings(max_examples=examples(150, soak=5_000), deadline=None)
def test_what_people_are_told_is_what_the_executions_showed(
    executions: list[tuple[str, str, list[str]]], bounds: Bounds, days: int
) -> None:
    service, model = Service(bounds=bounds), Profiles()
    told: set[str] = set()
    unsaid_fixes = 0
    for number, (node, kind, results) in enumerate(executions):
        service.clock.forward(days * DAY)
        prefix = report(service, node, kind, results, f"run-{number}")
        expected = model.play(prefix, results, service.clock.now)
        before = service.ledger.last_fact

        service.run()

        open_now = {each.title: each.first_seen for each in service.findings.all()}
        assert open_now == model.list_open()
        away = {each.finding.title: each.finding.first_seen for each in service.unchecked.all()}
        assert away == model.list_away()
        facts = list_facts(service, before.number)
        assert facts.get(EventKind.NEW, set()) == expected.new
        assert facts.get(EventKind.WORSE, set()) == expected.worse
        assert facts.get(EventKind.FIXED, set()) == expected.fixed
        vanished = {EventKind.UNCHECKED, EventKind.NOT_FOUND}
        assert set().union(*(facts.get(each, set()) for each in vanished)) == expected.vanished
        sent = {key: each.alert for key, each in service.ledger.sent.items() if key not in told}
        told.update(sent)
        # the other node may have been silent for long
        alerts = [each for each in sent.values() if each and each.topic is not Topic.SILENT]
        named = [title.title for each in alerts for title in each.titles]
        assert sorted(named) == sorted(expected.new | expected.worse)
        # a run of one node gets no answer of its own, its fixes ride in the next message
        unsaid_fixes += len(expected.fixed)
        said_fixes = sum(each.changes.get(EventKind.FIXED, 0) for each in sent.values() if each)
        assert said_fixes in (0, unsaid_fixes)
        assert said_fixes == unsaid_fixes or not (expected.new or expected.worse)
        unsaid_fixes -= said_fixes
        if not (expected.new or expected.worse or expected.vanished or said_fixes):
            assert alerts == [], "nothing is told that is no news"
    assert find_inconsistencies(service) == []


def list_facts(service: Service, after: int) -> dict[EventKind, set[str]]:
    """Lists the titles of facts by kind."""
    titles = {each.finding_id: each.title for each in service.findings.all()}
    titles |= {each.finding.finding_id: each.finding.title for each in service.unchecked.all()}
    titles |= {
        each.finding.finding_id: each.finding.title
        for each in service.journal.events
        if each.finding
    }
    found: dict[EventKind, set[str]] = {}
    for first, row in service.ledger.facts.items():
        for key in row.list_keys(*EventKind) if first > after else ():
            found.setdefault(key.kind, set()).add(titles[key.finding_id])
    return found


# What a check of a process did, and the pid in its title; None if it did not run.
CHECKS = st.none() | st.tuples(st.sampled_from(["fails", PASSED]), st.integers(1, 3))


@dataclass
class Words:
    """A model of findings whose words change: when each was first seen, open or not."""

    open: dict[str, datetime] = field(default_factory=dict)
    away: dict[str, datetime] = field(default_factory=dict)

    def play(self, check: str, result: tuple[str, int] | None, at: datetime) -> EventKind | None:
        """Plays one check, and returns what happened to what was open, or is now."""
        before = next((title for title in self.open if title.startswith(check)), None)
        title = f"{check} with pid {result[1]} should not run" if result else ""
        if result and result[0] == PASSED:
            known = self.open.pop(title, None) or self.away.pop(title, None)
            if before and before != title:
                self.away[before] = self.open.pop(before)
            return EventKind.FIXED if known else None
        if title == before or (not result and before is None):
            return None
        if before and result and title not in self.away:
            self.open[title] = self.open.pop(before)
            return EventKind.REWORDED
        if before:
            self.away[before] = self.open.pop(before)
        if not result:
            return None
        is_new = title not in self.away
        self.open[title] = at if is_new else self.away.pop(title)
        return EventKind.NEW if is_new else None


@given(
    st.lists(st.tuples(CHECKS, CHECKS), min_size=1, max_size=12),
    any_bounds(5),
)
@settings(max_examples=examples(150, soak=5_000), deadline=None)
def test_a_finding_in_other_words_keeps_its_age_and_nothing_new_is_called_reworded(
    executions: list[tuple[tuple[str, int] | None, ...]], bounds: Bounds
) -> None:
    service, model = Service(bounds=bounds), Words()
    for number, results in enumerate(executions):
        service.clock.forward(DAY)
        expected: dict[EventKind, int] = {}
        shown: dict[str, list[str]] = {"fails": [], PASSED: ["always"]}
        for check, result in zip("AB", results, strict=True):
            kind = model.play(check, result, service.clock.now)
            if kind:
                expected[kind] = expected.get(kind, 0) + 1
            if result:
                shown[result[0]].append(f"{check} with pid {result[1]} should not run")
        ids = iter(range(9))
        failed, passed = (
            [
                make_item(title, execution=f"run-{number}", item_id=f"proc-{next(ids)}")
                for title in shown[status]
            ]
            for status in ("fails", PASSED)
        )
        before = service.ledger.last_fact.number
        now = service.clock.now
        service.compliance.put(
            "i-1", TYPE, f"run-{number}", now, failed, compliant=len(passed), passed=passed
        )

        service.run()

        assert {each.title: each.first_seen for each in service.findings.all()} == model.open
        away = {each.finding.title: each.finding.first_seen for each in service.unchecked.all()}
        assert away == model.away
        facts = [row for first, row in service.ledger.facts.items() if first > before]
        for kind in (EventKind.NEW, EventKind.REWORDED, EventKind.FIXED):
            found = sum(len(row.list_keys(kind)) for row in facts)
            assert found == expected.get(kind, 0), kind
    assert find_inconsistencies(service) == []
