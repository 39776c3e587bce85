"""`python -m ops.tokens`: the API tokens of a deployed stage, with the caller's credentials."""

import argparse
import sys
from collections.abc import Sequence

import boto3
from botocore.exceptions import BotoCoreError

from chalicelib.adapters.access_tokens import ParameterTokens
from chalicelib.domain.errors import ServiceError
from ops import token_commands
from ops.stages import read_stage
from ops.stop import Stop

SETTING = "API_TOKENS_PARAMETER"


def parser() -> argparse.ArgumentParser:
    """The commands and their arguments."""
    top = argparse.ArgumentParser(prog="python -m ops.tokens", description=__doc__)
    for command in token_commands.add_commands(top):
        where = command.add_mutually_exclusive_group(required=True)
        where.add_argument("--stage", help="a stage of .chalice/config.json, such as dev")
        where.add_argument("--parameter", help="or the name of the SSM parameter itself")
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 1 where it failed, with the reason on standard error."""
    asked = parser().parse_args(arguments)
    try:
        named = asked.stage is None
        name = asked.parameter if named else read_stage(asked.stage).setting(SETTING)
        store = ParameterTokens(boto3.Session().client("ssm"), name)
        token_commands.run(asked, store, sys.stdout)
    except (ServiceError, BotoCoreError, Stop) as error:
        sys.stderr.write(f"{asked.token_command} failed: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
