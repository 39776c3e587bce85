"""What has to be so before a deployment changes anything; each fault is one line."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import ClientError, NoRegionError

from chalicelib.domain.errors import BadSetting
from chalicelib.settings import Settings, Triggers
from ops.stages import ROOT, Stage, policy_files
from ops.stop import Stop, stopping

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_ssm import SSMClient

PARAMETERS = ROOT / "infra" / "parameters.json"
# A bucket's name, of which the stage is a part, ends at 63 characters.
STAGE_NAME = re.compile(r"[a-z][a-z0-9-]{0,9}")
# What the stack will give, so that the other settings can be checked before it is there.
_FROM_STACK = ("FINDINGS_TABLE", "NODES_TABLE", "LEDGER_TABLE", "REPORTS_BUCKET")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a stage lives: a session with the operator's credentials, and what they are for."""

    session: boto3.Session
    account: str
    region: str


def region() -> boto3.Session:
    """A session with a region, whoever's credentials it has."""
    with stopping("AWS"):
        session = boto3.Session()
        if session.region_name is None:
            raise NoRegionError
    return session


def place() -> Place:
    """The account and region of the operator's credentials."""
    session = region()
    with stopping("AWS"):
        account = session.client("sts").get_caller_identity()["Account"]
    return Place(session, account, session.region_name)


def settings(stage: Stage) -> None:
    """All settings of the stage that the stack does not give; `Stop` names a wrong one."""
    if not STAGE_NAME.fullmatch(stage.name):
        raise Stop(
            f"the stage {stage.name} has not the form of a name: up to 10 lower-case letters, "
            "digits and hyphens, a letter first"
        )
    if stage.env.get("STAGE") != stage.name:
        raise Stop(f"STAGE of the stage {stage.name} has to be {stage.name}")
    try:
        Triggers.from_env(stage.env)
        Settings.from_env({**stage.env, **dict.fromkeys(_FROM_STACK, "from-the-stack")})
    except BadSetting as error:
        hint = ", or give it: make deploy STAGE=… SLACK_CHANNEL=C0123456789"
        raise Stop(f"{error}{hint if 'SLACK_CHANNEL' in str(error) else ''}") from error
    if stage.with_authorizer:
        stage.setting("API_TOKENS_PARAMETER")


def policies(stage: Stage) -> None:
    """The policies that the functions of the stage get."""
    missing = [path.name for path in policy_files(stage.name) if not path.exists()]
    if missing:
        raise Stop(
            f"{', '.join(sorted(missing))} of the stage {stage.name} missing in .chalice: copy "
            "those of another stage, with its name replaced"
        )


def slack_token(ssm: "SSMClient", stage: Stage) -> None:
    """The parameter with Slack's token; its value is not read."""
    name = stage.setting("SLACK_TOKEN_PARAMETER")
    found = _parameter(ssm, name)
    put = f'aws ssm put-parameter --type SecureString --name {name} --value "$TOKEN"'
    if found is None:
        raise Stop(
            f"the parameter {name} with Slack's token does not exist here; read -rs TOKEN, then: "
            f"{put}"
        )
    if found["Type"] != "SecureString":
        raise Stop(
            f"the parameter {name} holds Slack's token in plain text; delete it, read -rs TOKEN, "
            f"then: {put}"
        )


def has_tokens(ssm: "SSMClient", stage: Stage) -> bool:
    """Whether the parameter with the API's tokens exists."""
    return _parameter(ssm, stage.setting("API_TOKENS_PARAMETER")) is not None


def stack_parameters(stage: Stage, file: Path = PARAMETERS) -> dict[str, dict[str, str]]:
    """The operator's values for the stacks: `data` and `operations`, parameter to text."""
    shown = f"{file.parent.name}/{file.name}"
    try:
        read: Mapping[str, Any] = json.loads(file.read_bytes())
    except FileNotFoundError as error:
        raise Stop(f"{shown} is missing; work in a checkout of the project") from error
    except json.JSONDecodeError as error:
        raise Stop(f"{shown} is no JSON: {error}") from error
    if stage.name not in read:
        raise Stop(f"{shown} has no stage {stage.name}: copy the block of another one")
    unknown = read[stage.name].keys() - {"data", "operations"}
    if unknown:
        raise Stop(f"{shown} knows data and operations, not {', '.join(sorted(unknown))}")
    return {
        stack: {name: _text(value) for name, value in read[stage.name].get(stack, {}).items()}
        for stack in ("data", "operations")
    }


def _text(value: object) -> str:
    """A parameter as CloudFormation takes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _parameter(ssm: "SSMClient", name: str) -> Any:
    with stopping(f"the parameter {name}"):
        try:
            return ssm.get_parameter(Name=name)["Parameter"]
        except ClientError as error:
            if error.response["Error"].get("Code") == "ParameterNotFound":
                return None
            raise
