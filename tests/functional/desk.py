"""A checkout and an empty account, to try the operator's commands in."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devstack.aws.server import AwsServer, serve_aws
from devstack.aws.session import make_session
from devstack.environment import REGION, TOKEN

ROOT = Path(__file__).parents[2]
SLACK_TOKEN = "/ec2-inspec-scan/dev/slack-token"
NOBODY = {
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


@dataclass(frozen=True)
class Desk:
    """A checkout to work in, and an empty account."""

    path: Path
    aws: AwsServer

    def run(self, verb: str, *arguments: str, **env: str) -> tuple[int, str, str]:
        """Runs a verb of `python -m ops` without this process's AWS settings.

        Returns exit code, output and errors.
        """
        plain = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        ran = subprocess.run(  # noqa: S603 - our own program and arguments
            [sys.executable, "-m", "ops", verb, *arguments],
            cwd=self.path,
            env={**plain, **NOBODY, "PYTHONDONTWRITEBYTECODE": "1", **env},
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        return ran.returncode, ran.stdout, ran.stderr

    @property
    def account(self) -> dict[str, str]:
        """The environment of an operator who is signed in."""
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
        with closing(make_session().client("ssm", endpoint_url=self.aws.url)) as ssm:
            ssm.put_parameter(Name=SLACK_TOKEN, Value=TOKEN, Type=kind)  # type: ignore[arg-type]

    def stacks(self) -> list[str]:
        """The stacks of the account."""
        with closing(make_session().client("cloudformation", endpoint_url=self.aws.url)) as client:
            return [each["StackName"] for each in client.describe_stacks()["Stacks"]]


@contextmanager
def new_desk(directory: Path) -> Iterator[Desk]:
    """Copy what the commands need into `directory`, and open an account."""
    for part in (".chalice", "chalicelib", "infra", "ops"):
        ignore = shutil.ignore_patterns("__pycache__", "deployments", "deployed")
        shutil.copytree(ROOT / part, directory / part, ignore=ignore)
    with serve_aws() as aws:
        yield Desk(directory, aws)
