"""What a new Lambda environment loads: no more than the function needs, Slack's SDK to send."""

import os
import subprocess
import sys

import pytest

from tests.functional.conftest import Service

pytestmark = pytest.mark.enable_socket

# Parts of the packages that are at hand but that no function has a use for: Chalice's command
# line and its deployer, the X-Ray SDK (380 ms), and what only the workshop needs.
NEVER = (
    "aws_xray_sdk",
    "chalice.cli",
    "chalice.deploy",
    "chalice.local",
    "devstack",
    "moto",
    "ops",
    "pydantic",
    "yaml",
)
# What answers requests to the API; the functions that get none do without.
API = ("chalicelib.entrypoints.api_blueprints", "chalicelib.entrypoints.api_routes")
# boto3 loads it when a client of S3 is made.
S3 = ("boto3.s3.inject",)
PROGRAM = """
import sys
from types import SimpleNamespace
import app
arn = "arn:aws:lambda:us-east-1:123456789012:function:it"
context = SimpleNamespace(
    invoked_function_arn=arn,
    get_remaining_time_in_millis=lambda: 900_000,
    function_name="it", memory_limit_in_mb=1024, aws_request_id="1",
)
{call}
print("modules: " + " ".join(sys.modules))
"""
REQUEST = {
    "requestContext": {
        "httpMethod": "GET",
        "resourcePath": "/v1/summary",
        "path": "/v1/summary",
        "requestId": "1",
        "authorizer": {"principalId": "somebody", "role": "viewer"},
        "identity": {"sourceIp": "127.0.0.1"},
    },
    "headers": {},
    "multiValueQueryStringParameters": None,
    "pathParameters": None,
    "stageVariables": None,
    "body": None,
    "isBase64Encoded": False,
}
TOKEN = {
    "type": "TOKEN",
    "authorizationToken": "Bearer eis_unknown",
    "methodArn": "arn:aws:execute-api:us-east-1:123456789012:id/api/GET/v1/summary",
}
RECONCILE = 'assert app.reconcile({}, context)["scans"]'
SILENT = {
    "reconcile": RECONCILE,
    "the API": f'assert app.app({REQUEST}, context)["statusCode"] == 200',
    "the authorizer": f'assert app.authorizer({TOKEN}, context)["principalId"] == "nobody"',
}
# As Chalice names them to Lambda.
HANDLERS = {
    "reconcile": "app.reconcile",
    "the API": "app.app",
    "the authorizer": "app.authorizer",
}


def loaded_after(call: str, handler: str) -> set[str]:
    """The modules of a fresh interpreter that Lambda started for a handler and one call."""
    ran = subprocess.run(  # noqa: S603 - our own interpreter and program
        [sys.executable, "-c", PROGRAM.format(call=call)],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "_HANDLER": handler},
    )
    assert ran.returncode == 0, ran.stderr
    last = ran.stdout.splitlines()[-1]
    return set(last.removeprefix("modules: ").split())


def of(packages: tuple[str, ...], loaded: set[str]) -> set[str]:
    """Those of the loaded modules that belong to one of the packages."""
    return {name for name in loaded for package in packages if f"{name}.".startswith(f"{package}.")}


def test_the_collector_is_made_rare_before_anything_large_is_imported() -> None:
    ran = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, gc, chalicelib; print(gc.get_threshold()[0], *sys.modules)",
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    threshold, *loaded = ran.stdout.split()
    assert int(threshold) == 50_000
    assert of(("boto3", "botocore", "chalice"), set(loaded)) == set()


@pytest.mark.parametrize("function", SILENT)
def test_a_function_with_nothing_to_send_loads_only_what_it_needs(
    service: Service, function: str
) -> None:
    assert service.posts() == []
    loaded = loaded_after(SILENT[function], HANDLERS[function])
    assert "chalicelib.bootstrap" in loaded
    assert of(("slack_sdk", *S3, *NEVER), loaded) == set()
    assert of(API, loaded) == (set(API) if function == "the API" else set())


def test_a_pass_with_something_to_send_loads_slack_and_nothing_else_more(service: Service) -> None:
    service.put("A")
    loaded = loaded_after(RECONCILE, HANDLERS["reconcile"])
    assert service.posts() == ["1 new non-compliant finding"]
    assert of(("slack_sdk",), loaded)
    assert of(S3, loaded)
    assert of((*API, *NEVER), loaded) == set()


@pytest.mark.parametrize("handler", ["", "app.app"])
def test_wherever_it_may_be_asked_for_them_all_routes_are_there(
    service: Service, handler: str
) -> None:
    assert service.posts() == []
    assert of(API, loaded_after(SILENT["the API"], handler)) == set(API)


@pytest.mark.parametrize(
    "handler",
    ["app.ec2_inspec_scan", "app.monthly_alert", "app.reconcile", "app.authorizer"],
)
def test_a_function_that_sees_no_request_starts_without_routes(handler: str) -> None:
    program = "import app, sys; print(len(app.app.routes), *sys.modules)"
    ran = subprocess.run(  # noqa: S603 - our own interpreter and program
        [sys.executable, "-c", program],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "_HANDLER": handler},
    )
    routes, *loaded = ran.stdout.split()
    assert int(routes) == 0
    assert of(API, set(loaded)) == set()
