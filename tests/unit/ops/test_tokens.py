import argparse
import io
import re
from datetime import UTC, datetime

import pytest

from chalicelib.domain.access import AccessToken, Caller, Role, find_caller, hash_token
from chalicelib.domain.errors import NotFound, RuleBroken
from ops import tokens
from tests.fakes import MemoryTokens

NOW = datetime(2026, 1, 31, 8, 15, 30, 123456, tzinfo=UTC)
CI = AccessToken("ci", Role.VIEWER, hash_token("eis_1"), NOW)
OPS = AccessToken("operations", Role.OPERATOR, hash_token("eis_2"), NOW)


def run(store: MemoryTokens, *arguments: str) -> str:
    parser = argparse.ArgumentParser()
    tokens.add_verbs(parser)
    out = io.StringIO()
    tokens.run_verb(parser.parse_args(arguments), store, out)
    return out.getvalue()


def test_tokens_are_long_and_never_repeat() -> None:
    generated = [tokens.generate_token() for _ in range(100)]

    assert len(set(generated)) == 100
    assert all(re.fullmatch(r"eis_[A-Za-z0-9_-]{43}", token) for token in generated)


def test_a_new_token_is_shown_and_only_its_hash_is_stored() -> None:
    store = MemoryTokens(CI)

    output = run(store, "add", "--name", "oncall", "--role", "operator")

    token = output.splitlines()[0]
    assert find_caller(store.all(), token) == Caller("oncall", Role.OPERATOR)
    assert output.count(token) == 1
    assert store.all()[-1].sha256 not in output
    assert "Authorization: Bearer" in output
    assert store.all()[0] == CI


def test_a_token_has_its_creation_time_in_whole_seconds() -> None:
    store = MemoryTokens()

    tokens.add_token(store, "ci", Role.VIEWER, NOW)

    (token,) = store.all()
    assert token.created_at == NOW.replace(microsecond=0)


def test_the_list_shows_names_roles_and_dates_but_no_hash() -> None:
    output = run(MemoryTokens(CI, OPS), "list")

    assert output.splitlines() == [
        "ci          viewer    2026-01-31 08:15:30 UTC",
        "operations  operator  2026-01-31 08:15:30 UTC",
    ]


def test_an_empty_list_explains_the_consequence() -> None:
    assert run(MemoryTokens(), "list") == "No tokens. The API refuses every caller.\n"


def test_a_revoked_token_is_removed() -> None:
    store = MemoryTokens(CI, OPS)

    assert "Revoked ci" in run(store, "revoke", "--name", "ci")

    assert store.all() == (OPS,)


def test_a_refused_verb_changes_nothing() -> None:
    store = MemoryTokens(CI)

    with pytest.raises(RuleBroken):
        run(store, "add", "--name", "ci", "--role", "viewer")
    with pytest.raises(NotFound):
        run(store, "revoke", "--name", "oncall")

    assert store.all() == (CI,)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("add", "--name", "ci"),
        ("add", "--role", "viewer"),
        ("add", "--name", "ci", "--role", "admin"),
        ("revoke",),
        ("rotate",),
    ],
)
def test_wrong_arguments_are_a_usage_error(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        run(MemoryTokens(), *arguments)

    assert "usage:" in capsys.readouterr().err
