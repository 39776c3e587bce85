"""Chalice's local gateway applies the policies of the authorizer to the routes."""

import json
from typing import Any

import pytest
from chalice.app import AuthRequest, AuthResponse, Chalice
from chalice.config import Config
from chalice.local import ForbiddenError, LocalGateway, NotAuthorizedError

from chalicelib.entrypoints.api.call import read_caller
from tests.unit.entrypoints.api.authorizer import OPERATOR, VIEWER, Authorizer

READS = [("GET", "/v1/findings"), ("GET", "/v1/findings?limit=1"), ("GET", "/v1/snoozes/abc")]
WRITES = [
    ("POST", "/v1/snoozes"),
    ("PATCH", "/v1/snoozes/abc"),
    ("DELETE", "/v1/snoozes/abc"),
    ("PUT", "/v1/findings/abc/snooze"),
    ("DELETE", "/v1/findings/abc/snooze"),
]


@pytest.fixture
def gateway() -> LocalGateway:
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
        "/v1/findings/{finding_id}/snooze": ["PUT", "DELETE"],
        "/v1/snoozes": ["GET", "POST"],
        "/v1/snoozes/{snooze_id}": ["GET", "PATCH", "DELETE"],
    }.items():
        app.route(path, methods=methods, authorizer=authorizer, name=path)(show_caller)
    return LocalGateway(app, Config.create(lambda_timeout=10))


def call(gateway: LocalGateway, method: str, path: str, token: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    response = gateway.handle_request(method, path, headers, b"{}")
    assert response["statusCode"] == 200
    body: dict[str, Any] = json.loads(response["body"])
    return body


@pytest.mark.parametrize(("method", "path"), [*READS, *WRITES])
def test_an_operator_may_read_and_write(gateway: LocalGateway, method: str, path: str) -> None:
    assert call(gateway, method, path, OPERATOR) == {"by": "oncall", "role": "operator"}


@pytest.mark.parametrize(("method", "path"), READS)
def test_a_viewer_may_read(gateway: LocalGateway, method: str, path: str) -> None:
    assert call(gateway, method, path, VIEWER) == {"by": "ci", "role": "viewer"}


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_a_viewer_may_not_write(gateway: LocalGateway, method: str, path: str) -> None:
    with pytest.raises(ForbiddenError):
        call(gateway, method, path, VIEWER)


@pytest.mark.parametrize(("method", "path"), [*READS, *WRITES])
def test_without_a_known_token_nothing_is_allowed(
    gateway: LocalGateway, method: str, path: str
) -> None:
    with pytest.raises(ForbiddenError):
        call(gateway, method, path, "wrong")
    with pytest.raises(NotAuthorizedError):
        gateway.handle_request(method, path, {}, b"")
