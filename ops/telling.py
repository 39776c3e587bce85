"""What deploy tells people: beforehand what it will do and what that costs, then what is next."""

import re
from collections.abc import Mapping
from pathlib import Path

from chalicelib.entrypoints.telemetry import METRICS
from ops.checks import Place
from ops.costs import Fleet, monthly
from ops.stages import Stage

INFRA = Path(__file__).parents[1] / "infra"
# Chalice's api_gateway_stage of every stage of ours
API_STAGE = "api"
_ALARM = re.compile(
    r"^    Type: AWS::CloudWatch::Alarm\n(    Condition: WithAuthorizer\n)?", re.MULTILINE
)


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
    # an alarm of the authorizer is made where there is one
    alarms = [found for found in _ALARM.findall(template) if stage.with_authorizer or not found]
    # beside METRICS there is scans_failed
    costs = monthly(fleet, metrics=len(METRICS) + 1, alarms=len(alarms))
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
