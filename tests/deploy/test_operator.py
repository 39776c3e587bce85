"""From a checkout to the first alert, by the operator's commands in an AWS with policies."""

import json
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from chalicelib.domain.access import Role
from chalicelib.entrypoints.api.routes import ROUTES
from devstack import emulator
from devstack.environment import ACCOUNT, CHANNEL_ID, REGION
from devstack.events import build_scheduled_event
from ops.package import find_faults, read_package
from tests.deploy.checkout import ARCHITECTURE, STAGE, Checkout, checkout
from tests.deploy.deployed import BUCKET, Deployed, Surroundings, surroundings
from tests.deploy.signing import signed

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.skipif(
        emulator.describe_missing() is not None, reason=str(emulator.describe_missing())
    ),
]

NODE = "i-0a1b2c3d4e5f60001"
OTHER = "i-0a1b2c3d4e5f60002"
SNOOZE = {"duration": "P7D", "reason": "fix_scheduled", "comment": "after the next release"}
PROBLEM = "application/problem+json"
PREFIX = f"ec2-inspec-scan-{STAGE}"
# Chalice's function names, and their fixed handlers.
HANDLERS = {
    "ec2-inspec-scan": "app.ec2_inspec_scan",
    "monthly-alert": "app.monthly_alert",
    "reconcile": "app.reconcile",
    "authorizer": "app.authorizer",
    "api_handler": "app.app",
}


@pytest.fixture(scope="module")
def around() -> Iterator[Surroundings]:
    with surroundings() as running:
        yield running


@pytest.fixture(scope="module")
def copy(around: Surroundings, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    copy = checkout(tmp_path_factory.mktemp("checkout"), {**around.operator, "YES": "1"})
    copy.configure(**around.settings)
    around.put_slack_token()
    return copy


def deploy(copy: Checkout) -> str:
    """Deploy and return the output."""
    made = copy.python("-m", "ops", "deploy", "--stage", STAGE)
    assert made.returncode == 0, made.stdout + made.stderr
    return made.stdout


@pytest.fixture(scope="module")
def printed(copy: Checkout) -> str:
    """The output of the first complete deployment. The one before it fails half-way."""
    first = replace(copy, env={**copy.env, "SLACK_CHANNEL": CHANNEL_ID})
    policy = copy.path / ".chalice" / f"policy-{STAGE}-reconcile.json"
    whole = policy.read_text()
    policy.write_text("{")
    broken = first.python("-m", "ops", "deploy", "--stage", STAGE)
    policy.write_text(whole)
    assert broken.returncode == 1
    assert broken.stderr.splitlines()[-1].startswith("deploy failed: chalice deploy failed")
    return deploy(first)


@pytest.fixture(scope="module")
def plain_http(around: Surroundings, printed: str) -> str:
    """The bucket's response to a user with all rights but without TLS."""
    assert printed
    key, secret = user(around, "plain", {"Action": "s3:*", "Resource": "*"})
    session = boto3.Session(key, secret, region_name=REGION)
    with closing(session.client("s3", endpoint_url=around.emulator.url)) as client:
        try:
            client.put_object(Bucket=BUCKET, Key="alerts/x.csv", Body=b"x")
        except ClientError as error:
            return str(error.response["Error"]["Code"])
    return "taken"


@pytest.fixture(scope="module")
def deployed(around: Surroundings, tokens: dict[Role, str], plain_http: str) -> Deployed:
    assert tokens
    assert plain_http
    around.take_plain_http()
    return stage(around)


@pytest.fixture(scope="module")
def tokens(around: Surroundings, printed: str) -> dict[Role, str]:
    """A token of each role, added before the first call with a wrong one."""
    assert printed
    names = {Role.VIEWER: "dashboard", Role.OPERATOR: "oncall"}
    return {role: around.make_token(name, role) for role, name in names.items()}


def stage(around: Surroundings) -> Deployed:
    """The stage in its present state."""
    with around.client("apigateway") as client:
        (api,) = client.get_rest_apis()["items"]
    with around.client("lambda") as client:
        names = [each["FunctionName"] for each in client.list_functions()["Functions"]]
    functions = {name.removeprefix(f"{PREFIX}-"): name for name in names}
    return Deployed(around, functions, api["id"])


def test_deploy_shows_account_region_and_costs(printed: str) -> None:
    for told in (ACCOUNT, REGION, STAGE, "$", "a month", "execute-api"):
        assert told in printed


def test_the_outputs_of_the_data_stack_become_settings(copy: Checkout, deployed: Deployed) -> None:
    assert deployed.functions
    settings = copy.config["stages"][STAGE]["environment_variables"]
    assert settings["SLACK_CHANNEL"] == CHANNEL_ID
    assert settings["REPORTS_BUCKET"] == BUCKET


def test_an_association_event_becomes_an_alert_with_a_csv(deployed: Deployed) -> None:
    found = deployed.report(NODE, "amazon-good")
    (made,) = deployed.scan()["scans"]
    assert (made["findings_new"], made["topic"], made["undelivered"]) == (found, "new", 0)
    assert deployed.headers_posted()[-1] == f"{found} new non-compliant findings"
    assert deployed.files_posted()[-1] == f"{made['scan_id']}.csv"
    assert len(deployed.rows("findings")) == found
    assert any(key.endswith(f"{made['scan_id']}.csv") for key in deployed.objects())


def test_fixed_findings_are_removed(
    deployed: Deployed,
) -> None:
    before = deployed.report(OTHER, "ubuntu-bad")
    deployed.scan()
    after = deployed.report(OTHER, "ubuntu-good")
    (made,) = deployed.scan()["scans"]
    assert (made["findings_new"], made["findings_fixed"]) == (0, before - after)


def test_the_month_goes_to_slack_and_s3(deployed: Deployed) -> None:
    tick = build_scheduled_event(datetime.now(UTC), "monthly-alert", ACCOUNT, REGION)
    (made,) = deployed.invoke("monthly-alert", tick)["scans"]
    assert made["undelivered"] == 0
    (key,) = (key for key in deployed.objects() if key.startswith("monthly/"))
    assert deployed.files_posted()[-1] == key.rsplit("/", 1)[-1]


def test_a_missing_token_is_refused_with_a_problem(deployed: Deployed) -> None:
    answer = deployed.call("GET", "/v1/findings")
    assert answer.status == 401
    assert answer.headers["Content-Type"] == PROBLEM
    assert answer.json["status"] == 401


def test_an_unknown_token_is_refused_with_a_problem(deployed: Deployed) -> None:
    answer = deployed.call("GET", "/v1/findings", headers=bearer("eis_unknown"))
    assert answer.status == 403
    assert answer.headers["Content-Type"] == PROBLEM
    assert answer.json["status"] == 403


def test_a_viewer_can_read_but_not_snooze(deployed: Deployed, tokens: dict[Role, str]) -> None:
    deployed.report(NODE, "amazon-good")
    deployed.scan()
    viewer = bearer(tokens[Role.VIEWER])
    listed = deployed.call("GET", f"/v1/findings?instance_id={NODE}", headers=viewer)
    assert listed.status == 200
    finding = listed.json["items"][0]["finding_id"]
    assert deployed.call("GET", f"/v1/findings/{finding}", headers=viewer).json["fix"]
    assert deployed.call("GET", "/v1/summary", headers=viewer).status == 200
    refused = deployed.call("PUT", f"/v1/findings/{finding}/snooze", headers=viewer, body=SNOOZE)
    assert refused.status == 403
    assert refused.headers["Content-Type"] == PROBLEM


def test_a_snooze_has_the_name_of_the_token(deployed: Deployed, tokens: dict[Role, str]) -> None:
    deployed.report(NODE, "amazon-good")
    deployed.scan()
    operator = bearer(tokens[Role.OPERATOR])
    listed = deployed.call("GET", f"/v1/findings?instance_id={NODE}", headers=operator)
    finding = listed.json["items"][0]["finding_id"]
    path = f"/v1/findings/{finding}/snooze"
    made = deployed.call("PUT", path, headers=operator, body=SNOOZE)
    assert made.status == 201
    assert made.json["created_by"] == "oncall"
    assert deployed.call("GET", "/v1/snoozes", headers=operator).json["items"]
    assert deployed.call("GET", "/v1/scans", headers=operator).status == 200
    assert deployed.call("GET", "/v1/nodes", headers=operator).status == 200
    history = deployed.call("GET", f"/v1/findings/{finding}/events", headers=operator)
    assert history.status == 200
    assert deployed.call("DELETE", path, headers=operator).status == 204


def test_health_and_specification_need_no_token(deployed: Deployed) -> None:
    assert deployed.call("GET", "/healthz").status == 200
    assert deployed.call("GET", "/openapi.json").json["openapi"].startswith("3.")


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_a_scan_by_hand_shows_its_report(copy: Checkout, deployed: Deployed) -> None:
    assert deployed.functions
    ran = copy.python("-m", "ops", "scan", "--stage", STAGE, "--full")
    assert ran.returncode == 0, ran.stderr
    assert "known" in ran.stdout


def test_a_ping_reaches_the_channel_and_shows_no_token(
    copy: Checkout, around: Surroundings, deployed: Deployed
) -> None:
    assert deployed.functions
    before = len(around.slack.messages)
    ran = copy.python("-m", "ops", "ping", "--stage", STAGE)
    assert ran.returncode == 0, ran.stderr
    assert len(around.slack.messages) > before
    assert "xoxb" not in ran.stdout + ran.stderr


def test_deploying_without_the_record_of_chalice_keeps_api_and_data(
    copy: Checkout, around: Surroundings, deployed: Deployed
) -> None:
    """A deployment that fails early leaves no record either."""
    rows = deployed.rows("findings")
    (copy.path / ".chalice" / "deployed" / "dev.json").unlink()
    assert f"found the API {deployed.api_id} and recorded it" in deploy(copy)
    assert stage(around) == deployed
    assert deployed.rows("findings") == rows
    assert deployed.call("GET", "/v1/findings").headers["Content-Type"] == PROBLEM


def test_the_deployed_package_has_the_bytecode_of_what_it_loads(
    copy: Checkout, deployed: Deployed
) -> None:
    assert deployed.functions
    packages = list((copy.path / ".chalice" / "deployments").glob("*.zip"))
    assert packages
    for package in map(read_package, packages):
        assert find_faults(package, ARCHITECTURE) == []
        assert "controls.json" in package.names
        assert {"app.py", "chalice/app.py", "chalicelib/usecases/scan/scan.py"} < package.compiled
    assert not (copy.path / "vendor").exists()


def test_every_function_is_configured_as_in_the_file(copy: Checkout, deployed: Deployed) -> None:
    configured = copy.config["stages"][STAGE]
    for chalice_name, wanted in configured["lambda_functions"].items():
        name = PREFIX if chalice_name == "api_handler" else f"{PREFIX}-{chalice_name}"
        with deployed.surroundings.client("lambda") as client:
            made = client.get_function_configuration(FunctionName=name)
        assert made["Handler"] == HANDLERS[chalice_name]
        assert made["Timeout"] == wanted["lambda_timeout"]
        assert made["MemorySize"] == wanted["lambda_memory_size"]
        assert made["Architectures"] == [configured["lambda_architecture"]]
        assert made["Runtime"] == f"python{sys.version_info.major}.{sys.version_info.minor}"
        assert made["Environment"]["Variables"] == configured["environment_variables"]
        role = made["Role"].rsplit("/", 1)[-1]
        assert role == f"{PREFIX}-{chalice_name}"
        file = copy.path / ".chalice" / wanted["iam_policy_file"]
        assert policies_of(deployed, role) == [json.loads(file.read_text())]


def policies_of(deployed: Deployed, role: str) -> list[dict[str, Any]]:
    """Every policy of a role, inline or attached."""
    with deployed.surroundings.client("iam") as client:
        assert client.list_attached_role_policies(RoleName=role)["AttachedPolicies"] == []
        names = client.list_role_policies(RoleName=role)["PolicyNames"]
        return [
            client.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
            for name in names
        ]


def test_the_rules_have_their_patterns_and_schedules(deployed: Deployed) -> None:
    with deployed.surroundings.client("events") as client:
        rules = {each["Name"]: each for each in client.list_rules(NamePrefix=PREFIX)["Rules"]}
        targets = {
            name: [each["Arn"] for each in client.list_targets_by_rule(Rule=name)["Targets"]]
            for name in rules
        }
    assert json.loads(rules[f"{PREFIX}-ec2-inspec-scan-event"]["EventPattern"]) == {
        "source": ["aws.ssm"],
        "detail-type": ["EC2 State Manager Association State Change"],
        "detail": {"document-name": ["AWS-RunInspecChecks"], "status": ["Success", "Failed"]},
    }
    schedules = {name: each.get("ScheduleExpression") for name, each in rules.items()}
    assert schedules == {
        f"{PREFIX}-ec2-inspec-scan-event": None,
        f"{PREFIX}-monthly-alert-event": "cron(0 8 1 * ? *)",
        f"{PREFIX}-reconcile-event": "rate(15 minutes)",
    }
    for name, (target,) in targets.items():
        assert target.endswith(f":function:{name.removesuffix('-event')}")


def test_every_route_but_the_two_public_ones_has_the_authorizer(deployed: Deployed) -> None:
    with deployed.surroundings.client("apigateway") as client:
        resources = client.get_resources(restApiId=deployed.api_id, embed=["methods"], limit=500)
        (authorizer,) = client.get_authorizers(restApiId=deployed.api_id)["items"]
        (stage,) = client.get_stages(restApiId=deployed.api_id)["item"]
    asked = {
        (method, resource["path"]): made["authorizationType"]
        for resource in resources["items"]
        for method, made in resource.get("resourceMethods", {}).items()
    }
    routes = {(route.method, route.path) for route in ROUTES}
    public = {("GET", "/healthz"), ("GET", "/openapi.json")}
    assert {route for route, kind in asked.items() if kind == "CUSTOM"} == routes
    assert {route for route, kind in asked.items() if kind == "NONE"} == public
    assert authorizer["authorizerResultTtlInSeconds"] == 300
    limits = stage["methodSettings"]["*/*"]
    assert (limits["throttlingRateLimit"], limits["throttlingBurstLimit"]) == (20.0, 40)


def test_the_failure_queue_and_the_alarms_are_in_place(deployed: Deployed) -> None:
    around = deployed.surroundings
    with around.client("lambda") as client:
        for function in ("ec2-inspec-scan", "monthly-alert", "reconcile"):
            made = client.get_function_event_invoke_config(
                FunctionName=deployed.functions[function], Qualifier="$LATEST"
            )
            target = made["DestinationConfig"]["OnFailure"]["Destination"]
            assert target.endswith(f":{PREFIX}-failures")
    with around.client("cloudwatch") as client:
        alarms = client.describe_alarms(AlarmNamePrefix=PREFIX)["MetricAlarms"]
        assert client.get_dashboard(DashboardName=PREFIX)["DashboardBody"]
    assert len(alarms) > 10
    assert all(each["AlarmActions"] for each in alarms)


def test_the_bucket_refuses_plain_http(plain_http: str) -> None:
    assert plain_http == "AccessDenied"


def test_with_iam_callers_sign_and_their_arn_is_recorded(
    copy: Checkout, around: Surroundings, deployed: Deployed
) -> None:
    assert deployed.functions
    copy.configure(API_AUTH="iam")
    deploy(copy)
    now = stage(around)
    assert now.api_id == deployed.api_id
    assert "authorizer" not in now.functions
    assert now.call("GET", "/v1/findings").status == 403
    assert now.call("GET", "/v1/findings", headers=bearer("eis_unknown")).status == 403
    routes = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{now.api_id}/api/*/v1/*"
    admitted = user(around, "first", {"Action": "execute-api:Invoke", "Resource": routes})
    other = user(around, "second", None)
    path = f"/v1/findings/{listed_id(now, admitted)}/snooze"
    refused = now.call("GET", "/v1/findings", headers=by(now, other, "GET", "/v1/findings"))
    assert refused.status == 403
    made = now.call("PUT", path, headers=by(now, admitted, "PUT", path, SNOOZE), body=SNOOZE)
    assert made.status == 201
    assert made.json["created_by"] == f"arn:aws:iam::{ACCOUNT}:user/first"
    ended = now.call("DELETE", path, headers=by(now, admitted, "DELETE", path))
    assert ended.status == 204


def listed_id(deployed: Deployed, keys: tuple[str, str]) -> str:
    """The id of a finding, read with these keys."""
    answer = deployed.call("GET", "/v1/findings", headers=by(deployed, keys, "GET", "/v1/findings"))
    assert answer.status == 200
    finding: str = answer.json["items"][0]["finding_id"]
    return finding


def by(
    deployed: Deployed, keys: tuple[str, str], method: str, path: str, body: Any = None
) -> dict[str, str]:
    """The headers of a request signed with these keys."""
    content = None if body is None else json.dumps(body).encode()
    return signed(method, f"{deployed.host}/api{path}", keys, content)


def user(around: Surroundings, name: str, allow: dict[str, str] | None) -> tuple[str, str]:
    """The keys of a new user. `allow` is its only permission."""
    with around.client("iam") as client:
        client.create_user(UserName=name)
        if allow:
            document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **allow}]}
            client.put_user_policy(
                UserName=name, PolicyName="all", PolicyDocument=json.dumps(document)
            )
        key = client.create_access_key(UserName=name)["AccessKey"]
        return key["AccessKeyId"], key["SecretAccessKey"]


def test_destroying_deletes_the_code_and_keeps_the_data(
    copy: Checkout, around: Surroundings, deployed: Deployed
) -> None:
    rows = deployed.rows("findings")
    for _ in range(2):
        gone = replace(copy, env={**copy.env, "YES": STAGE}).python(
            "-m", "ops", "destroy", "--stage", STAGE
        )
        assert gone.returncode == 0, gone.stdout + gone.stderr
    with around.client("lambda") as client:
        assert client.list_functions()["Functions"] == []
    with around.client("apigateway") as client:
        assert client.get_rest_apis()["items"] == []
    with around.client("cloudformation") as client:
        names = [each["StackName"] for each in client.describe_stacks()["Stacks"]]
    assert names == [f"{PREFIX}-data"]
    assert rows
    assert deployed.rows("findings") == rows
