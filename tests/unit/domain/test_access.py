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


def token(name: str, text: str = "", role: Role = Role.VIEWER) -> AccessToken:
    return AccessToken(name, role, hash_token(text or f"eis_{name}"), NOW)


CI, ONCALL = token("ci"), token("oncall", role=Role.OPERATOR)


def test_only_the_hash_of_a_token_is_kept() -> None:
    assert hash_token("eis_ci") == hashlib.sha256(b"eis_ci").hexdigest()


@pytest.mark.parametrize("tokens", [(CI, ONCALL), (ONCALL, CI)])
def test_a_token_is_known_wherever_it_stands(tokens: tuple[AccessToken, ...]) -> None:
    assert find_caller(tokens, "eis_ci") == Caller("ci", Role.VIEWER)
    assert find_caller(tokens, "eis_oncall") == Caller("oncall", Role.OPERATOR)


@pytest.mark.parametrize(
    "presented", ["", "eis_c", "eis_ci ", "EIS_CI", "ci", CI.sha256, "é", "\udce9"]
)
def test_anything_else_is_nobodys(presented: str) -> None:
    assert find_caller((CI, ONCALL), presented) is None


def test_without_tokens_nobody_is_known() -> None:
    assert find_caller((), "eis_ci") is None


@given(st.text(), st.text())
def test_a_token_lets_in_exactly_who_presents_it(text: str, presented: str) -> None:
    known = find_caller([token("ci", text or "-")], presented)
    assert (known is not None) == (presented == (text or "-"))


def test_every_token_is_compared_whichever_fits() -> None:
    tokens = iter([CI, ONCALL, token("second")])
    assert find_caller(tokens, "eis_ci") is not None
    assert next(tokens, None) is None


def test_a_viewer_reads_and_an_operator_also_changes() -> None:
    assert list_methods(Role.VIEWER) == ("GET",)
    assert set(list_methods(Role.OPERATOR)) == {"GET", "POST", "PUT", "PATCH", "DELETE"}


def test_every_role_has_methods() -> None:
    assert all(list_methods(role) for role in Role)


def test_a_token_does_not_show_its_hash() -> None:
    assert CI.sha256 not in repr(CI)
    assert "ci" in repr(CI)


@pytest.mark.parametrize("name", ["a", "0", "team-a.ci_2", "A" * 64])
def test_a_token_is_added_at_the_end(name: str) -> None:
    assert append_token((CI,), token(name)) == (CI, token(name))


@pytest.mark.parametrize(
    "name", ["", "A" * 65, "-a", ".a", "_a", "a b", "a/b", "a\n", "é", "٣", "arn:aws:iam::1:user/a"]
)
def test_a_malformed_name_is_refused_with_the_form(name: str) -> None:
    with pytest.raises(RuleBroken, match="1 to 64 letters"):
        append_token((), token(name, "text"))


def test_a_taken_name_is_refused_with_what_to_do() -> None:
    with pytest.raises(RuleBroken, match=r"named ci already exists\. Revoke it first"):
        append_token((ONCALL, CI), token("ci", "another", Role.OPERATOR))


def test_a_revoked_token_is_gone_and_the_others_stay() -> None:
    second = token("second")
    assert remove_token((CI, ONCALL, second), "oncall") == (CI, second)


@pytest.mark.parametrize("tokens", [(), (ONCALL,)])
def test_what_is_not_there_cannot_be_revoked(tokens: tuple[AccessToken, ...]) -> None:
    with pytest.raises(NotFound, match=r"No token is named ci\. List the tokens"):
        remove_token(tokens, "ci")


@given(st.lists(st.sampled_from("abcdef"), unique=True))
def test_revoking_undoes_adding(names: list[str]) -> None:
    tokens = tuple(token(name) for name in names)
    assert remove_token(append_token(tokens, CI), "ci") == tokens
