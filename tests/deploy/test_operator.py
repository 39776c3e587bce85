"""From a checkout to the first alert: the operator's commands, in an AWS that checks policies."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from chalicelib.domain.access import Role
from devstack import emulator
from devstack.inspec.event import scheduled_event
from devstack.names import ACCOUNT, CHANNEL_ID, REGION
from tests.deploy.checkout import STAGE, Checkout, checkout
from tests.deploy.deployed import BUCKET, Deployed, Surroundings, surroundings

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.skipif(emulator.missing() is not None, reason=str(emulator.missing())),
]

NODE = "i-0a1b2c3d4e5f60001"
OTHER = "i-0a1b2c3d4e5f60002"
SNOOZE = {"duration": "P7D", "reason": "fix_scheduled", "comment": "after the next release"}
PROBLEM = "application/problem+json"


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
    """Run the command; returns what it printed."""
    made = copy.python("-m", "infra.deploy", "--stage", STAGE)
    assert made.returncode == 0, made.stdout + made.stderr
    return made.stdout


@pytest.fixture(scope="module")
def printed(copy: Checkout) -> str:
    """What the first deployment said."""
    first = replace(copy, env={**copy.env, "SLACK_CHANNEL": CHANNEL_ID})
    return deploy(first)


@pytest.fixture(scope="module")
def deployed(around: Surroundings, tokens: dict[Role, str]) -> Deployed:
    assert tokens
    around.take_plain_http()
    return stage(around)


@pytest.fixture(scope="module")
def tokens(around: Surroundings, printed: str) -> dict[Role, str]:
    """A token of each role, made before anybody asks with a wrong one."""
    assert printed
    names = {Role.VIEWER: "dashboard", Role.OPERATOR: "oncall"}
    return {role: around.make_token(name, role) for role, name in names.items()}


def stage(around: Surroundings) -> Deployed:
    """The stage as the account has it now."""
    with around.client("apigateway") as client:
        (api,) = client.get_rest_apis()["items"]
    prefix = f"ec2-inspec-scan-{STAGE}"
    with around.client("lambda") as client:
        names = [each["FunctionName"] for each in client.list_functions()["Functions"]]
    functions = {name.removeprefix(f"{prefix}-"): name for name in names}
    return Deployed(around, functions, api["id"])


def test_it_says_what_it_does_where_and_what_that_costs(printed: str) -> None:
    for told in (ACCOUNT, REGION, STAGE, "$", "a month", "execute-api"):
        assert told in printed


def test_what_the_stack_made_stands_in_the_settings(copy: Checkout, deployed: Deployed) -> None:
    assert deployed.functions
    settings = copy.config["stages"][STAGE]["environment_variables"]
    assert settings["SLACK_CHANNEL"] == CHANNEL_ID
    assert settings["REPORTS_BUCKET"] == BUCKET


def test_the_event_of_an_association_becomes_an_alert_with_its_csv(deployed: Deployed) -> None:
    found = deployed.report(NODE, "amazon-good")
    (made,) = deployed.scan()["passes"]
    assert (made["opened"], made["topic"], made["undelivered"]) == (found, "new", 0)
    assert deployed.headers_posted()[-1] == f"{found} new non-compliant findings"
    assert deployed.files_posted()[-1] == f"{made['scan_id']}.csv"
    assert len(deployed.rows("findings")) == found
    assert any(key.endswith(f"{made['scan_id']}.csv") for key in deployed.objects())


def test_a_fixed_finding_leaves_the_store_and_a_node_that_is_gone_is_judged(
    deployed: Deployed,
) -> None:
    before = deployed.report(OTHER, "ubuntu-bad")
    deployed.scan()
    after = deployed.report(OTHER, "ubuntu-good")
    (made,) = deployed.scan()["passes"]
    assert (made["opened"], made["resolved"]) == (0, before - after)


def test_the_month_goes_to_slack_and_s3(deployed: Deployed) -> None:
    tick = scheduled_event(datetime.now(UTC), "monthly-alert", ACCOUNT, REGION)
    (made,) = deployed.invoke("monthly-alert", tick)["passes"]
    assert made["undelivered"] == 0
    (key,) = (key for key in deployed.objects() if key.startswith("monthly/"))
    assert deployed.files_posted()[-1] == key.rsplit("/", 1)[-1]


def test_without_a_token_the_gateway_answers_with_a_problem(deployed: Deployed) -> None:
    answer = deployed.call("GET", "/v1/findings")
    assert answer.status == 401
    assert answer.headers["Content-Type"] == PROBLEM
    assert answer.json["status"] == 401


def test_an_unknown_token_is_refused_with_a_problem(deployed: Deployed) -> None:
    answer = deployed.call("GET", "/v1/findings", headers=bearer("eis_unknown"))
    assert answer.status == 403
    assert answer.headers["Content-Type"] == PROBLEM
    assert answer.json["status"] == 403


def test_a_viewer_reads_and_does_not_snooze(deployed: Deployed, tokens: dict[Role, str]) -> None:
    deployed.report(NODE, "amazon-good")
    deployed.scan()
    viewer = bearer(tokens[Role.VIEWER])
    listed = deployed.call("GET", f"/v1/findings?instance_id={NODE}", headers=viewer)
    assert listed.status == 200
    finding = listed.json["items"][0]["finding_id"]
    assert deployed.call("GET", "/v1/summary", headers=viewer).status == 200
    refused = deployed.call("PUT", f"/v1/findings/{finding}/snooze", headers=viewer, body=SNOOZE)
    assert refused.status == 403
    assert refused.headers["Content-Type"] == PROBLEM


def test_an_operator_snoozes_under_the_token_s_name(
    deployed: Deployed, tokens: dict[Role, str]
) -> None:
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


def test_anyone_may_ask_for_health_and_specification(deployed: Deployed) -> None:
    assert deployed.call("GET", "/healthz").status == 200
    assert deployed.call("GET", "/openapi.json").json["openapi"].startswith("3.")


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_by_hand_the_repair_run_says_what_it_found(copy: Checkout, deployed: Deployed) -> None:
    assert deployed.functions
    ran = copy.python("-m", "infra.scan", "--stage", STAGE, "--full")
    assert ran.returncode == 0, ran.stderr
    assert "known" in ran.stdout


def test_a_ping_arrives_in_the_channel_and_shows_no_token(
    copy: Checkout, around: Surroundings, deployed: Deployed
) -> None:
    assert deployed.functions
    before = len(around.slack.messages())
    ran = copy.python("-m", "infra.ping", "--stage", STAGE)
    assert ran.returncode == 0, ran.stderr
    assert len(around.slack.messages()) > before
    assert "xoxb" not in ran.stdout + ran.stderr


def test_deploying_again_keeps_functions_api_and_what_was_stored(
    copy: Checkout, around: Surroundings, deployed: Deployed
) -> None:
    rows = deployed.rows("findings")
    deploy(copy)
    assert stage(around) == deployed
    assert deployed.rows("findings") == rows
    assert deployed.call("GET", "/v1/findings").headers["Content-Type"] == PROBLEM
