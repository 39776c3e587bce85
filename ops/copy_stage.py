"""Copies a stage of this checkout to a new name, as for another account or region."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from chalicelib.settings import PLACEHOLDER
from ops.console import CommandError
from ops.stages import (
    APP,
    HOME_SETTINGS,
    INFRA,
    ROOT,
    list_policy_files,
    read_stage,
    require_stage_name,
    short_path,
)

# What belongs to one deployment, or would make two share something: deploying sets it anew.
_OWN = ("REPORTS_BUCKET", "SLACK_CHANNEL")
# A setting and a tag.
_SAY_STAGE = ("STAGE", "stage")


def copy_stage(source: str, name: str, root: Path = ROOT) -> str:
    """Write the new stage. Returns the next steps. Raises `CommandError`, and writes nothing."""
    config, parameters = root / ".chalice" / "config.json", root / INFRA.name / "parameters.json"
    read_stage(source, config)
    require_stage_name(name)
    contents = {config: _load(config), parameters: _load(parameters)}
    stages = contents[config]["stages"]
    for file, known in ((config, stages), (parameters, contents[parameters])):
        if name in known:
            raise CommandError(f"{short_path(file)} already has a stage {name}; name another one")
    if source not in contents[parameters]:
        raise CommandError(f"{short_path(parameters)} has no stage {source}")
    policies = _rename_policies(list_policy_files(source, config), source, name)

    stages[name] = _rename(stages[source], source, name)
    env = stages[name].setdefault("environment_variables", {})
    for setting in HOME_SETTINGS:
        env.pop(setting, None)
    env.update({each: _make_placeholder(each, name) for each in _OWN if each in env}, STAGE=name)
    contents[parameters][name] = _rename(contents[parameters][source], source, name)
    for file, text in policies.items():
        file.write_text(text, encoding="utf-8")
    for file, content in contents.items():
        file.write_text(f"{json.dumps(content, indent=2)}\n", encoding="utf-8")
    token = env.get("SLACK_TOKEN_PARAMETER", "")
    return "\n".join(
        [
            f"Copied the stage {source} to {name}. Next, with the credentials of its account:",
            f"  look at its block in {short_path(parameters)}: the association, AlarmEmail",
            f"  store its Slack token at {token}",
            f"  make deploy STAGE={name} SLACK_CHANNEL=C0123456789",
        ]
    )


def _rename_policies(files: Iterable[Path], source: str, name: str) -> dict[Path, str]:
    """Return the policy files of the new stage with their content. None may exist."""
    renamed = {}
    for file in files:
        target = file.with_name(_rename(file.name, source, name))
        if target == file:
            continue  # the stages share it
        if target.exists():
            raise CommandError(f"{short_path(target)} exists; remove it or name another stage")
        try:
            renamed[target] = _rename(file.read_text(encoding="utf-8"), source, name)
        except FileNotFoundError as error:
            raise CommandError(f"{short_path(file)} is missing; restore it first") from error
    return renamed


def _rename(value: Any, source: str, name: str) -> Any:
    """Replace the name of a stage wherever it is part of a name of ours, or says the stage."""
    match value:
        case dict():
            renamed = {key: _rename(each, source, name) for key, each in value.items()}
            says_it = {key: name for key in _SAY_STAGE if value.get(key) == source}
            return {**renamed, **says_it}
        case list():
            return [_rename(each, source, name) for each in value]
        case str():
            ours = rf"({APP}-|/{APP}/|^policy-){re.escape(source)}(?=[-/:\"]|$)"
            return re.sub(ours, rf"\g<1>{name}", value)
        case _:
            return value


def _make_placeholder(setting: str, name: str) -> str:
    prefix = f"{APP}-{name}-reports-" if setting == "REPORTS_BUCKET" else ""
    return f"{prefix}{PLACEHOLDER}"


def _load(file: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise CommandError(f"{short_path(file)} cannot be read: {error}") from error
    return content
