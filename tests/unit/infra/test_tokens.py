import argparse
import io
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from chalicelib.adapters.access_tokens import MemoryTokens
from chalicelib.domain.access import AccessToken, Caller, Role, caller_of, digest_of
from chalicelib.domain.errors import BadSetting, NotFound, RuleBroken
from infra import token_commands, tokens

NOW = datetime(2026, 1, 31, 8, 15, 30, 123456, tzinfo=UTC)
CI = AccessToken("ci", Role.VIEWER, digest_of("eis_1"), NOW)
OPS = AccessToken("operations", Role.OPERATOR, digest_of("eis_2"), NOW)


def run(store: MemoryTokens, *arguments: str) -> str:
    parser = argparse.ArgumentParser()
    token_commands.add_commands(parser)
    out = io.StringIO()
    token_commands.run(parser.parse_args(arguments), store, out)
    return out.getvalue()


def test_tokens_are_long_and_never_the_same() -> None:
    made = [token_commands.new_token() for _ in range(100)]
    assert len(set(made)) == 100
    assert all(re.fullmatch(r"eis_[A-Za-z0-9_-]{43}", token) for token in made)


def test_a_new_token_is_shown_and_only_its_hash_is_kept() -> None:
    store = MemoryTokens(CI)
    output = run(store, "add", "--name", "oncall", "--role", "operator")
    token = output.splitlines()[0]
    assert caller_of(store.all(), token) == Caller("oncall", Role.OPERATOR)
    assert output.count(token) == 1
    assert store.all()[-1].sha256 not in output
    assert "Authorization: Bearer" in output
    assert store.all()[0] == CI


def test_a_token_has_the_time_of_its_making_in_whole_seconds() -> None:
    store = MemoryTokens()
    token_commands.add_token(store, "ci", Role.VIEWER, NOW)
    (token,) = store.all()
    assert token.created_at == NOW.replace(microsecond=0)


def test_the_list_shows_names_roles_and_dates_but_no_hash() -> None:
    output = run(MemoryTokens(CI, OPS), "list")
    assert output.splitlines() == [
        "ci          viewer    2026-01-31 08:15:30 UTC",
        "operations  operator  2026-01-31 08:15:30 UTC",
    ]


def test_an_empty_list_says_what_that_means() -> None:
    assert run(MemoryTokens(), "list") == "No token exists: the API refuses every request.\n"


def test_a_revoked_token_is_gone() -> None:
    store = MemoryTokens(CI, OPS)
    assert "Revoked ci" in run(store, "revoke", "--name", "ci")
    assert store.all() == (OPS,)


def test_a_refused_command_changes_and_shows_nothing() -> None:
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
def test_wrong_arguments_are_an_error_of_usage(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        run(MemoryTokens(), *arguments)
    assert "usage:" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [("list",), ("list", "--stage", "dev", "--parameter", "/tokens")]
)
def test_a_stage_or_a_parameter_is_needed_and_not_both(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        tokens.parser().parse_args(arguments)
    assert "--parameter" in capsys.readouterr().err


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_every_stage_of_this_checkout_names_its_parameter(stage: str) -> None:
    assert tokens.parameter_of(stage) == f"/ec2-inspec-scan/{stage}/api-tokens"


def config(folder: Path, content: Any) -> Path:
    path = folder / "config.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def stage_with(value: str) -> dict[str, Any]:
    return {"environment_variables": {"API_TOKENS_PARAMETER": value}}


def test_a_stage_has_the_settings_of_all_stages_and_its_own_come_first(tmp_path: Path) -> None:
    both = {**stage_with("/all"), "stages": {"dev": {}, "prod": stage_with("/prod")}}
    path = config(tmp_path, both)
    assert tokens.parameter_of("dev", path) == "/all"
    assert tokens.parameter_of("prod", path) == "/prod"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{", "cannot be read"),
        ({"version": "2.0"}, "cannot be read"),
        ({"stages": {"prod": {}, "test": {}}}, "has no stage dev, only prod, test"),
        ({"stages": {"dev": {}}}, "set it for the stage dev"),
        ({"stages": {"dev": stage_with(" ")}}, "set it for the stage dev"),
        ({"stages": {"dev": stage_with("/CHANGE-ME")}}, "set it for the stage dev"),
    ],
)
def test_a_configuration_without_the_parameter_is_refused(
    tmp_path: Path, content: Any, problem: str
) -> None:
    with pytest.raises(BadSetting, match=problem):
        tokens.parameter_of("dev", config(tmp_path, content))


def test_a_missing_configuration_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="cannot be read"):
        tokens.parameter_of("dev", tmp_path / "absent.json")
