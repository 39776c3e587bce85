"""The lists of open findings on node rows, and the order in which a change is written."""

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from chalicelib.domain.finding import (
    Entry,
    Finding,
    Severity,
    Title,
    finding_id,
    is_list,
    pack_list,
    title_reference,
    unpack_list,
)
from chalicelib.domain.history import EventKind
from chalicelib.domain.node import Node
from chalicelib.usecases.context import Bounds, Options
from chalicelib.usecases.scan.compare import Names, read_list
from tests.fakes import MemoryFindings, PassThrough
from tests.fleet import DAY, HOUR, START, Service
from tests.reliability.bounds import any_bounds
from tests.reliability.crashing import CrashPoint, Fuse, Moment
from tests.reliability.stories import run_until_crash

BOUNDS = any_bounds(9)
REPORTS = st.dictionaries(
    st.sampled_from([f"i-{number}" for number in range(13)]),
    st.sets(st.sampled_from("ABCDEFGHIJK")),
    max_size=13,
)


class CountingFindings(MemoryFindings):
    """Counts how often the whole table is read, and which ids are requested."""

    def __init__(self) -> None:
        super().__init__()
        self.full_reads = 0
        self.requested: list[str] = []

    def all(self) -> Iterable[Finding]:  # type: ignore[override] # an iterator all the same
        self.full_reads += 1
        return super().all()

    def get(self, finding_ids: Iterable[str]) -> dict[str, Finding]:
        ids = list(finding_ids)
        self.requested += ids
        return super().get(ids)


def list_ids(service: Service) -> dict[str, set[str]]:
    """Returns the ids on every node's list."""
    return {node.instance_id: set(read_list(node)) for node in service.nodes.all()}


def list_stored(service: Service) -> dict[str, set[str]]:
    """Returns the ids in the findings table by node."""
    stored: dict[str, set[str]] = {node.instance_id: set() for node in service.nodes.all()}
    for row in service.findings.all():
        stored[row.instance_id].add(row.finding_id)
    return stored


@given(
    st.lists(
        st.builds(
            Finding,
            st.just("i-1"),
            st.text(),
            st.sampled_from(Severity),
            st.text(),
            st.datetimes(timezones=st.just(START.tzinfo)),
            st.just("scan"),
        ),
        unique_by=lambda each: each.title,
    )
)
def test_a_list_is_unpacked_as_it_was_packed(findings: list[Finding]) -> None:
    entries = {each.finding_id: Entry.of(each) for each in findings}

    packed = pack_list(entries.values())

    assert unpack_list(packed) == entries
    assert len(packed) == 33 * len(findings)


def test_a_broken_list_is_named() -> None:
    with pytest.raises(ValueError, match="not a list of findings: 32 bytes"):
        unpack_list(b"x" * 32)
    with pytest.raises(ValueError, match="not a list of findings: 33 bytes"):
        unpack_list(b"\xff" * 33)


@given(st.binary(max_size=100))
def test_a_list_is_one_exactly_if_it_can_be_unpacked(packed: bytes) -> None:
    try:
        unpack_list(packed)
    except ValueError:
        assert not is_list(packed)
    else:
        assert is_list(packed)


@settings(max_examples=60, deadline=None)
@given(st.lists(REPORTS, min_size=1, max_size=4), BOUNDS, st.sampled_from([1, 2, 8]))
def test_no_bound_changes_what_is_stored_listed_or_announced(
    runs: list[dict[str, set[str]]], bounds: Bounds, concurrency: int
) -> None:
    service = Service(bounds=bounds)
    expected: dict[str, set[str]] = {}
    new: dict[str, int] = {}
    fixed = gone = 0
    told = [0, 0]
    for number, reports in enumerate(runs):
        for node in expected.keys() - reports.keys():
            service.compliance.remove(node)
        for node, letters in reports.items():
            service.report(node, *(f"{node}/{each}" for each in letters), run=f"run-{number}")
        for letters in (
            {f"{node}/{each}" for each in letters} - expected.get(node, set())
            for node, letters in reports.items()
        ):
            for title in letters:
                new[title] = new.get(title, 0) + 1
        for node, titles in expected.items():
            if node in reports:
                fixed += len(titles - {f"{node}/{each}" for each in reports[node]})
            else:
                gone += len(titles)
        expected = {
            node: {f"{node}/{each}" for each in letters} for node, letters in reports.items()
        }

        # a person accepts missing nodes, so that they are gone at once
        outcome = service.run(Options(accept_missing=True), concurrency=concurrency).outcome
        assert outcome is not None
        told = [told[0] + outcome.fixed, told[1] + outcome.gone]
        service.clock.forward(DAY)

    assert service.list_titles() == sorted(set().union(*expected.values()))
    assert list_ids(service) == list_stored(service)
    assert told == [fixed, gone]
    texts = [text.partition(": ")[2] for text in service.messages]
    announced = [title for text in texts for title in text.split(",") if title]
    assert {title: announced.count(title) for title in announced} == new
    assert service.ledger.last_fact.number == sum(new.values()) + fixed + gone
    numbers = [
        n for row in service.ledger.facts.values() for n in range(row.first, row.first + row.count)
    ]
    assert sorted(numbers) == list(range(1, service.ledger.last_fact.number + 1))
    assert all(row.count <= bounds.facts_a_row for row in service.ledger.facts.values())


def test_a_scan_needs_no_look_up() -> None:
    findings = CountingFindings()
    service = Service(findings=findings)
    for number in range(5):
        service.report(f"i-{number}", "A", "B")
    service.run()
    service.report("i-0", "B", "C", run="run-2")
    service.compliance.remove("i-1")
    service.run()

    service.clock.forward(HOUR)
    service.run()

    assert (findings.full_reads, findings.requested) == (0, [])
    assert list_ids(service) == list_stored(service)


def test_rows_from_before_lists_are_filled_once_and_announce_nothing() -> None:
    findings = CountingFindings()
    service = Service(findings=findings)
    service.report("i-1", "A", "B")
    service.report("i-2", "A")
    service.run()
    service.nodes.put([replace(node, open_list=None) for node in service.nodes.all()])
    service.report("i-1", "B", "C", run="run-2")

    outcome = service.run_to_outcome()
    service.run()

    assert findings.full_reads == 1
    assert list_ids(service) == list_stored(service)
    assert ([each.title for each in outcome.new], outcome.fixed) == (["C"], 1)


@pytest.mark.parametrize("filled", ["i-1", "i-2"])
def test_a_list_that_is_filled_also_has_what_its_node_no_longer_checks(filled: str) -> None:
    service = Service()
    service.report("i-1", "A", "B")
    service.report("i-2", "A")
    service.run()
    service.report("i-1", "A", run="run-2", passed=[])
    service.run()
    before = {node.instance_id: node for node in service.nodes.all()}
    service.nodes.put([replace(before[filled], open_list=None)])

    service.run()

    after = {node.instance_id: node for node in service.nodes.all()}
    assert [len(read_list(after[key])) for key in ("i-1", "i-2")] == [2, 1]
    assert [each.finding.title for each in service.unchecked.all()] == ["B"]
    assert after["i-1"].unchecked == 1


def test_a_row_of_a_newer_version_is_left_alone_and_named_until_a_full_scan() -> None:
    service = Service()
    service.report("i-1", "A")
    service.report("i-2", "A")
    service.run()
    newer = Node("i-1", is_newer=True)
    service.nodes.put([newer])
    service.report("i-1", "A", "B", run="run-2")

    outcome = service.run_to_outcome()

    assert newer in service.nodes.all()
    assert dict(outcome.coverage.unverified) == {
        "i-1": "This version cannot read the node's row; run reconcile with full"
    }
    assert outcome.coverage.known == 2

    outcome = service.run_to_outcome(Options(full=True))

    assert [each.title for each in outcome.new] == ["B"]
    assert list_ids(service) == list_stored(service)
    assert outcome.coverage.complete


def test_a_full_scan_gives_findings_without_a_node_row_a_row_and_then_removes_them() -> None:
    service = Service()
    service.report("i-1", "A")
    service.run()
    service.findings.put([Finding("i-lost", "A", Severity.HIGH, "", START, "scan")])

    service.run(Options(full=True))
    service.clock.forward(HOUR)
    outcome = service.run_to_outcome()

    assert (service.list_titles("i-lost"), outcome.gone) == ([], 1)
    assert list_ids(service) == {"i-1": {finding_id("i-1", "A")}}


def test_nodes_from_a_backup_a_day_older_are_repaired_by_a_full_scan() -> None:
    service = Service()
    service.report("i-1", "A", "fixed")
    service.run()
    backup = service.nodes.all()
    service.report("i-1", "A", "B", run="run-2")
    service.run()
    service.nodes.put(backup)
    posts = len(service.messages)

    outcome = service.run_to_outcome(Options(full=True))

    assert outcome.new == ()
    assert len(service.messages) == posts
    assert (
        list_ids(service)
        == list_stored(service)
        == {"i-1": {finding_id("i-1", "A"), finding_id("i-1", "B")}}
    )


@pytest.mark.parametrize("moment", [Moment.BEFORE, Moment.AFTER])
def test_what_a_dead_scan_stored_is_new_even_if_its_node_cannot_be_read_again(
    moment: Moment,
) -> None:
    service = Service()
    service.report("i-1", "A")
    calls = run_until_crash(service, Fuse())
    service.clock.forward(DAY)
    service.report("i-1", "B", run="run-2")
    run_until_crash(service, Fuse(CrashPoint(calls.index("facts.settle") + 3, moment)))
    service.clock.forward(DAY)
    service.compliance.fail("i-1", times=9)

    outcome = service.run_to_outcome()

    assert service.ledger.marks == {}
    assert "B" in service.list_titles()
    assert sum("B" in text for text in service.messages) == 1
    assert list_ids(service) == list_stored(service)
    assert outcome.scan_id


def test_a_removed_finding_is_named_though_its_title_is_not_known_any_more() -> None:
    service = Service()
    service.report("i-1", "A", "B")
    service.run()
    titles = service.titles
    titles.put([Title("B", "another control")], START)
    titles._rows.pop(title_reference("A"))
    service.report("i-1", run="run-2")

    service.run()

    named = {e.finding.title: e.finding.control_id for e in service.journal.events if e.finding}
    assert named == {"A": "ssh-01", "B": "ssh-01"}
    assert [e.kind for e in service.journal.events].count(EventKind.FIXED) == 2


def test_a_title_with_the_same_reference_names_no_other_finding() -> None:
    """References are short, so that two titles may have the same one."""
    service = Service()
    service.report("i-1", "A")
    service.run()
    (finding,) = service.findings.all()

    class Colliding(PassThrough):
        def all(self) -> dict[str, Title]:
            return {title_reference("A"): Title("another text", "ssh-01")}

    names = Names(replace(service.context, titles=Colliding(service.titles)))

    assert names.find("i-1", [Entry.of(finding)]) == (finding,)
