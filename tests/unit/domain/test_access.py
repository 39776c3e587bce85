"""API tokens: who holds one, and what its role allows."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.access import (
    AccessToken,
    Role,
    TokenChange,
    TokenList,
    append_token,
    apply_change,
    compare_tokens,
    find_token,
    hash_token,
    list_methods,
    merge_lists,
    remove_token,
    withdraw_additions,
)
from chalicelib.domain.errors import NotFound, RuleBroken

NOW = datetime(2026, 1, 31, 8, tzinfo=UTC)


def make_token(name: str, text: str = "", role: Role = Role.VIEWER) -> AccessToken:
    return AccessToken(name, role, hash_token(text or f"eis_{name}"), NOW)


CI, ONCALL = make_token("ci"), make_token("oncall", role=Role.OPERATOR)


def test_a_token_is_hashed_with_sha_256() -> None:
    assert hash_token("eis_ci") == hashlib.sha256(b"eis_ci").hexdigest()


@pytest.mark.parametrize("tokens", [(CI, ONCALL), (ONCALL, CI)])
def test_a_token_is_found_at_any_place_of_the_list(tokens: tuple[AccessToken, ...]) -> None:
    assert find_token(tokens, "eis_ci") == CI
    assert find_token(tokens, "eis_oncall") == ONCALL


@pytest.mark.parametrize(
    "presented", ["", "eis_c", "eis_ci ", "EIS_CI", "ci", CI.sha256, "é", "\udce9"]
)
def test_any_other_text_is_unknown(presented: str) -> None:
    assert find_token((CI, ONCALL), presented) is None


def test_without_tokens_no_caller_is_known() -> None:
    assert find_token((), "eis_ci") is None


@given(st.text(), st.text())
def test_only_the_exact_text_of_a_token_is_accepted(text: str, presented: str) -> None:
    caller = find_token([make_token("ci", text or "-")], presented)

    assert (caller is not None) == (presented == (text or "-"))


def test_every_token_is_compared_even_after_a_match() -> None:
    tokens = iter([CI, ONCALL, make_token("second")])

    assert find_token(tokens, "eis_ci") is not None
    assert next(tokens, None) is None


def test_a_viewer_may_read_and_an_operator_may_also_write() -> None:
    assert list_methods(Role.VIEWER) == ("GET",)
    assert set(list_methods(Role.OPERATOR)) == {"GET", "POST", "PUT", "PATCH", "DELETE"}


def test_every_role_has_methods() -> None:
    assert all(list_methods(role) for role in Role)


def test_the_repr_of_a_token_hides_its_hash() -> None:
    assert CI.sha256 not in repr(CI)
    assert "ci" in repr(CI)


@pytest.mark.parametrize("name", ["a", "0", "team-a.ci_2", "A" * 64])
def test_a_token_is_added_at_the_end(name: str) -> None:
    assert append_token((CI,), make_token(name)) == (CI, make_token(name))


@pytest.mark.parametrize(
    "name", ["", "A" * 65, "-a", ".a", "_a", "a b", "a/b", "a\n", "é", "٣", "arn:aws:iam::1:user/a"]
)
def test_the_refusal_of_a_malformed_name_describes_the_form(name: str) -> None:
    with pytest.raises(RuleBroken, match="1 to 64 letters"):
        append_token((), make_token(name, "text"))


def test_the_refusal_of_a_taken_name_says_what_to_do() -> None:
    with pytest.raises(RuleBroken, match=r"named ci already exists\. Revoke it first"):
        append_token((ONCALL, CI), make_token("ci", "another", Role.OPERATOR))


def test_revoking_removes_one_token_and_keeps_the_others() -> None:
    second = make_token("second")

    assert remove_token((CI, ONCALL, second), "oncall") == (CI, second)


@pytest.mark.parametrize("tokens", [(), (ONCALL,)])
def test_an_unknown_token_cannot_be_revoked(tokens: tuple[AccessToken, ...]) -> None:
    with pytest.raises(NotFound, match=r"No token is named ci\. List the tokens"):
        remove_token(tokens, "ci")


@given(st.lists(st.sampled_from("abcdef"), unique=True))
def test_revoking_a_token_undoes_adding_it(names: list[str]) -> None:
    tokens = tuple(make_token(name) for name in names)

    assert remove_token(append_token(tokens, CI), "ci") == tokens


def test_a_token_ends_at_its_end_and_one_without_an_end_never() -> None:
    ending = AccessToken("guest", Role.VIEWER, hash_token("a"), NOW, NOW + timedelta(days=1))

    assert [ending.has_ended(NOW + timedelta(hours=hours)) for hours in (0, 23, 24, 25)] == [
        False,
        False,
        True,
        True,
    ]
    assert not CI.has_ended(datetime.max.replace(tzinfo=UTC))


@pytest.mark.parametrize("ends_at", [NOW, NOW - timedelta(days=1)])
def test_a_token_that_has_ended_cannot_be_added(ends_at: datetime) -> None:
    ended = AccessToken("guest", Role.VIEWER, hash_token("a"), NOW, ends_at)

    with pytest.raises(
        RuleBroken, match=r"in the future, not at 2026-01-3\d 08:00:00 UTC"
    ) as raised:
        append_token((CI,), ended)

    assert [(fault.pointer, fault.code) for fault in raised.value.faults] == [("ends_at", "past")]


def test_of_lists_that_were_written_over_each_other_every_token_stays_but_revoked_ones() -> None:
    other = make_token("other")

    merged = merge_lists(
        TokenList((CI, ONCALL)),
        [TokenList((CI,), frozenset({ONCALL.sha256})), TokenList((CI, ONCALL, other))],
    )

    assert merged == TokenList((CI, other), frozenset({ONCALL.sha256}))


def test_a_change_is_what_was_added_and_what_was_revoked() -> None:
    new = make_token("new")

    change = compare_tokens((CI, ONCALL), (CI, new))

    assert change == TokenChange((new,), frozenset({ONCALL.sha256}))
    assert apply_change(TokenList((CI, ONCALL)), change) == TokenList((CI, new), change.revoked)


def test_a_change_that_a_list_has_already_alters_nothing() -> None:
    change = TokenChange((CI,), frozenset({ONCALL.sha256}))
    once = apply_change(TokenList((ONCALL,)), change)

    assert apply_change(once, change) == once


def test_a_change_does_not_bring_back_what_somebody_else_revoked() -> None:
    revoked = TokenList((), frozenset({CI.sha256}))

    assert apply_change(revoked, TokenChange((CI,), frozenset())) == revoked


def test_a_change_is_refused_if_somebody_else_has_taken_the_name() -> None:
    change = TokenChange((make_token("ci", "another"),), frozenset())

    with pytest.raises(RuleBroken, match="named ci already exists"):
        apply_change(TokenList((CI,)), change)


def test_a_withdrawn_token_is_revoked_wherever_it_was_written() -> None:
    change = withdraw_additions(TokenChange((CI,), frozenset({ONCALL.sha256})))

    assert apply_change(TokenList((CI, ONCALL)), change).tokens == ()
