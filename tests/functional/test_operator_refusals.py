"""What an operator's command says when something is missing: one line, before anything is done."""

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


def refused(desk: Desk, command: str, *arguments: str, **env: str) -> str:
    """The one line that a command ends with; nothing was made."""
    code, _, said = desk.run(command, *arguments, **env)
    assert code == 1
    (line,) = said.splitlines()
    assert desk.stacks() == []
    return line


@pytest.mark.parametrize("command", ["deploy", "scan", "ping", "destroy", "package"])
def test_a_stage_that_is_not_there(desk: Desk, command: str) -> None:
    line = refused(desk, command, "--stage", "test", **desk.account)
    assert "has no stage test, only dev, prod" in line


@pytest.mark.parametrize("command", ["deploy", "scan", "ping", "destroy", "package"])
def test_without_a_region(desk: Desk, command: str) -> None:
    line = refused(desk, command, "--stage", "dev", SLACK_CHANNEL="C0123456789")
    assert "export AWS_DEFAULT_REGION=" in line


@pytest.mark.parametrize("command", ["deploy", "scan", "ping", "destroy"])
def test_without_credentials(desk: Desk, command: str) -> None:
    env = {"AWS_DEFAULT_REGION": REGION, "SLACK_CHANNEL": "C0123456789"}
    assert "no AWS credentials were found" in refused(desk, command, "--stage", "dev", **env)


def test_with_a_profile_that_is_not_there(desk: Desk) -> None:
    line = refused(desk, "scan", "--stage", "dev", AWS_PROFILE="absent")
    assert "absent" in line
    assert "AWS_PROFILE" in line


def test_deploying_without_a_channel(desk: Desk) -> None:
    line = refused(desk, "deploy", "--stage", "dev", **{**desk.account, "SLACK_CHANNEL": ""})
    assert "SLACK_CHANNEL=C0123456789" in line


def test_deploying_to_a_channel_by_its_name(desk: Desk) -> None:
    line = refused(desk, "deploy", "--stage", "dev", **{**desk.account, "SLACK_CHANNEL": "#alerts"})
    assert "is no channel ID" in line


def test_deploying_without_slack_s_token(desk: Desk) -> None:
    line = refused(desk, "deploy", "--stage", "dev", **desk.account)
    assert f"aws ssm put-parameter --type SecureString --name {SLACK_TOKEN}" in line


def test_deploying_with_slack_s_token_in_plain_text(desk: Desk) -> None:
    desk.put("String")
    line = refused(desk, "deploy", "--stage", "dev", **desk.account)
    assert "in plain text" in line
    assert TOKEN not in line


def test_deploying_where_nobody_can_be_asked(desk: Desk) -> None:
    desk.put("SecureString")
    assert "say YES=1" in refused(desk, "deploy", "--stage", "dev", **desk.account)


@pytest.mark.parametrize(
    ("file", "change", "said"),
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
def test_deploying_with_a_wrong_value(
    desk: Desk, file: str, change: dict[str, Any], said: str
) -> None:
    desk.put("SecureString")
    desk.edit(file, change)
    assert said in refused(desk, "deploy", "--stage", "dev", **desk.account, YES="1")


def test_files_that_are_no_json(desk: Desk) -> None:
    (desk.path / "infra" / "parameters.json").write_text("{")
    desk.put("SecureString")
    line = refused(desk, "deploy", "--stage", "dev", **desk.account)
    assert "infra/parameters.json is no JSON" in line
    (desk.path / ".chalice" / "config.json").write_text("{")
    assert "cannot be read" in refused(desk, "deploy", "--stage", "dev", **desk.account)


def test_scanning_where_nothing_is_deployed(desk: Desk) -> None:
    line = refused(desk, "scan", "--stage", "dev", **desk.account)
    assert "there is no function ec2-inspec-scan-dev-reconcile here: make deploy first" in line


def test_accepting_missing_nodes_is_asked_for(desk: Desk) -> None:
    line = refused(desk, "scan", "--stage", "dev", "--accept-missing", **desk.account)
    assert "say YES=1" in line


def test_a_ping_without_a_token(desk: Desk) -> None:
    desk.edit(".chalice/config.json", {"stages/dev/environment_variables/SLACK_CHANNEL": "C012"})
    line = refused(desk, "ping", "--stage", "dev", **desk.account)
    assert SLACK_TOKEN in line
    assert "SLACK_TOKEN_PARAMETER" in line


def test_destroying_asks_for_the_name_of_the_stage(desk: Desk) -> None:
    assert "say YES=dev" in refused(desk, "destroy", "--stage", "dev", **desk.account)
    line = refused(desk, "destroy", "--stage", "dev", **desk.account, YES="1")
    assert "nothing was done" in line
