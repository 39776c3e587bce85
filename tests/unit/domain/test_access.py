"""API tokens: who holds one, and what its role allows."""

import hashlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.access import (
    AccessToken,
    Caller,
    Role,
    append_token,
    find_caller,
    hash_token,
    list_methods,
    remove_token,
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
    assert find_caller(tokens, "eis_ci") == Caller("ci", Role.VIEWER)
    assert find_caller(tokens, "eis_oncall") == Caller("oncall", Role.OPERATOR)


@pytest.mark.parametrize(
    "presented", ["", "eis_c", "eis_ci ", "EIS_CI", "ci", CI.sha256, "é", "\udce9"]
)
def test_any_other_text_is_unknown(presented: str) -> None:
    assert find_caller((CI, ONCALL), presented) is None


def test_without_tokens_no_caller_is_known() -> None:
    assert find_caller((), "eis_ci") is None


@given(st.text(), st.text())
def test_only_the_exact_text_of_a_token_is_accepted(text: str, presented: str) -> None:
    caller = find_caller([make_token("ci", text or "-")], presented)

    assert (caller is not None) == (presented == (text or "-"))


def test_every_token_is_compared_even_after_a_match() -> None:
    tokens = iter([CI, ONCALL, make_token("second")])

    assert find_caller(tokens, "eis_ci") is not None
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
