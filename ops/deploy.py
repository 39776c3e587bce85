"""`python -m ops.deploy`: brings a stage onto AWS, step by step; can be run again at any time."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ops import chalice_cli, checks, gateway
from ops.asking import agreed
from ops.checks import Place
from ops.command import ended, say, stage_parser
from ops.stacks import Wanted, bring_to, written_out
from ops.stages import APP, Stage, read_stage, write_settings
from ops.stop import Stop, stopping
from ops.telling import API_STAGE, next_steps, plan

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

INFRA = Path(__file__).parents[1] / "infra"
# Outputs of the data stack to the settings that they become.
SETTINGS = {
    "FindingsTable": "FINDINGS_TABLE",
    "NodesTable": "NODES_TABLE",
    "LedgerTable": "LEDGER_TABLE",
    "ReportsBucket": "REPORTS_BUCKET",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Deploy; 1 where it stopped, with the reason on standard error."""
    stage = stage_parser("deploy", __doc__).parse_args(arguments).stage
    return ended("deploy", lambda: deploy(stage, os.environ))


def deploy(name: str, env: Mapping[str, str]) -> None:
    """Every step in order; `Stop` from the first that fails."""
    channel = env.get("SLACK_CHANNEL", "").strip()
    stage = read_stage(name)
    if channel:
        stage = Stage(name, {**stage.env, "SLACK_CHANNEL": channel})
    checks.settings(stage)
    checks.policies(stage)
    parameters = checks.stack_parameters(stage)
    where = checks.place()
    ssm = where.session.client("ssm")
    checks.slack_token(ssm, stage)
    say(plan(stage, where, parameters))
    agreed("Go on? [y/N]")

    say("\n1/4 Data: tables, bucket, logs, association")
    settings = data(stage, where, parameters["data"])
    changed = write_settings(name, {**settings, "SLACK_CHANNEL": stage.env["SLACK_CHANNEL"]})
    if changed:
        say(f"  .chalice/config.json: set {', '.join(sorted(changed))}")

    say("\n2/4 Functions and API")
    api_id = functions(stage, where)

    say("\n3/4 The API's limits and answers")
    with stopping("API Gateway"):
        client = where.session.client("apigateway")
        gateway.patch(client, api_id, API_STAGE, signed=not stage.with_authorizer)
    say(f"  {gateway.RATE} requests a second at most; refusals are problems of RFC 9457")

    say("\n4/4 Operations: failure queue, alarms, dashboard")
    operations(stage, where, parameters["operations"])
    say(next_steps(stage, where, api_id, tokens=_tokens(ssm, stage)))


def data(stage: Stage, where: Place, parameters: Mapping[str, str]) -> dict[str, str]:
    """Bring the data stack up to date; returns the settings that come from it."""
    known = {
        "Stage": stage.name,
        "AWS::AccountId": where.account,
        "AWS::Region": where.region,
    }
    wanted = Wanted(
        f"{stage.prefix}-data",
        written_out((INFRA / "data.yaml").read_text(encoding="utf-8"), known),
        {**parameters, "Stage": stage.name},
        _tags(stage),
    )
    with stopping("data stack"):
        made = bring_to(where.session.client("cloudformation"), wanted, say)
    return {setting: made[output] for output, setting in SETTINGS.items()}


def functions(stage: Stage, where: Place) -> str:
    """Let Chalice deploy; returns the id of the API."""
    with stopping("API Gateway"):
        adopted = chalice_cli.adopt_api(where.session.client("apigateway"), stage)
    if adopted:
        say(f"  the API {adopted} was there already: recorded in .chalice/deployed")
    chalice_cli.make("deploy", "--stage", stage.name)
    record = chalice_cli.deployed(stage)
    if "rest_api" not in record:
        raise Stop("chalice deployed no API; look at its output above")
    api_id: str = record["rest_api"]["rest_api_id"]
    return api_id


def operations(stage: Stage, where: Place, parameters: Mapping[str, str]) -> None:
    """Bring the operations stack up to date."""
    wanted = Wanted(
        f"{stage.prefix}-operations",
        (INFRA / "operations.yaml").read_text(encoding="utf-8"),
        {
            **parameters,
            "Stage": stage.name,
            "WithAuthorizer": str(stage.with_authorizer).lower(),
        },
        _tags(stage),
    )
    with stopping("operations stack"):
        bring_to(where.session.client("cloudformation"), wanted, say)


def _tokens(ssm: "SSMClient", stage: Stage) -> bool:
    return not stage.with_authorizer or checks.has_tokens(ssm, stage)


def _tags(stage: Stage) -> dict[str, str]:
    return {"app": APP, "stage": stage.name}


if __name__ == "__main__":
    sys.exit(main())
