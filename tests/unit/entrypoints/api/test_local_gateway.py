"""The gateway of this machine applies the policies of the authorizer to the routes."""

import json
from typing import Any

import pytest
from chalice.app import AuthRequest, AuthResponse, Chalice
from chalice.config import Config

from chalicelib.entrypoints.api.call import read_caller
from devstack.local_gateway import Gateway
from tests.unit.entrypoints.api.authorizer import OPERATOR, VIEWER, Authorizer

READS = [
    ("GET", "/v1/findings"),
    ("GET", "/v1/findings?limit=1"),
    ("GET", "/v1/snoozes/abc"),
    ("POST", "/v1/snoozes/preview"),
]
WRITES = [
    ("POST", "/v1/snoozes"),
    ("POST", "/v1/findings/snooze"),
    ("POST", "/v1/findings/unsnooze"),
    ("PATCH", "/v1/snoozes/abc"),
    ("DELETE", "/v1/snoozes/abc"),
    ("PUT", "/v1/findings/abc/snooze"),
    ("DELETE", "/v1/findings/abc/snooze"),
]


@pytest.fixture
def gateway() -> Gateway:
    """Routes that return who called, behind the authorizer."""
    app = Chalice("test", configure_logs=False)

    @app.authorizer(ttl_seconds=300)
    def authorizer(request: AuthRequest) -> AuthResponse:
        return Authorizer().respond(request)

    def show_caller(**_: str) -> dict[str, Any]:
        request = app.current_request
        assert request is not None
        return {"by": read_caller(request), "role": request.context["authorizer"]["role"]}

    for path, methods in {
        "/v1/findings": ["GET"],
        "/v1/findings/snooze": ["POST"],
        "/v1/findings/unsnooze": ["POST"],
        "/v1/findings/{finding_id}/snooze": ["PUT", "DELETE"],
        "/v1/snoozes": ["GET", "POST"],
        "/v1/snoozes/preview": ["POST"],
        "/v1/snoozes/{snooze_id}": ["GET", "PATCH", "DELETE"],
    }.items():
        app.route(path, methods=methods, authorizer=authorizer, name=path)(show_caller)
    return Gateway(app, Config.create(lambda_timeout=10))


def send(gateway: Gateway, method: str, path: str, header: str | None) -> dict[str, Any]:
    headers = {"Content-Type": "application/json"}
    if header is not None:
        headers["Authorization"] = header
    return gateway.handle_request(method, path, headers, b"{}")


def call(gateway: Gateway, method: str, path: str, token: str) -> dict[str, Any]:
    response = send(gateway, method, path, f"Bearer {token}")
    assert response["statusCode"] == 200
    body: dict[str, Any] = json.loads(response["body"])
    return body


@pytest.mark.parametrize(("method", "path"), [*READS, *WRITES])
def test_an_operator_may_read_and_write(gateway: Gateway, method: str, path: str) -> None:
    assert call(gateway, method, path, OPERATOR) == {"by": "oncall", "role": "operator"}


@pytest.mark.parametrize(("method", "path"), READS)
def test_a_viewer_may_read(gateway: Gateway, method: str, path: str) -> None:
    assert call(gateway, method, path, VIEWER) == {"by": "ci", "role": "viewer"}


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_a_viewer_may_not_write(gateway: Gateway, method: str, path: str) -> None:
    assert send(gateway, method, path, f"Bearer {VIEWER}")["statusCode"] == 403


@pytest.mark.parametrize(("method", "path"), [*READS, *WRITES])
def test_without_a_known_token_nothing_is_allowed(gateway: Gateway, method: str, path: str) -> None:
    for header, status in ((None, 401), ("", 401), (" ", 401), ("Bearer wrong", 403)):
        assert send(gateway, method, path, header)["statusCode"] == status
