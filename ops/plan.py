"""The texts of `deploy` and `destroy`: the plan with its costs, and the next steps."""

import re
from collections.abc import Mapping

from chalicelib.entrypoints.telemetry import METRICS
from ops.aws import Account
from ops.costs import Fleet, estimate_costs
from ops.stages import INFRA, Stage

# The api_gateway_stage of every stage in .chalice/config.json.
API_STAGE = "api"
_ALARM = re.compile(
    r"^    Type: AWS::CloudWatch::Alarm\n(    Condition: WithAuthorizer\n)?", re.MULTILINE
)


def plan_deployment(
    stage: Stage, account: Account, parameters: Mapping[str, Mapping[str, str]]
) -> str:
    """Describe what `deploy` will create and what that costs a month."""
    association = parameters["data"].get("Association", "none")
    targets = {
        "none": "none: no node is scanned unless you already have an association",
        "all": "AWS-RunInspecChecks on every managed node of the region",
        "tag": "AWS-RunInspecChecks on the nodes with the tag "
        f"{parameters['data'].get('AssociationTagKey')}="
        f"{parameters['data'].get('AssociationTagValue')}",
    }
    email = parameters["operations"].get("AlarmEmail") or "nobody (AlarmEmail is empty)"
    fleet = Fleet()
    # METRICS leaves out scans_failed, which every scan sends too
    costs = estimate_costs(fleet, metrics=len(METRICS) + 1, alarms=_count_alarms(stage))
    lines = [
        f"Stage {stage.name} in account {account.id}, region {account.region}:",
        f"  data stack        {stage.prefix}-data: 3 tables, a bucket, log groups",
        f"  association       {targets.get(association, association)}",
        (
            f"  functions         {5 if stage.with_authorizer else 4} on arm64, "
            f"API_AUTH={stage.env.get('API_AUTH', 'token')}"
        ),
        f"  operations stack  {stage.prefix}-operations: alarms to {email}",
        f"  Slack channel     {stage.env['SLACK_CHANNEL']}",
        "",
        (
            f"Costs about ${sum(each.dollars for each in costs):.0f} a month for {fleet.nodes} "
            f"nodes, {fleet.findings:,} findings and {fleet.scans_a_day} scan a day "
            "(us-east-1, without free tiers):"
        ),
        *(f"  ${each.dollars:6.2f}  {each.label}" for each in costs),
        "  Not included: running InSpec on the nodes (installation, CPU, traffic).",
    ]
    return "\n".join(lines)


def plan_destruction(stage: Stage, account: Account) -> str:
    """Describe what `destroy` will delete and what stays."""
    lines = [
        f"Stage {stage.name} in account {account.id}, region {account.region}:",
        f"  deleted  the functions {stage.prefix}-*, their roles and rules, the API",
        f"  deleted  {stage.prefix}-operations: queue, alarms, dashboard",
        f"  stays    {stage.prefix}-data: tables, bucket, logs, and the association",
        "  stays    the SSM parameters with the tokens",
        "Slack gets no more alerts. The association keeps scanning the nodes; to stop it, set",
        "Association to none in infra/parameters.json and deploy before you destroy.",
    ]
    return "\n".join(lines)


def list_next_steps(stage: Stage, account: Account, api_id: str, *, has_api_tokens: bool) -> str:
    """List what the operator does after a deployment."""
    host = f"{api_id}.execute-api.{account.region}.amazonaws.com"
    lines = [
        "",
        f"Deployed. The API: https://{host}/{API_STAGE}",
        "Next steps:",
        "  commit .chalice/config.json, .chalice/deployed and infra/parameters.json",
        f"  make ping STAGE={stage.name}    post a test message to the channel",
        f"  make scan STAGE={stage.name}    read what the nodes have reported",
    ]
    if not has_api_tokens:
        lines.append(
            f"  make token STAGE={stage.name} NAME=oncall ROLE=operator    "
            "add a token: until then the API refuses every caller"
        )
    return "\n".join(lines)


def _count_alarms(stage: Stage) -> int:
    """Count the alarms of the operations stack. Some exist only with an authorizer."""
    template = (INFRA / "operations.yaml").read_text(encoding="utf-8")
    conditions: list[str] = _ALARM.findall(template)
    return sum(1 for condition in conditions if stage.with_authorizer or not condition)
