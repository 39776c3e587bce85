"""What a snooze covers: exact titles, prefixes, patterns, controls, and severities up to a cap."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from chalicelib.domain.finding import Finding, Severity
from chalicelib.domain.snooze import Muting, Scope, Snooze, SnoozeIndex, follow_pair
from tests.fleet import DAY, START, make_snooze

FINDING = Finding("i-1", "SSH  must not allow root", Severity.HIGH, "ssh-01", START, "scan")
TITLES = ["SSH  must not allow root", "ssh must not ALLOW root ", "SSH must be off", "=cmd"]
FINDINGS = st.builds(
    Finding,
    st.sampled_from(["i-1", "i-2"]),
    st.sampled_from(TITLES),
    st.sampled_from(Severity),
    st.sampled_from(["ssh-01", "cmd-01"]),
    st.just(START),
    st.just("scan"),
)
SCOPES = st.builds(
    Scope,
    st.sampled_from([None, "i-1", "i-2"]),
    st.sampled_from([None, *TITLES, "'=cmd", "SSH must…"]),
    st.sampled_from([None, "ssh*", "*root", "*must*"]),
    st.sampled_from([None, "ssh-01", "cmd-01"]),
).filter(lambda scope: any(scope.parts))


def snooze(scope: Scope, number: int = 1, **fields: Any) -> Snooze:
    instance_id, title, title_pattern, control_id, is_whole = scope
    return make_snooze(
        id=f"s-{number}",
        instance_id=instance_id,
        title=title,
        title_pattern=title_pattern,
        control_id=control_id,
        is_whole=is_whole,
        **fields,
    )


@pytest.mark.parametrize(
    ("scope", "matches"),
    [
        (Scope("i-1", "ssh must not allow root"), True),
        (Scope(title="'SSH must not\nallow root "), True),
        (Scope(title="SSH must not…"), True),
        (Scope(title="SSH must be…"), False),
        (Scope(title="SSH*"), False),
        (Scope(title_pattern="SSH*"), True),
        (Scope("i-2", title_pattern="SSH*"), False),
        (Scope(control_id="ssh-01"), True),
        (Scope("i-1", control_id="ssh-02"), False),
        (Scope("i-1", "SSH must not allow root", control_id="ssh-02"), False),
    ],
)
def test_all_parts_of_a_scope_must_match(scope: Scope, *, matches: bool) -> None:
    assert scope.matches(FINDING) is matches


def test_two_scopes_have_two_ids() -> None:
    scopes = [
        Scope("i-1"),
        Scope(title="A"),
        Scope(title_pattern="A"),
        Scope(control_id="A"),
        Scope("i-1", "A"),
        Scope("i-1", title_pattern="A"),
        Scope("i-1", control_id="A"),
    ]

    assert len({each.id for each in scopes}) == len(scopes)
    assert Scope("i-1", FINDING.title).id == FINDING.finding_id


@given(st.lists(st.tuples(SCOPES, st.none() | st.sampled_from(Severity)), max_size=6), FINDINGS)
def test_an_index_finds_what_looking_at_each_snooze_finds(
    rules: list[tuple[Scope, Severity | None]], finding: Finding
) -> None:
    snoozes = [snooze(scope, number, max_severity=cap) for number, (scope, cap) in enumerate(rules)]
    index = SnoozeIndex(snoozes)

    covering = {each.id for each in snoozes if each.covers(finding)}

    for _ in range(2):
        assert {each.id for each in index.find_all(finding)} == covering
        found = index.find(finding)
        assert (found.id in covering) if found else not covering


@pytest.mark.parametrize(
    ("cap", "muted"),
    [(None, True), (Severity.CRITICAL, True), (Severity.HIGH, True), (Severity.LOW, False)],
)
def test_a_snooze_mutes_up_to_its_cap(cap: Severity | None, *, muted: bool) -> None:
    muting = Muting([snooze(Scope("i-1"), max_severity=cap)], START)

    assert (muting.of(FINDING) is not None) is muted


def test_a_pair_without_a_cap_does_not_mute_what_is_worse() -> None:
    scope = Scope("i-1", FINDING.title)

    assert Muting([snooze(scope)], START).of_worse(FINDING) is None
    assert Muting([snooze(scope, max_severity=Severity.HIGH)], START).of_worse(FINDING)
    assert Muting([snooze(Scope("i-1"))], START).of_worse(FINDING)


def test_a_pair_takes_id_and_severity_of_its_finding_when_that_is_first_seen() -> None:
    early = snooze(Scope("i-1", "ssh must not allow root"))

    followed = follow_pair(early, [], [FINDING, replace(FINDING, instance_id="i-2")])

    assert followed.finding_ids == (early.scope.id, FINDING.finding_id)
    assert followed.max_severity is Severity.HIGH
    assert follow_pair(followed, [], [replace(FINDING, severity=Severity.CRITICAL)]) is followed


def test_only_a_pair_has_finding_ids() -> None:
    assert snooze(Scope("i-1")).finding_ids == ()
    assert snooze(Scope("i-1", "SSH must…")).finding_ids == ()


def test_a_snooze_names_something() -> None:
    with pytest.raises(ValueError, match="names an instance"):
        snooze(Scope())


def test_the_end_of_a_snooze_is_what_it_was() -> None:
    assert snooze(Scope(control_id="ssh-01"), ends_at=START + DAY).end == START + DAY


def test_a_pair_is_found_by_a_former_id_of_the_finding_on_its_node() -> None:
    pair = snooze(Scope("i-1", FINDING.title))
    reworded = replace(FINDING, title="SSH is expected off", former_ids=(pair.scope.id,))
    index = SnoozeIndex([pair])

    assert index.find(reworded) is pair
    assert index.find(replace(reworded, instance_id="i-2")) is None
