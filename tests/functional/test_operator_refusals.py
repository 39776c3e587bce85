"""What an operator's command says when something is missing: one line, before anything is done."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from devstack.aws.server import AwsServer, aws_server
from devstack.aws.session import local_session
from devstack.names import REGION, TOKEN

pytestmark = pytest.mark.enable_socket

ROOT = Path(__file__).parents[2]
SLACK_TOKEN = "/ec2-inspec-scan/dev/slack-token"
NOBODY = {
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


@dataclass(frozen=True)
class Desk:
    """A checkout to work in, and an account that is empty."""

    path: Path
    aws: AwsServer

    def run(self, command: str, *arguments: str, **env: str) -> tuple[int, str]:
        """Exit code and standard error of a command; nothing of AWS is taken from this process."""
        plain = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        ran = subprocess.run(  # noqa: S603 - our own program and arguments
            [sys.executable, "-m", f"infra.{command}", *arguments],
            cwd=self.path,
            env={**plain, **NOBODY, "PYTHONDONTWRITEBYTECODE": "1", **env},
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        return ran.returncode, ran.stderr

    @property
    def account(self) -> dict[str, str]:
        """The environment of somebody who is signed in."""
        return {
            "AWS_ENDPOINT_URL": self.aws.url,
            "AWS_ACCESS_KEY_ID": "devstack",
            "AWS_SECRET_ACCESS_KEY": "devstack",
            "AWS_DEFAULT_REGION": REGION,
            "SLACK_CHANNEL": "C0123456789",
        }

    def edit(self, name: str, change: dict[str, Any]) -> None:
        """Change a JSON file: each key is a path of names, joined by slashes."""
        path = self.path / name
        read = json.loads(path.read_text())
        for where, value in change.items():
            *parts, last = where.split("/")
            place = read
            for part in parts:
                place = place[part]
            place[last] = value
        path.write_text(json.dumps(read))

    def put(self, kind: str) -> None:
        """Store Slack's token."""
        with closing(local_session().client("ssm", endpoint_url=self.aws.url)) as ssm:
            ssm.put_parameter(Name=SLACK_TOKEN, Value=TOKEN, Type=kind)  # type: ignore[arg-type]

    def stacks(self) -> list[str]:
        """The stacks of the account."""
        with closing(local_session().client("cloudformation", endpoint_url=self.aws.url)) as client:
            return [each["StackName"] for each in client.describe_stacks()["Stacks"]]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    for part in (".chalice", "chalicelib", "infra"):
        ignore = shutil.ignore_patterns("__pycache__", "deployments", "deployed")
        shutil.copytree(ROOT / part, tmp_path / part, ignore=ignore)
    with aws_server() as aws:
        yield Desk(tmp_path, aws)


def refused(desk: Desk, command: str, *arguments: str, **env: str) -> str:
    """The one line that a command ends with; nothing was made."""
    code, said = desk.run(command, *arguments, **env)
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
