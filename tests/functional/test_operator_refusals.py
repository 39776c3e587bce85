"""The operator's commands refuse in one line, before they change anything."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devstack.environment import REGION, TOKEN
from tests.functional.desk import SLACK_TOKEN, Desk, new_desk

pytestmark = pytest.mark.enable_socket


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with new_desk(tmp_path) as desk:
        yield desk


def read_refusal(desk: Desk, verb: str, *arguments: str, **env: str) -> str:
    """Run a verb that must fail before it creates anything, and return its one line."""
    code, _, errors = desk.run(verb, *arguments, **env)
    assert code == 1
    (line,) = errors.splitlines()
    assert desk.stacks() == []
    return line


@pytest.mark.parametrize("verb", ["deploy", "scan", "ping", "destroy", "package"])
def test_a_missing_stage_is_refused(desk: Desk, verb: str) -> None:
    line = read_refusal(desk, verb, "--stage", "test", **desk.account)
    assert "has no stage test, only dev, prod" in line


@pytest.mark.parametrize("verb", ["deploy", "scan", "ping", "destroy", "package"])
def test_a_missing_region_is_refused(desk: Desk, verb: str) -> None:
    line = read_refusal(desk, verb, "--stage", "dev", SLACK_CHANNEL="C0123456789")
    assert "export AWS_DEFAULT_REGION=" in line


@pytest.mark.parametrize("verb", ["deploy", "scan", "ping", "destroy"])
def test_missing_credentials_are_refused(desk: Desk, verb: str) -> None:
    env = {"AWS_DEFAULT_REGION": REGION, "SLACK_CHANNEL": "C0123456789"}
    assert "no AWS credentials were found" in read_refusal(desk, verb, "--stage", "dev", **env)


def test_a_missing_profile_is_refused(desk: Desk) -> None:
    line = read_refusal(desk, "scan", "--stage", "dev", AWS_PROFILE="absent")
    assert "absent" in line
    assert "AWS_PROFILE" in line


def test_deploying_without_a_channel_is_refused(desk: Desk) -> None:
    line = read_refusal(desk, "deploy", "--stage", "dev", **{**desk.account, "SLACK_CHANNEL": ""})
    assert "SLACK_CHANNEL=C0123456789" in line


def test_deploying_to_a_channel_name_is_refused(desk: Desk) -> None:
    line = read_refusal(
        desk, "deploy", "--stage", "dev", **{**desk.account, "SLACK_CHANNEL": "#alerts"}
    )
    assert "is not a channel ID" in line


def test_deploying_without_the_slack_token_is_refused(desk: Desk) -> None:
    line = read_refusal(desk, "deploy", "--stage", "dev", **desk.account)
    assert f"aws ssm put-parameter --type SecureString --name {SLACK_TOKEN}" in line


def test_a_slack_token_in_plain_text_is_refused(desk: Desk) -> None:
    desk.put("String")
    line = read_refusal(desk, "deploy", "--stage", "dev", **desk.account)
    assert "in plain text" in line
    assert TOKEN not in line


def test_deploying_without_a_terminal_needs_the_variable(desk: Desk) -> None:
    desk.put("SecureString")
    assert "set YES=1 to confirm" in read_refusal(desk, "deploy", "--stage", "dev", **desk.account)


@pytest.mark.parametrize(
    ("file", "change", "expected"),
    [
        (".chalice/config.json", {"stages/dev/environment_variables/TIMEZONE": "Mars"}, "TIMEZONE"),
        (".chalice/config.json", {"stages/dev/environment_variables/STAGE": "prod"}, "STAGE"),
        (
            ".chalice/config.json",
            {"stages/dev/lambda_functions/reconcile/iam_policy_file": "policy-absent.json"},
            "policy-absent.json",
        ),
        ("infra/parameters.json", {"dev/datas": {}}, "datas"),
    ],
)
def test_deploying_with_a_wrong_value_is_refused(
    desk: Desk, file: str, change: dict[str, Any], expected: str
) -> None:
    desk.put("SecureString")
    desk.edit(file, change)
    assert expected in read_refusal(desk, "deploy", "--stage", "dev", **desk.account, YES="1")


def test_files_that_are_not_json_are_refused(desk: Desk) -> None:
    (desk.path / "infra" / "parameters.json").write_text("{")
    desk.put("SecureString")
    line = read_refusal(desk, "deploy", "--stage", "dev", **desk.account)
    assert "infra/parameters.json is not valid JSON" in line
    (desk.path / ".chalice" / "config.json").write_text("{")
    assert ".chalice/config.json is not valid JSON" in read_refusal(
        desk, "deploy", "--stage", "dev", **desk.account
    )


def test_scanning_before_a_deployment_is_refused(desk: Desk) -> None:
    line = read_refusal(desk, "scan", "--stage", "dev", **desk.account)
    assert "ec2-inspec-scan-dev-reconcile does not exist; run make deploy STAGE=dev first" in line


def test_accepting_missing_nodes_needs_confirmation(desk: Desk) -> None:
    line = read_refusal(desk, "scan", "--stage", "dev", "--accept-missing", **desk.account)
    assert "set YES=1 to confirm" in line


def test_a_ping_without_the_slack_token_is_refused(desk: Desk) -> None:
    desk.edit(".chalice/config.json", {"stages/dev/environment_variables/SLACK_CHANNEL": "C012"})
    line = read_refusal(desk, "ping", "--stage", "dev", **desk.account)
    assert SLACK_TOKEN in line
    assert "SLACK_TOKEN_PARAMETER" in line


def test_destroying_needs_the_name_of_the_stage(desk: Desk) -> None:
    assert "set YES=dev to confirm" in read_refusal(
        desk, "destroy", "--stage", "dev", **desk.account
    )
    line = read_refusal(desk, "destroy", "--stage", "dev", **desk.account, YES="1")
    assert "nothing was done" in line
