"""One table comes from an older copy, in any state. A full scan then makes all agree again."""

from collections import Counter
from collections.abc import Callable
from copy import deepcopy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.usecases.context import Bounds, Options
from chalicelib.usecases.run import run_scans
from tests.effort import examples
from tests.fleet import HOUR, MINUTE, Service
from tests.reliability.bounds import any_bounds
from tests.reliability.consistency import find_fact_errors, find_list_errors
from tests.reliability.crashing import CRASHES, CrashPoint, Fuse
from tests.reliability.model import count_titles, count_unrecorded_posts
from tests.reliability.stories import LAMBDA, run_until_crash

NODES = ("i-1", "i-2", "i-3")
LETTERS = "ABCD"
BOUNDS = any_bounds(5)
POINTS = st.builds(CrashPoint, st.integers(min_value=1, max_value=40), st.sampled_from(CRASHES))
# What each node reports, None if it leaves; and where the scan dies, None if it does not.
STEPS = st.lists(
    st.tuples(
        st.dictionaries(
            st.sampled_from(NODES), st.none() | st.sets(st.sampled_from(LETTERS)), min_size=1
        ),
        st.none() | POINTS,
    ),
    min_size=1,
    max_size=4,
)
Restore = Callable[[Service, Service], None]


def restore_findings(service: Service, copy: Service) -> None:
    service.findings = copy.findings


def restore_nodes(service: Service, copy: Service) -> None:
    service.nodes = copy.nodes


def restore_ledger(service: Service, copy: Service) -> None:
    service.ledger = copy.ledger


class Story:
    """A service, what its nodes report, and how often each title began to fail there.

    severities: that of each node's findings, another one in every report.
    """

    def __init__(self, bounds: Bounds) -> None:
        self.service = Service(bounds=bounds)
        self.failing: dict[str, set[str]] = {}
        self.severities: dict[str, str] = {}
        self.began: Counter[str] = Counter()
        self.high: set[str] = set()
        self.runs = 0
        self.change({"i-0": {"A"}})
        run_scans(self.service.context, self.service.clock.now + LAMBDA)

    def change(self, reports: dict[str, set[str] | None]) -> None:
        for node, letters in reports.items():
            self.runs += 1
            titles = {f"{node}/{letter}" for letter in letters or ()}
            severity = ("LOW", "HIGH")[self.runs % 2]
            before = self.failing.get(node, set())
            # what gets worse than ever is announced again
            worse = titles & before if severity == "HIGH" else set()
            self.began.update((titles - before) | (worse - self.high))
            self.high = (self.high - (before - titles)) | (titles if severity == "HIGH" else set())
            if letters is None:
                self.service.compliance.remove(node)
                self.failing.pop(node, None)
            else:
                self.service.report(
                    node, *sorted(titles), run=f"run-{self.runs}", severity=severity
                )
                self.severities[node] = severity
                self.failing[node] = titles

    def play(self, steps: list[tuple[dict[str, set[str] | None], CrashPoint | None]]) -> None:
        for reports, point in steps:
            self.change(reports)
            run_until_crash(self.service, Fuse(point))
            self.service.clock.forward(HOUR)


def list_left(service: Service) -> set[str]:
    """Lists the titles that have ever been fixed or gone."""
    events = service.journal.events
    return {each.finding.title for each in events if each.finding is not None}


@pytest.mark.parametrize("restore", [restore_findings, restore_nodes, restore_ledger])
@settings(max_examples=examples(60, soak=3_000), deadline=None)
@given(BOUNDS, STEPS, STEPS)
def test_a_full_scan_after_a_restore_announces_again_only_what_the_table_forgot(
    restore: Restore,
    bounds: Bounds,
    before: list[tuple[dict[str, set[str] | None], CrashPoint | None]],
    since: list[tuple[dict[str, set[str] | None], CrashPoint | None]],
) -> None:
    story = Story(bounds)
    service = story.service
    story.play(before)
    copy = deepcopy(service)
    posts = len(service.messages)
    story.play(since)
    forgotten = count_titles(service.messages[posts:])
    repeated = count_unrecorded_posts(service)
    left = list_left(service) if restore is restore_nodes else set()

    restore(service, copy)
    run_scans(service.context, service.clock.now + LAMBDA, Options(full=True))
    for _ in range(9):
        service.clock.forward(LAMBDA + MINUTE)
        run_scans(service.context, service.clock.now + LAMBDA)

    failing = set().union(*story.failing.values())
    assert set(service.list_titles()) == failing
    severities = {(row.instance_id, row.severity) for row in service.findings.all()}
    assert severities <= set(story.severities.items())
    assert {node.instance_id for node in service.nodes.all()} == story.failing.keys()
    assert find_list_errors(service) == []
    assert service.ledger.marks == {}
    announced = count_titles(service.messages)
    most = {title: story.began[title] + forgotten[title] + repeated for title in announced}
    assert {title: n for title, n in announced.items() if n > most[title]} == {}
    if restore is not restore_ledger:
        # a ledger that has forgotten a mark does not know what nobody announced; and of what
        # left since the copy, nobody can tell which of list and findings table is the older
        assert failing - left <= announced.keys()
        assert [each for each in find_fact_errors(service) if "add up" not in each] == []
