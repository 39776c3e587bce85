"""A new Lambda environment loads no more than its function needs, and Slack's SDK only to send."""

import subprocess
import sys

import pytest

from tests.functional.conftest import Service

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


def loaded_after(call: str) -> set[str]:
    """Returns the modules of a fresh interpreter after one call."""
    ran = subprocess.run(  # noqa: S603 - our own interpreter and program
        [sys.executable, "-c", PROGRAM.format(call=call)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    last = ran.stdout.splitlines()[-1]
    return set(last.removeprefix("modules: ").split())


def of(packages: tuple[str, ...], loaded: set[str]) -> set[str]:
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
    assert of(("boto3", "botocore", "chalice"), set(loaded)) == set()


@pytest.mark.parametrize("function", SILENT)
def test_a_function_with_nothing_to_send_loads_only_what_it_needs(
    service: Service, function: str
) -> None:
    assert service.posts() == []
    loaded = loaded_after(SILENT[function])
    assert "chalicelib.bootstrap" in loaded
    assert of(("slack_sdk", *S3, *NEVER), loaded) == set()


def test_a_scan_with_something_to_send_also_loads_slack_and_s3(service: Service) -> None:
    service.put("A")
    loaded = loaded_after(RECONCILE)
    assert service.posts() == ["1 new non-compliant finding"]
    assert of(("slack_sdk",), loaded)
    assert of(S3, loaded)
    assert of(NEVER, loaded) == set()
