"""`python -m infra.tokens`: the API tokens of a deployed stage, with the caller's credentials."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import boto3
import msgspec
from botocore.exceptions import BotoCoreError

from chalicelib.adapters.access_tokens import ParameterTokens
from chalicelib.domain.errors import BadSetting, ServiceError
from chalicelib.settings import PLACEHOLDER
from infra import token_commands

CONFIG = Path(__file__).parents[1] / ".chalice" / "config.json"
SETTING = "API_TOKENS_PARAMETER"


class _Stage(msgspec.Struct):
    environment_variables: dict[str, str] = {}


class _Config(msgspec.Struct):
    stages: dict[str, _Stage]
    environment_variables: dict[str, str] = {}


def parser() -> argparse.ArgumentParser:
    """The commands and their arguments."""
    top = argparse.ArgumentParser(prog="python -m infra.tokens", description=__doc__)
    for command in token_commands.add_commands(top):
        where = command.add_mutually_exclusive_group(required=True)
        where.add_argument("--stage", help="a stage of .chalice/config.json, such as dev")
        where.add_argument("--parameter", help="or the name of the SSM parameter itself")
    return top


def parameter_of(stage: str, config: Path = CONFIG) -> str:
    """The parameter that holds the tokens of a stage; `BadSetting` where none is named."""
    try:
        read = msgspec.json.decode(config.read_bytes(), type=_Config)
    except (OSError, msgspec.DecodeError) as error:
        raise BadSetting(SETTING, f"{config.name} cannot be read: {error}") from error
    if stage not in read.stages:
        known = ", ".join(sorted(read.stages))
        raise BadSetting(SETTING, f"{config.name} has no stage {stage}, only {known}")
    env = read.environment_variables | read.stages[stage].environment_variables
    name = env.get(SETTING, "").strip()
    if not name or PLACEHOLDER in name:
        raise BadSetting(SETTING, f"set it for the stage {stage} in .chalice/config.json")
    return name


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 1 where it failed, with the reason on standard error."""
    asked = parser().parse_args(arguments)
    try:
        name = asked.parameter if asked.stage is None else parameter_of(asked.stage)
        store = ParameterTokens(boto3.Session().client("ssm"), name)
        token_commands.run(asked, store, sys.stdout)
    except (ServiceError, BotoCoreError) as error:
        sys.stderr.write(f"{asked.token_command} failed: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
