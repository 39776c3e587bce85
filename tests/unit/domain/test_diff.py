"""Laws of the difference between the list of a node and a reading."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from chalicelib.domain.diff import (
    Change,
    Diff,
    Evidence,
    Sight,
    TypeEvidence,
    compare,
    join_reworded,
    normalize_title,
)
from chalicelib.domain.finding import (
    MAX_FORMER_IDS,
    Entry,
    Finding,
    Observation,
    Severity,
    finding_id,
    mark_control,
)
from chalicelib.domain.history import AWAY, EventKind
from tests.fleet import DAY, START

TITLES = st.text(min_size=1, max_size=3)
SEVERITIES = st.sampled_from(Severity)
TYPE = "custom:inspec"
Listed = dict[str, Entry]


@st.composite
def observations(draw: st.DrawFn) -> list[Observation]:
    titles = draw(st.lists(TITLES, unique=True, max_size=6))
    return [Observation("i-1", title, draw(SEVERITIES), draw(TITLES), TYPE) for title in titles]


def observe(title: str = "A", severity: Severity = Severity.LOW, control: str = "c") -> Observation:
    return Observation("i-1", title, severity, control, TYPE)


def prove(*passed: str, controls: tuple[str, ...] = (), numbered: bool = False) -> Evidence:
    """Returns the evidence of a profile in which these titles passed."""
    ids = frozenset(finding_id("i-1", title) for title in passed)
    marks = frozenset(map(mark_control, controls))
    return Evidence({TYPE: TypeEvidence(ids, marks, numbered)}, proving=frozenset({TYPE}))


ONLY_FAILURES = Evidence({TYPE: TypeEvidence()})
UNVERIFIED = Evidence()
NO_PROOF = prove()


def run(
    listed: Listed,
    observed: list[Observation],
    evidence: Evidence = ONLY_FAILURES,
    at: int = 1,
    absent: Listed | None = None,
) -> Diff:
    """Compares on a day. What is not checked is remembered for 45 days."""
    sight = Sight(START + at * DAY, "later", START + at * DAY, 45 * DAY)
    return compare(listed, observed, evidence, sight, absent or {})


def list_after(found: Diff) -> Listed:
    return {each.finding_id: each for each in found.entries}


def store(observed: list[Observation]) -> Listed:
    """Returns the list that a first scan stores."""
    return list_after(run({}, observed, at=0))


def kinds(found: Diff) -> dict[str, EventKind | None]:
    return {each.finding_id: each.kind for each in found.changes}


def the_change(found: Diff) -> Change:
    (change,) = found.changes
    return change


@given(observations(), st.sampled_from([ONLY_FAILURES, UNVERIFIED, NO_PROOF]))
def test_listed_findings_that_are_observed_again_are_unchanged(
    observed: list[Observation], evidence: Evidence
) -> None:
    same = run(store(observed), observed, evidence)

    assert same.changes == ()
    assert len(same.unchanged) == len(observed)


@given(observations(), observations())
def test_new_and_fixed_findings_swap_if_the_readings_are_swapped(
    before: list[Observation], after: list[Observation]
) -> None:
    forward = kinds(run(store(before), after))
    backward = kinds(run(store(after), before))

    swapped = {EventKind.NEW: EventKind.FIXED, EventKind.FIXED: EventKind.NEW}
    assert {key: kind for key, kind in forward.items() if kind in swapped} == {
        key: swapped[kind] for key, kind in backward.items() if kind in swapped
    }


@given(observations(), observations(), st.sampled_from([ONLY_FAILURES, UNVERIFIED, NO_PROOF]))
def test_after_a_diff_is_applied_the_same_reading_changes_nothing(
    before: list[Observation], after: list[Observation], evidence: Evidence
) -> None:
    first = run(store(before), after, evidence)

    second = run(list_after(first), after, evidence)

    assert second.changes == ()
    assert len(second.entries) == len(first.entries)


@given(observations(), observations())
def test_an_unverified_reading_removes_nothing_and_has_the_same_new_findings(
    before: list[Observation], after: list[Observation]
) -> None:
    unverified = run(store(before), after, UNVERIFIED)

    assert set(kinds(unverified).values()) <= {EventKind.NEW, EventKind.WORSE, None}
    new = [EventKind.NEW]
    assert unverified.select(new) == run(store(before), after).select(new)


@given(observations(), observations())
def test_without_proof_nothing_is_fixed_and_nothing_is_forgotten_soon(
    before: list[Observation], after: list[Observation]
) -> None:
    found = run(store(before), after, NO_PROOF)

    assert store(before).keys() <= list_after(found).keys()
    assert not found.select([EventKind.FIXED, EventKind.FORGOTTEN])


def test_an_update_keeps_first_seen() -> None:
    change = the_change(run(store([observe()]), [observe(control="c-2")]))

    assert (change.kind, change.finding) == (
        None,
        Finding("i-1", "A", Severity.LOW, "c-2", START, "later", TYPE),
    )


def test_a_listed_finding_without_a_row_is_written_again_and_is_not_new() -> None:
    listed = store([observe()])

    change = the_change(run(listed, [observe()], absent=listed))

    assert change.kind is None
    assert change.finding
    assert change.finding.first_seen == START


def test_a_title_that_passed_is_fixed_and_one_that_is_not_there_is_not_checked() -> None:
    listed = store([observe("A"), observe("B"), observe("C", control="d")])

    found = run(listed, [], prove("A", controls=("d",)))

    titles = {finding_id("i-1", title): title for title in "ABC"}
    assert {titles[key]: kind for key, kind in kinds(found).items()} == {
        "A": EventKind.FIXED,
        "B": EventKind.UNCHECKED,
        "C": EventKind.NOT_FOUND,
    }


def test_while_fixes_are_withheld_what_passed_stays_and_what_vanished_leaves() -> None:
    listed = store([observe("A"), observe("B")])

    found = run(listed, [], replace(prove("A"), withholds_fixes=True))

    assert kinds(found) == {finding_id("i-1", "B"): EventKind.UNCHECKED}


def test_a_finding_that_was_back_once_is_checked_in_turn() -> None:
    listed = store([observe()])
    seen: list[EventKind | None] = []

    for day, observed in enumerate([[], [observe()], [], [observe()], []], 1):
        found = run(listed, observed, NO_PROOF, day)
        seen.append(the_change(found).kind)
        listed = list_after(found)

    turns = [EventKind.IN_TURN, EventKind.BACK_IN_TURN]
    assert seen == [EventKind.UNCHECKED, EventKind.CHECKED_AGAIN, *turns, turns[0]]


def test_a_remembered_finding_is_fixed_with_proof() -> None:
    away = list_after(run(store([observe()]), [], NO_PROOF))

    assert the_change(run(away, [], prove("A"), 2)).kind is EventKind.FIXED


@pytest.mark.parametrize(
    ("days", "is_forgotten"), [((1, 2, 3, 46), True), ((1, 2, 3, 45), False), ((1, 2, 60), False)]
)
def test_what_is_not_checked_is_forgotten_after_the_time_and_three_more_executions(
    days: tuple[int, ...], *, is_forgotten: bool
) -> None:
    listed = store([observe()])

    for day in days:
        found = run(listed, [], NO_PROOF, day)
        listed = list_after(found)

    assert [each.kind for each in found.changes] == [EventKind.FORGOTTEN] * is_forgotten


def test_a_reading_that_is_repeated_is_no_further_execution() -> None:
    known = {TYPE: TypeEvidence(is_new=False)}
    again = Evidence(known, proving=frozenset({TYPE}))
    listed = list_after(run(store([observe()]), [], NO_PROOF))

    for day in range(2, 90):
        listed = list_after(run(listed, [], again, day))

    assert [each.absences for each in listed.values()] == [0]


@pytest.mark.parametrize(
    ("severities", "expected"),
    [
        ([Severity.LOW, Severity.CRITICAL], [EventKind.WORSE]),
        ([Severity.CRITICAL, Severity.LOW, Severity.CRITICAL], [None, None]),
        ([Severity.CRITICAL, Severity.LOW, Severity.HIGH], [None, None]),
        ([Severity.LOW, Severity.HIGH, Severity.CRITICAL], [EventKind.WORSE] * 2),
        ([Severity.UNSPECIFIED, Severity.CRITICAL], [None]),
        ([Severity.UNSPECIFIED, Severity.LOW, Severity.HIGH], [None, EventKind.WORSE]),
    ],
)
def test_a_severity_above_all_that_were_announced_is_worse(
    severities: list[Severity], expected: list[EventKind | None]
) -> None:
    first, *later = severities
    listed, seen = store([observe(severity=first)]), []

    for severity in later:
        found = run(listed, [observe(severity=severity)])
        seen.append(the_change(found).kind)
        listed = list_after(found)

    assert seen == expected


def test_a_finding_that_is_back_with_a_higher_severity_is_worse() -> None:
    away = list_after(run(store([observe()]), [], NO_PROOF))

    back = the_change(run(away, [observe(severity=Severity.HIGH)], NO_PROOF, 2))

    assert back.kind is EventKind.WORSE
    assert back.after
    assert (back.after.is_unchecked, back.after.in_turn) == (False, True)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('File /etc/passwd mode should be "0644"', "File /etc/passwd mode is expected to be 0644"),
        ("Process 1234 should not exist", "Process 99 is expected not to exist"),
        ("x should cmp == 'no'", "x is expected to eq no"),
        ("Caf\u00e9 should exist", "Cafe\u0301 should exist"),
    ],
)
def test_wordings_of_one_expectation_have_the_same_form(one: str, other: str) -> None:
    assert normalize_title(one) == normalize_title(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("File /tmp/a should not exist", "File /tmp/b should not exist"),
        ("File /tmp/1 should not exist", "File /tmp/2 should not exist"),
        ("User x1 should exist", "User x2 should exist"),
        ("Service a should be running", "Service a should not be running"),
        ("Address 10.0.0.1 should be reachable", "Address 10.0.0.2 should be reachable"),
    ],
)
def test_names_and_negations_make_another_form(one: str, other: str) -> None:
    assert normalize_title(one) != normalize_title(other)


OLD, PRESENT = "File a should be b", "File a is expected to be b"


def name(entries: Listed, *observed: Observation) -> list[Finding]:
    """Returns the stored findings of these observations."""
    found = (run({}, [each], at=0).changes[0].finding for each in observed)
    return [each for each in found if each and each.finding_id in entries]


def reword(
    before: list[Observation], after: list[Observation], evidence: Evidence | None = None
) -> Diff:
    proof = evidence or prove(numbered=True)
    listed = store(before)
    found = run(listed, after, proof)
    return join_reworded(
        found, proof, lambda entries: name({each.finding_id: each for each in entries}, *before)
    )


def test_a_finding_in_other_words_is_one_finding() -> None:
    change = the_change(reword([observe(OLD)], [observe(PRESENT)]))

    assert change.kind is EventKind.REWORDED
    assert change.finding
    assert (change.finding.title, change.finding.first_seen) == (PRESENT, START)
    assert change.finding.former_ids == (finding_id("i-1", OLD),)
    assert change.after
    assert (change.after.is_reworded, change.after.since) == (True, START)


def test_a_finding_in_other_words_with_a_higher_severity_is_worse() -> None:
    change = the_change(reword([observe(OLD)], [observe(PRESENT, Severity.CRITICAL)]))

    assert change.kind is EventKind.WORSE


@pytest.mark.parametrize(
    ("before", "after", "evidence"),
    [
        ([observe(OLD)], [observe(PRESENT, control="d")], prove(numbered=True)),
        ([observe(OLD)], [observe(PRESENT)], prove()),
        ([observe(OLD)], [observe(PRESENT)], prove(OLD, numbered=True)),
        ([observe(OLD)], [observe("File z is expected to be b")], prove(numbered=True)),
        ([observe(OLD)], [observe(PRESENT), observe("File a is expected to eq b")], None),
        ([observe(OLD), observe("File a should eq b")], [observe(PRESENT)], None),
    ],
)
def test_nothing_new_is_called_reworded(
    before: list[Observation], after: list[Observation], evidence: Evidence | None
) -> None:
    found = reword(before, after, evidence)

    assert len(found.select([EventKind.NEW])) == len(after)
    assert len(found.select((*AWAY, EventKind.FIXED))) == len(before)


def test_a_vanished_finding_without_a_name_may_have_the_same_form() -> None:
    listed = store([observe(OLD)])
    proof = prove(numbered=True)
    found = run(listed, [observe(PRESENT)], proof)

    assert join_reworded(found, proof, lambda _: ()) is found


def test_the_first_and_the_newest_former_ids_are_kept() -> None:
    titles = [f"Process {number} should exist" for number in range(12)]
    listed = store([observe(titles[0])])
    stored = [run({}, [observe(titles[0])], at=0).changes[0].finding]

    for day, title in enumerate(titles[1:], 1):
        proof = prove(numbered=True)
        found = join_reworded(
            run(listed, [observe(title)], proof, day),
            proof,
            lambda _: [each for each in stored[-1:] if each],
        )
        stored.append(the_change(found).finding)
        listed = list_after(found)

    ids = [finding_id("i-1", title) for title in titles[:-1]]
    last = stored[-1]
    assert last
    assert last.former_ids == (ids[0], *ids[1 - MAX_FORMER_IDS :])


def test_a_finding_of_a_type_that_is_unverified_stays() -> None:
    listed = store([observe()])
    other = Evidence({"custom:other": TypeEvidence()}, frozenset({TYPE}))

    assert run(listed, [], other).changes == ()


def test_a_finding_of_a_type_that_no_reading_has_is_not_checked() -> None:
    listed = store([observe()])
    other = Evidence({"custom:other": TypeEvidence()})

    assert the_change(run(listed, [], other)).kind is EventKind.UNCHECKED


def test_a_finding_whose_type_is_not_known_is_proven_by_any_type() -> None:
    listed = {key: replace(each, type_mark=0) for key, each in store([observe()]).items()}

    assert the_change(run(listed, [], prove("A"))).kind is EventKind.FIXED
    assert run(listed, [], replace(prove("A"), unverified=frozenset({"b"}))).changes == ()
