"""The stages in .chalice/config.json. Every command reads them, `deploy` writes them."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from chalicelib.settings import PLACEHOLDER
from ops.console import CommandError

ROOT = Path(__file__).parents[1]
CONFIG = ROOT / ".chalice" / "config.json"
# The CloudFormation templates and their parameters.
INFRA = ROOT / "infra"
APP = "ec2-inspec-scan"
# Deploying sets these: the account and the region that a stage belongs to.
HOME_SETTINGS = ("ACCOUNT_ID", "REGION")
# The name of the reports bucket contains the stage, and S3 allows 63 characters.
_STAGE_NAME = re.compile(r"[a-z][a-z0-9-]{0,9}")
# Region and account in the ARNs of what Chalice has deployed.
_ARN = re.compile(r"arn:[a-z-]+:lambda:(?P<region>[a-z0-9-]+):(?P<account_id>\d{12}):")


class Home(NamedTuple):
    """The account and the region that a stage belongs to, and the file that says so."""

    account_id: str
    region: str
    file: str


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage: its name, and the environment variables of its functions."""

    name: str
    env: Mapping[str, str]

    @property
    def prefix(self) -> str:
        """The prefix of all resource names. The function of the API has it as its whole name."""
        return f"{APP}-{self.name}"

    @property
    def with_authorizer(self) -> bool:
        """Whether callers of the API authenticate with tokens."""
        return self.env.get("API_AUTH", "token") == "token"

    @property
    def homes(self) -> tuple[Home, ...]:
        """Where it was deployed, by its settings and by the record of Chalice; () if nowhere."""
        account_id, region = (str(self.env.get(each, "")) for each in HOME_SETTINGS)
        homes = [Home(account_id, region, short_path(CONFIG))] if account_id and region else []
        text = self.record.read_text("utf-8") if self.record.exists() else ""
        homes += [
            Home(found["account_id"], found["region"], short_path(self.record))
            for found in _ARN.finditer(text)
        ]
        return tuple(dict.fromkeys(homes))

    @property
    def record(self) -> Path:
        """The file in which Chalice notes what it has deployed."""
        return CONFIG.parent / "deployed" / f"{self.name}.json"

    def require_setting(self, name: str) -> str:
        """Return a setting, or raise `CommandError` if it is missing or a placeholder."""
        value = self.env.get(name, "").strip()
        if not value or PLACEHOLDER in value:
            raise CommandError(
                f"{name} is not set for the stage {self.name}; set it in {short_path(CONFIG)}"
            )
        return value


def require_stage_name(name: str) -> None:
    """Raise `CommandError` unless this can be the name of a stage."""
    if not _STAGE_NAME.fullmatch(name):
        raise CommandError(
            f"{name} is not a valid stage name; use up to 10 lower-case letters, digits and "
            "hyphens, and start with a letter"
        )


def read_stage(name: str, config: Path = CONFIG) -> Stage:
    """Read a stage, or raise `CommandError` that lists the stages of the file."""
    content = _load(config)
    stages: Mapping[str, Any] = content.get("stages", {})
    if name not in stages:
        known = ", ".join(sorted(stages)) or "none"
        raise CommandError(
            f"{short_path(config)} has no stage {name}, only {known}; "
            "docs/runbook.md explains how to add one"
        )
    shared: Mapping[str, str] = content.get("environment_variables", {})
    own: Mapping[str, str] = stages[name].get("environment_variables", {})
    return Stage(name, {**shared, **own})


def write_settings(name: str, settings: Mapping[str, str], config: Path = CONFIG) -> list[str]:
    """Set environment variables of a stage, and return the names of those that changed."""
    content = _load(config)
    env = content["stages"][name].setdefault("environment_variables", {})
    changed = [setting for setting, value in settings.items() if env.get(setting) != value]
    if changed:
        env.update(settings)
        config.write_text(f"{json.dumps(content, indent=2)}\n", encoding="utf-8")
    return changed


def list_policy_files(name: str, config: Path = CONFIG) -> list[Path]:
    """List the IAM policy files that a stage names. They may not exist."""
    functions = _load(config)["stages"][name].get("lambda_functions", {}).values()
    names = [each["iam_policy_file"] for each in functions if "iam_policy_file" in each]
    return [config.parent / file for file in names]


def read_architecture(name: str, config: Path = CONFIG) -> str:
    """Read the processor architecture of a stage's functions. Chalice defaults to x86_64."""
    architecture: str = _load(config)["stages"][name].get("lambda_architecture", "x86_64")
    return architecture


def short_path(path: Path) -> str:
    """Name a file with its folder, for messages."""
    return f"{path.parent.name}/{path.name}"


def _load(config: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(config.read_bytes())
    except FileNotFoundError as error:
        raise CommandError(
            f"{short_path(config)} is missing; run this in a full checkout of the project"
        ) from error
    except json.JSONDecodeError as error:
        raise CommandError(f"{short_path(config)} is not valid JSON: {error}") from error
    return content
