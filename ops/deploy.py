"""Deploys a stage step by step, and destroys it. Both are safe to repeat."""

from collections.abc import Mapping

from ops import chalice_cli, checks, gateway
from ops.aws import Account, explain_errors, find_account
from ops.console import CommandError, confirm, print_line
from ops.plan import API_STAGE, list_next_steps, plan_deployment, plan_destruction
from ops.stacks import StackSpec, apply_stack, delete_stack, inline_values
from ops.stages import APP, HOME_SETTINGS, INFRA, Stage, read_stage, write_settings

# Outputs of the data stack, and the settings that they become.
SETTINGS = {
    "FindingsTable": "FINDINGS_TABLE",
    "NodesTable": "NODES_TABLE",
    "LedgerTable": "LEDGER_TABLE",
    "ReportsBucket": "REPORTS_BUCKET",
}


def deploy(name: str, env: Mapping[str, str]) -> None:
    """Check the stage, show the plan, ask, and run the four steps.

    SLACK_CHANNEL in `env` replaces the setting of the stage. Raises
    `CommandError` at the first step that fails.
    """
    given = env.get("SLACK_CHANNEL", "").strip()
    stage = read_stage(name)
    if given:
        stage = Stage(name, {**stage.env, "SLACK_CHANNEL": given})
    checks.check_settings(stage)
    checks.check_policies(stage)
    parameters = checks.read_stack_parameters(stage)
    account = find_account(stage)
    ssm = account.session.client("ssm")
    checks.check_slack_token(ssm, stage)

    print_line(plan_deployment(stage, account, parameters))
    confirm("Deploy? [y/N]", env=env)

    print_line("\n1/4 Data stack: tables, bucket, logs, association")
    settings = deploy_data_stack(stage, account, parameters["data"])
    home = dict(zip(HOME_SETTINGS, (account.id, account.region), strict=True))
    channel = {"SLACK_CHANNEL": stage.env["SLACK_CHANNEL"]}
    changed = write_settings(name, {**home, **settings, **channel})
    if changed:
        print_line(f"  .chalice/config.json: set {', '.join(sorted(changed))}")

    print_line("\n2/4 Functions and API")
    api_id = deploy_functions(stage, account)

    print_line("\n3/4 Request limit and error responses of the API")
    with explain_errors("API Gateway"):
        client = account.session.client("apigateway")
        gateway.configure_api(client, api_id, API_STAGE, signed=not stage.with_authorizer)
    print_line(f"  at most {gateway.RATE} requests a second; errors as RFC 9457 problems")

    print_line("\n4/4 Operations stack: failure queue, alarms, dashboard")
    deploy_operations_stack(stage, account, parameters["operations"])
    has_tokens = not stage.with_authorizer or checks.has_api_tokens(ssm, stage)
    print_line(list_next_steps(stage, account, api_id, has_api_tokens=has_tokens))


def deploy_data_stack(
    stage: Stage, account: Account, parameters: Mapping[str, str]
) -> dict[str, str]:
    """Create or update the data stack, and return the settings that come from its outputs."""
    values = {"Stage": stage.name, "AWS::AccountId": account.id, "AWS::Region": account.region}
    spec = StackSpec(
        f"{stage.prefix}-data",
        inline_values((INFRA / "data.yaml").read_text(encoding="utf-8"), values),
        {**parameters, "Stage": stage.name},
        _tags(stage),
    )
    with explain_errors("data stack"):
        outputs = apply_stack(account.session.client("cloudformation"), spec, print_line)
    return {setting: outputs[output] for output, setting in SETTINGS.items()}


def deploy_functions(stage: Stage, account: Account) -> str:
    """Let Chalice deploy the functions and the API, and return the id of the API."""
    _adopt_api(stage, account)
    chalice_cli.run_packaging("deploy", "--stage", stage.name)
    resources = chalice_cli.read_deployed(stage)
    if "rest_api" not in resources:
        raise CommandError("chalice deployed no API; see its output above")
    api_id: str = resources["rest_api"]["rest_api_id"]
    return api_id


def deploy_operations_stack(stage: Stage, account: Account, parameters: Mapping[str, str]) -> None:
    """Create or update the operations stack."""
    spec = StackSpec(
        f"{stage.prefix}-operations",
        (INFRA / "operations.yaml").read_text(encoding="utf-8"),
        {
            **parameters,
            "Stage": stage.name,
            "WithAuthorizer": str(stage.with_authorizer).lower(),
        },
        _tags(stage),
    )
    with explain_errors("operations stack"):
        apply_stack(account.session.client("cloudformation"), spec, print_line)


def destroy(name: str, env: Mapping[str, str]) -> None:
    """Show what goes and what stays, ask for the stage's name, and delete the stage's code."""
    stage = read_stage(name)
    account = find_account(stage)
    print_line(plan_destruction(stage, account))
    confirm(f"Type {stage.name} to continue:", stage.name, env)

    # first, because it refers to the functions
    print_line("\n1/2 Operations stack")
    with explain_errors("operations stack"):
        client = account.session.client("cloudformation")
        delete_stack(client, f"{stage.prefix}-operations", print_line)

    print_line("\n2/2 Functions and API")
    _adopt_api(stage, account)
    if not chalice_cli.read_deployed(stage):
        print_line("  .chalice/deployed lists none")
        return
    chalice_cli.run("delete", "--stage", stage.name)
    print_line("Destroyed. Commit .chalice/deployed.")


def _adopt_api(stage: Stage, account: Account) -> None:
    with explain_errors("API Gateway"):
        adopted = chalice_cli.adopt_api(account.session.client("apigateway"), stage)
    if adopted:
        print_line(f"  found the API {adopted} and recorded it in .chalice/deployed")


def _tags(stage: Stage) -> dict[str, str]:
    return {"app": APP, "stage": stage.name}
