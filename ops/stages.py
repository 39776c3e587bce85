"""The stages of .chalice/config.json: read by every command, written by deploy."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chalicelib.settings import PLACEHOLDER
from ops.stop import Stop

ROOT = Path(__file__).parents[1]
CONFIG = ROOT / ".chalice" / "config.json"
APP = "ec2-inspec-scan"


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage: its name, and the environment that its functions get."""

    name: str
    env: Mapping[str, str]

    @property
    def prefix(self) -> str:
        """How the names of all its resources begin; the API's function is called just so."""
        return f"{APP}-{self.name}"

    @property
    def with_authorizer(self) -> bool:
        """Whether callers of the API show tokens."""
        return self.env.get("API_AUTH", "token") == "token"

    def setting(self, name: str) -> str:
        """A setting that has to be there; `Stop` names one that is missing."""
        value = self.env.get(name, "").strip()
        if not value or PLACEHOLDER in value:
            raise Stop(f"{name} is not set for the stage {self.name}: set it in {_shown(CONFIG)}")
        return value


def read_stage(name: str, config: Path = CONFIG) -> Stage:
    """The stage of this name; `Stop` says which there are."""
    read = _read(config)
    stages: Mapping[str, Any] = read.get("stages", {})
    if name not in stages:
        known = ", ".join(sorted(stages)) or "none"
        raise Stop(
            f"{_shown(config)} has no stage {name}, only {known}; "
            "docs/runbook.md says how to add one"
        )
    everywhere: Mapping[str, str] = read.get("environment_variables", {})
    here: Mapping[str, str] = stages[name].get("environment_variables", {})
    return Stage(name, {**everywhere, **here})


def write_settings(name: str, settings: Mapping[str, str], config: Path = CONFIG) -> list[str]:
    """Set environment variables of a stage; returns the names of those that changed."""
    read = _read(config)
    env = read["stages"][name].setdefault("environment_variables", {})
    changed = [each for each, value in settings.items() if env.get(each) != value]
    if changed:
        env.update(settings)
        config.write_text(f"{json.dumps(read, indent=2)}\n", encoding="utf-8")
    return changed


def policy_files(name: str, config: Path = CONFIG) -> list[Path]:
    """The files of a stage's policies, whether they exist or not."""
    functions = _read(config)["stages"][name].get("lambda_functions", {})
    named = [each["iam_policy_file"] for each in functions.values() if "iam_policy_file" in each]
    return [config.parent / file for file in named]


def _read(config: Path) -> dict[str, Any]:
    try:
        read: dict[str, Any] = json.loads(config.read_bytes())
    except FileNotFoundError as error:
        raise Stop(f"{_shown(config)} is missing; work in a checkout of the project") from error
    except json.JSONDecodeError as error:
        raise Stop(f"{_shown(config)} cannot be read: {error}") from error
    return read


def _shown(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"
