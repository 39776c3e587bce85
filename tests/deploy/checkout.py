"""A copy of the project to deploy from, configured as an operator would do it."""

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devstack.environment import ACCOUNT

PROJECT = Path(__file__).parents[2]
PARTS = (
    *(".chalice", "Makefile", "app.py", "chalicelib", "infra", "inspec", "ops"),
    "requirements.txt",
)
STAGE = "dev"
# Chalice's name for this machine's architecture. The package runs on this machine.
ARCHITECTURE = "arm64" if platform.machine() in {"aarch64", "arm64"} else "x86_64"
# Seconds. A deployment over local HTTP takes at most a minute.
LONGEST = 300


@dataclass(frozen=True)
class Checkout:
    """The copy at `path`, and the environment of its operator."""

    path: Path
    env: Mapping[str, str]

    @property
    def config(self) -> dict[str, Any]:
        """The present content of .chalice/config.json."""
        read: dict[str, Any] = json.loads((self.path / ".chalice" / "config.json").read_bytes())
        return read

    def configure(self, **settings: str) -> None:
        """Set environment variables of the stage, as an operator edits .chalice/config.json."""
        config = self.config
        config["stages"][STAGE]["environment_variables"].update(settings)
        self._write(config)

    def python(self, *arguments: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
        """Run a Python command of the project in the copy."""
        return subprocess.run(  # noqa: S603 - our own program and arguments
            [sys.executable, *arguments],
            cwd=self.path,
            env={**_plain(), **self.env},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=LONGEST,
            check=False,
        )

    def _write(self, config: Mapping[str, Any]) -> None:
        text = json.dumps(config, indent=2)
        (self.path / ".chalice" / "config.json").write_text(f"{text}\n")


def checkout(directory: Path, env: Mapping[str, str]) -> Checkout:
    """Copy the project into `directory`, with functions that run on this machine."""
    for part in PARTS:
        source = PROJECT / part
        if source.is_dir():
            ignore = shutil.ignore_patterns("__pycache__", "deployed", "deployments", "venv")
            shutil.copytree(source, directory / part, ignore=ignore)
        else:
            shutil.copy(source, directory / part)
    for policy in (directory / ".chalice").glob("policy-*.json"):
        policy.write_text(_adapt_policy(policy.read_text()))
    copy = Checkout(directory, env)
    config = copy.config
    config["stages"][STAGE]["lambda_architecture"] = ARCHITECTURE
    copy._write(config)
    return copy


def _adapt_policy(text: str) -> str:
    """Adapts a policy to the emulator, which neither replaces variables nor knows leading keys.

    Without the key `ForAllValues` holds, and `Null` would refuse every request.
    `tests/permissions` covers both.
    """
    policy = json.loads(text.replace("${aws:PrincipalAccount}", ACCOUNT))
    for statement in policy["Statement"]:
        statement.get("Condition", {}).pop("Null", None)
    return json.dumps(policy, indent=2)


def _plain() -> dict[str, str]:
    """The environment of this process without AWS, coverage and pytest."""
    alien = ("AWS_", "COV_", "COVERAGE_", "PYTEST_")
    plain = {name: value for name, value in os.environ.items() if not name.startswith(alien)}
    return {**plain, "PYTHONDONTWRITEBYTECODE": "1", "AWS_EC2_METADATA_DISABLED": "true"}
