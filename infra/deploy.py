"""`python -m infra.deploy`: brings a stage onto AWS, step by step; can be run again at any time."""

import argparse
import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from chalicelib.entrypoints.telemetry import METRICS
from infra import chalice_cli, checks, gateway
from infra.asking import agreed
from infra.checks import Place
from infra.costs import Fleet, monthly
from infra.stacks import Wanted, bring_to
from infra.stages import APP, ROOT, Stage, read_stage, write_settings
from infra.stop import Stop, stopping

INFRA = Path(__file__).parent
# Chalice's api_gateway_stage of every stage of ours
API_STAGE = "api"
# Outputs of the data stack to the settings that they become.
SETTINGS = {
    "FindingsTable": "FINDINGS_TABLE",
    "NodesTable": "NODES_TABLE",
    "LedgerTable": "LEDGER_TABLE",
    "ReportsBucket": "REPORTS_BUCKET",
}
_ALARM = re.compile(r"^    Type: AWS::CloudWatch::Alarm$", re.MULTILINE)


def parser() -> argparse.ArgumentParser:
    """The arguments."""
    top = argparse.ArgumentParser(prog="python -m infra.deploy", description=__doc__)
    top.add_argument("--stage", required=True, help="a stage of .chalice/config.json")
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Deploy; 1 where it stopped, with the reason on standard error."""
    stage = parser().parse_args(arguments).stage
    try:
        deploy(stage, os.environ)
    except Stop as stop:
        sys.stderr.write(f"deploy stopped: {stop}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\ndeploy was interrupted; what it began may be half done: run it again\n")
        return 1
    return 0


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


def plan(stage: Stage, where: Place, parameters: Mapping[str, Mapping[str, str]]) -> str:
    """What will be done, where, and what that costs."""
    association = parameters["data"].get("Association", "none")
    scanned = {
        "none": "none: nothing scans the nodes unless you have an association already",
        "all": "AWS-RunInspecChecks on every managed node of the region",
        "tag": "AWS-RunInspecChecks on the nodes with the tag "
        f"{parameters['data'].get('AssociationTagKey')}="
        f"{parameters['data'].get('AssociationTagValue')}",
    }
    email = parameters["operations"].get("AlarmEmail") or "nobody (AlarmEmail is empty)"
    template = (INFRA / "operations.yaml").read_text(encoding="utf-8")
    fleet = Fleet()
    costs = monthly(fleet, metrics=len(METRICS) + 1, alarms=len(_ALARM.findall(template)))
    lines = [
        f"Stage {stage.name} in account {where.account}, region {where.region}:",
        f"  data stack        {stage.prefix}-data: 3 tables, a bucket, log groups",
        f"  association       {scanned.get(association, association)}",
        (
            f"  functions         {'5' if stage.with_authorizer else '4'} on arm64, "
            f"API_AUTH={stage.env.get('API_AUTH', 'token')}"
        ),
        f"  operations stack  {stage.prefix}-operations: alarms to {email}",
        f"  Slack channel     {stage.env['SLACK_CHANNEL']}",
        "",
        (
            f"Roughly ${sum(each.dollars for each in costs):.0f} a month for {fleet.nodes} nodes, "
            f"{fleet.findings:,} findings, {fleet.scans_a_day} scan a day (us-east-1, free tiers "
            "left out):"
        ),
        *(f"  ${each.dollars:6.2f}  {each.what}" for each in costs),
        "  What the nodes' own scans cost is not in it: installing InSpec, CPU, traffic.",
    ]
    return "\n".join(lines)


def data(stage: Stage, where: Place, parameters: Mapping[str, str]) -> dict[str, str]:
    """Bring the data stack up to date; returns the settings that come from it."""
    wanted = Wanted(
        f"{stage.prefix}-data",
        INFRA / "data.yaml",
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
    chalice_cli.run("deploy", "--stage", stage.name)
    record = chalice_cli.deployed(stage)
    if "rest_api" not in record:
        raise Stop("chalice deployed no API; look at its output above")
    api_id: str = record["rest_api"]["rest_api_id"]
    return api_id


def operations(stage: Stage, where: Place, parameters: Mapping[str, str]) -> None:
    """Bring the operations stack up to date."""
    wanted = Wanted(
        f"{stage.prefix}-operations",
        INFRA / "operations.yaml",
        {
            **parameters,
            "Stage": stage.name,
            "WithAuthorizer": str(stage.with_authorizer).lower(),
        },
        _tags(stage),
    )
    with stopping("operations stack"):
        bring_to(where.session.client("cloudformation"), wanted, say)


def next_steps(stage: Stage, where: Place, api_id: str, *, tokens: bool) -> str:
    """What an operator does next."""
    host = f"{api_id}.execute-api.{where.region}.amazonaws.com"
    lines = [
        "",
        f"Deployed. The API: https://{host}/{API_STAGE}",
        "Next:",
        "  commit .chalice/config.json, .chalice/deployed and infra/parameters.json",
        f"  make ping STAGE={stage.name}    a test message to the channel",
        f"  make scan STAGE={stage.name}    read what the nodes have reported",
    ]
    if not tokens:
        lines.append(
            f"  make token STAGE={stage.name} NAME=oncall ROLE=operator    "
            "nobody may call the API yet"
        )
    return "\n".join(lines)


def say(line: str) -> None:
    """Tell the operator, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _tokens(ssm: object, stage: Stage) -> bool:
    return not stage.with_authorizer or checks.has_tokens(ssm, stage)  # type: ignore[arg-type]


def _tags(stage: Stage) -> dict[str, str]:
    return {"app": APP, "stage": stage.name}


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    sys.exit(main())
