"""The checks before a deployment changes anything. Each fault is one line."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from chalicelib.domain.errors import BadSetting
from chalicelib.settings import Settings, Triggers
from ops.aws import explain_errors
from ops.console import CommandError
from ops.stages import INFRA, Stage, list_policy_files, require_stage_name, short_path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_ssm import SSMClient

PARAMETERS = INFRA / "parameters.json"
# The data stack sets these. A stand-in lets the other settings be checked before it exists.
_FROM_STACK = ("FINDINGS_TABLE", "NODES_TABLE", "LEDGER_TABLE", "REPORTS_BUCKET")


def check_settings(stage: Stage) -> None:
    """Check every setting that the data stack does not set."""
    require_stage_name(stage.name)
    if stage.env.get("STAGE") != stage.name:
        raise CommandError(f"STAGE of the stage {stage.name} must be {stage.name}")
    try:
        Triggers.from_env(stage.env)
        Settings.from_env({**stage.env, **dict.fromkeys(_FROM_STACK, "from-the-stack")})
    except BadSetting as error:
        hint = f"; for example: make deploy STAGE={stage.name} SLACK_CHANNEL=C0123456789"
        raise CommandError(f"{error}{hint if error.name == 'SLACK_CHANNEL' else ''}") from error
    if stage.with_authorizer:
        stage.require_setting("API_TOKENS_PARAMETER")


def check_policies(stage: Stage) -> None:
    """Check that the IAM policy files of the stage's functions exist."""
    missing = [path.name for path in list_policy_files(stage.name) if not path.exists()]
    if missing:
        raise CommandError(
            f"the stage {stage.name} needs {', '.join(sorted(missing))} in .chalice; copy the "
            "files of another stage and replace its name in them"
        )


def check_slack_token(ssm: "SSMClient", stage: Stage) -> None:
    """Check that the Slack token is stored encrypted. Its value is not decrypted."""
    name = stage.require_setting("SLACK_TOKEN_PARAMETER")
    parameter = _find_parameter(ssm, name)
    store = (
        f"run read -rs TOKEN, then aws ssm put-parameter --type SecureString --name {name} "
        '--value "$TOKEN"'
    )
    if parameter is None:
        raise CommandError(f"the SSM parameter {name} for the Slack token does not exist; {store}")
    if parameter["Type"] != "SecureString":
        raise CommandError(
            f"the SSM parameter {name} holds the Slack token in plain text; delete it, {store}"
        )


def has_api_tokens(ssm: "SSMClient", stage: Stage) -> bool:
    """Whether the SSM parameter with the API tokens exists."""
    return _find_parameter(ssm, stage.require_setting("API_TOKENS_PARAMETER")) is not None


def read_stack_parameters(stage: Stage, file: Path = PARAMETERS) -> dict[str, dict[str, str]]:
    """Read the stage's stack parameters: `data` and `operations`, each name to text."""
    shown = short_path(file)
    try:
        content: Mapping[str, Any] = json.loads(file.read_bytes())
    except FileNotFoundError as error:
        raise CommandError(
            f"{shown} is missing; run this in a full checkout of the project"
        ) from error
    except json.JSONDecodeError as error:
        raise CommandError(f"{shown} is not valid JSON: {error}") from error
    if stage.name not in content:
        raise CommandError(f"{shown} has no stage {stage.name}; copy the block of another stage")
    unknown = content[stage.name].keys() - {"data", "operations"}
    if unknown:
        raise CommandError(
            f"{shown} has {', '.join(sorted(unknown))} in the stage {stage.name}; it may only have "
            "data and operations"
        )
    return {
        stack: {name: _to_text(value) for name, value in content[stage.name].get(stack, {}).items()}
        for stack in ("data", "operations")
    }


def _to_text(value: object) -> str:
    """Write a parameter as CloudFormation expects it: every value is text."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _find_parameter(ssm: "SSMClient", name: str) -> Any:
    with explain_errors(f"the SSM parameter {name}"):
        try:
            return ssm.get_parameter(Name=name)["Parameter"]
        except ClientError as error:
            if error.response["Error"].get("Code") == "ParameterNotFound":
                return None
            raise
