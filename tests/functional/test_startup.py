"""A new Lambda environment loads only what its function needs, and opens a small session."""

import os
import subprocess
import sys
from typing import Any

import boto3
import pytest
from botocore.exceptions import UnknownServiceError

from chalicelib.startup import SERVICES, open_session
from devstack.environment import REGION
from tests.functional.service import Service
from tests.permissions.operations import find_operations_in_code

pytestmark = pytest.mark.enable_socket

# Installed, but of no use to any function: Chalice's command line and deployer, the X-Ray SDK
# (380 ms), and the packages for development.
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
# What answers requests to the API.
API = ("chalicelib.entrypoints.api.call", "chalicelib.entrypoints.api.routes")
# boto3 loads it when an S3 client is made.
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


def load_modules(call: str, handler: str) -> set[str]:
    """Returns the modules of a fresh interpreter that was started for a handler, after a call."""
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


def filter_modules(packages: tuple[str, ...], loaded: set[str]) -> set[str]:
    """Filters the loaded modules by package."""
    return {name for name in loaded for package in packages if f"{name}.".startswith(f"{package}.")}


def test_the_collector_is_deferred_before_anything_large_is_imported() -> None:
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
    assert filter_modules(("boto3", "botocore", "chalice"), set(loaded)) == set()


@pytest.mark.parametrize("function", SILENT)
def test_a_function_that_sends_nothing_loads_only_what_it_needs(
    service: Service, function: str
) -> None:
    assert service.list_headers() == []

    loaded = load_modules(SILENT[function], HANDLERS[function])

    assert "chalicelib.bootstrap" in loaded
    assert filter_modules(("slack_sdk", *S3, *NEVER), loaded) == set()
    assert filter_modules(API, loaded) == (set(API) if function == "the API" else set())


def test_a_scan_that_announces_also_loads_slack_and_s3(service: Service) -> None:
    service.report("A")
    loaded = load_modules(RECONCILE, HANDLERS["reconcile"])

    assert service.list_headers() == ["1 new non-compliant finding"]
    assert filter_modules(("slack_sdk",), loaded)
    assert filter_modules(S3, loaded)
    assert filter_modules((*API, *NEVER), loaded) == set()


@pytest.mark.parametrize("handler", ["", "app.app"])
def test_a_process_that_may_be_asked_for_routes_has_all_of_them(
    service: Service, handler: str
) -> None:
    assert service.list_headers() == []

    assert filter_modules(API, load_modules(SILENT["the API"], handler)) == set(API)


@pytest.mark.parametrize(
    "handler", ["app.ec2_inspec_scan", "app.monthly_alert", "app.reconcile", "app.authorizer"]
)
def test_a_function_that_gets_no_requests_starts_without_routes(handler: str) -> None:
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
    assert filter_modules(API, set(loaded)) == set()


# The session


@pytest.fixture
def region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)


def test_the_session_knows_every_service_that_the_code_calls() -> None:
    assert {operation.split(".", 1)[0] for operation in find_operations_in_code()} == set(SERVICES)


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.usefixtures("region")
def test_a_client_is_the_same_as_one_of_boto3(service: str) -> None:
    sessions: list[Any] = [open_session(), boto3.Session()]
    ours, plain = (session.client(service) for session in sessions)
    assert ours.meta.service_model.metadata == plain.meta.service_model.metadata
    assert ours.meta.service_model.operation_names == plain.meta.service_model.operation_names
    assert ours.meta.endpoint_url == plain.meta.endpoint_url

    ours.close()
    plain.close()


@pytest.mark.usefixtures("region")
def test_a_resource_is_the_same_as_one_of_boto3() -> None:
    ours, plain = open_session().resource("dynamodb"), boto3.Session().resource("dynamodb")
    assert ours.meta.resource_model.name == plain.meta.resource_model.name
    assert ours.Table("t").name == "t"

    for each in (ours, plain):
        each.meta.client.close()


@pytest.mark.usefixtures("region")
def test_an_unknown_service_is_refused_by_name() -> None:
    with pytest.raises(UnknownServiceError, match="Unknown service: 'ec2'"):
        open_session().client("ec2")
