"""The token commands as an operator runs them, each in its own process."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chalicelib.adapters.access_tokens import MOST_BYTES, ParameterTokens
from chalicelib.domain.access import AccessToken, Role, find_token, hash_token
from devstack.aws.session import make_session
from devstack.environment import REGION
from devstack.stack import RunningStack, Stack, publish_running, run_stack

pytestmark = pytest.mark.enable_socket

ROOT = Path(__file__).parents[2]
DEV, PROD = "/ec2-inspec-scan/dev/api-tokens", "/ec2-inspec-scan/prod/api-tokens"


@pytest.fixture(scope="module")
def running() -> Iterator[Stack]:
    with run_stack() as started:
        yield started


def command(cwd: Path, *arguments: str, **env: str) -> tuple[int, str, str]:
    """Run a program to its end; returns exit code, output, errors."""
    done = subprocess.run(  # noqa: S603 - our own program
        arguments,
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **env},
        capture_output=True,
        check=False,
        timeout=60,
        text=True,
    )
    return done.returncode, done.stdout, done.stderr


def credentials(running: Stack) -> dict[str, str]:
    """What the AWS CLI of a user would work with."""
    return {
        "AWS_ENDPOINT_URL": running.aws.url,
        "AWS_ACCESS_KEY_ID": "devstack",
        "AWS_SECRET_ACCESS_KEY": "devstack",
        "AWS_DEFAULT_REGION": REGION,
    }


def ops_token(running: Stack, cwd: Path, *arguments: str) -> tuple[int, str, str]:
    python = (sys.executable, "-m", "ops", "token")
    return command(cwd, *python, *arguments, **credentials(running))


def stored(running: Stack, parameter: str) -> tuple[AccessToken, ...]:
    with closing(make_session().client("ssm", endpoint_url=running.aws.url)) as ssm:
        return ParameterTokens(ssm, parameter).all()


def save(running: Stack, parameter: str, *tokens: AccessToken) -> None:
    with closing(make_session().client("ssm", endpoint_url=running.aws.url)) as ssm:
        ParameterTokens(ssm, parameter).change(lambda _: tokens)


def identify(tokens: tuple[AccessToken, ...], text: str) -> tuple[str, Role] | None:
    found = find_token(tokens, text)
    return (found.name, found.role) if found else None


def test_a_token_of_a_stage_is_added_listed_and_revoked(running: Stack, tmp_path: Path) -> None:
    where = ("--stage", "dev")
    code, output, errors = ops_token(running, tmp_path, "list", *where)
    assert (code, output, errors) == (
        0,
        "No tokens. The API refuses every caller.\n",
        "",
    )
    code, output, errors = ops_token(
        running, tmp_path, "add", *where, "--name", "oncall", "--role", "operator"
    )
    assert (code, errors) == (0, "")
    token = output.splitlines()[0]
    assert re.fullmatch(r"eis_[A-Za-z0-9_-]{43}", token)
    assert identify(stored(running, DEV), token) == ("oncall", Role.OPERATOR)
    assert stored(running, PROD) == ()
    code, output, errors = ops_token(running, tmp_path, "list", *where)
    assert (code, errors) == (0, "")
    assert re.fullmatch(r"oncall  operator  \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\n", output)
    code, _, errors = ops_token(running, tmp_path, "revoke", *where, "--name", "oncall")
    assert (code, errors) == (0, "")
    assert stored(running, DEV) == ()


def test_a_parameter_may_be_named_itself(running: Stack, tmp_path: Path) -> None:
    where = ("--parameter", "/other/tokens", "--name", "ci", "--role", "viewer")
    code, _, errors = ops_token(running, tmp_path, "add", *where)
    assert (code, errors) == (0, "")
    assert [token.name for token in stored(running, "/other/tokens")] == ["ci"]


def test_an_end_in_the_past_is_an_error_that_names_it_and_writes_nothing(
    running: Stack, tmp_path: Path
) -> None:
    where = ("--parameter", "/ends", "--name", "guest", "--role", "viewer")
    for ends, reason in (
        ("2020-01-31", "The end must lie in the future, not at 2020-02-01 00:00:00 UTC"),
        ("soon", "--ends is 'soon', which is neither a day"),
    ):
        code, output, errors = ops_token(running, tmp_path, "add", *where, "--ends", ends)
        assert (code, output) == (1, "")
        assert errors.startswith("token failed: ")
        assert reason in errors
    assert stored(running, "/ends") == ()


def test_what_cannot_be_done_is_an_error_for_people(running: Stack, tmp_path: Path) -> None:
    kept = AccessToken("ci", Role.VIEWER, hash_token("eis_1"), datetime(2026, 1, 31, tzinfo=UTC))
    save(running, PROD, kept)
    add = ("add", "--role", "viewer", "--name")
    for arguments, reason in (
        ((*add, "ci", "--stage", "prod"), "named ci already exists. Revoke it first"),
        ((*add, "a b", "--stage", "prod"), "'a b' is not a valid token name"),
        (("revoke", "--name", "second", "--stage", "prod"), "No token is named second"),
        (("list", "--stage", "test"), "has no stage test, only dev, prod"),
        (("list", "--parameter", ""), "Parameter validation failed"),
    ):
        code, output, errors = ops_token(running, tmp_path, *arguments)
        assert (code, output) == (1, "")
        assert errors.startswith("token failed: ")
        assert reason in errors
        assert "Traceback" not in errors
    assert stored(running, PROD) == (kept,)


def test_a_full_parameter_takes_no_more_and_says_how_many_fit(
    running: Stack, tmp_path: Path
) -> None:
    made = datetime(2026, 1, 31, tzinfo=UTC)
    full = [AccessToken(f"{n:064}", Role.VIEWER, hash_token(str(n)), made) for n in range(20)]
    save(running, "/full", *full)
    code, output, errors = ops_token(
        running, tmp_path, "add", "--parameter", "/full", "--name", "a" * 64, "--role", "viewer"
    )
    assert (code, output) == (1, "")
    assert f"holds {MOST_BYTES:,}: 20 of them fit" in errors


def test_a_malformed_list_is_not_written_over(running: Stack, tmp_path: Path) -> None:
    with closing(make_session().client("ssm", endpoint_url=running.aws.url)) as ssm:
        ssm.put_parameter(Name="/malformed", Value="secret", Type="SecureString")
        code, _, errors = ops_token(
            running, tmp_path, "add", "--parameter", "/malformed", "--name", "a", "--role", "viewer"
        )
        found = ssm.get_parameter(Name="/malformed", WithDecryption=True)
    assert code == 1
    assert "does not hold a list of tokens" in errors
    assert "secret" not in errors
    assert found["Parameter"]["Value"] == "secret"


@pytest.mark.parametrize(
    ("env", "reason"),
    [
        ({}, "region"),
        ({"AWS_DEFAULT_REGION": REGION}, "credentials"),
        ({"AWS_PROFILE": "absent"}, "absent"),
    ],
)
def test_without_credentials_the_reason_is_said(
    tmp_path: Path, env: dict[str, str], reason: str
) -> None:
    python = (sys.executable, "-m", "ops", "token")
    nothing = {
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
    code, _, errors = command(tmp_path, *python, "list", "--parameter", "/x", **nothing, **env)
    assert code == 1
    assert reason in errors
    assert "Traceback" not in errors


def test_make_token_makes_one_and_refuses_to_guess(running: Stack) -> None:
    make = (shutil.which("make") or "make", "-o", "setup", "--no-print-directory", "token")
    given = ("STAGE=dev", "NAME=make", "ROLE=viewer", f"VENV={Path(sys.executable).parents[1]}")
    code, output, errors = command(ROOT, *make, *given, **credentials(running))
    assert (code, errors) == (0, "")
    assert identify(stored(running, DEV), output.splitlines()[0]) == ("make", Role.VIEWER)
    code, output, errors = command(
        ROOT, *make, *given, "NAME=guest", "ENDS=2999-01-31", **credentials(running)
    )
    assert (code, errors) == (0, "")
    assert "It ends at 2999-02-01 00:00:00 UTC." in output
    for missing in range(3):
        arguments = [each for number, each in enumerate(given) if number != missing]
        code, output, errors = command(ROOT, *make, *arguments, **credentials(running))
        assert (code, output) == (2, "")
        assert errors.startswith(
            "usage: make token STAGE=dev NAME=who ROLE=viewer|operator [ENDS=2027-01-31]\n"
        )


def devstack(cwd: Path, *arguments: str) -> tuple[int, str, str]:
    return command(cwd, sys.executable, "-m", "devstack", "token", *arguments)


def test_the_stack_of_one_machine_has_the_same_commands(running: Stack, tmp_path: Path) -> None:
    state = RunningStack(running.aws.url, running.slack.page_url, running.env)
    with publish_running(state, tmp_path / "build" / "devstack" / "running.json"):
        code, output, errors = devstack(tmp_path, "add", "--name", "me", "--role", "viewer")
        assert (code, errors) == (0, "")
        tokens = stored(running, running.env["API_TOKENS_PARAMETER"])
        assert identify(tokens, output.splitlines()[0]) == ("me", Role.VIEWER)
        code, output, errors = devstack(tmp_path, "list")
        assert (code, output.split()[:2], errors) == (0, ["me", "viewer"], "")
        code, _, errors = devstack(tmp_path, "add", "--name", "me", "--role", "viewer")
        assert (code, "token failed: A token named me already exists" in errors) == (1, True)
        code, _, errors = devstack(tmp_path, "revoke", "--name", "me")
        assert (code, errors) == (0, "")
        assert stored(running, running.env["API_TOKENS_PARAMETER"]) == ()


def test_without_a_running_stack_the_command_says_how_to_start_one(tmp_path: Path) -> None:
    code, _, errors = devstack(tmp_path, "list")
    assert (code, "Start one in another terminal: make up" in errors) == (1, True)
