"""The authorizer as app.py declares it, with the settings and the parameter of a stack."""

from contextlib import redirect_stdout
from datetime import UTC, datetime
from typing import Any

import pytest
from chalice.app import Chalice

from chalicelib import bootstrap
from chalicelib.adapters.access_tokens import ParameterTokens
from chalicelib.domain.access import Role
from chalicelib.entrypoints.api import auth
from ops.tokens import add_token, generate_token
from tests.functional.service import Service

pytestmark = pytest.mark.enable_socket

API = "arn:aws:execute-api:us-east-1:123456789012:abcdef1234/api"


def authorize(service: Service, token: str) -> dict[str, Any]:
    """Calls the authorizer as API Gateway does, and returns its response."""
    app = Chalice("test", configure_logs=False)
    authorizer = app.authorizer(name="authorizer", ttl_seconds=300)(auth.authorize)
    event = {
        "type": "TOKEN",
        "authorizationToken": f"Bearer {token}",
        "methodArn": f"{API}/GET/v1/findings",
    }
    with redirect_stdout(service.log):
        response: dict[str, Any] = authorizer(event, None)
    return response


def list_allowed(response: dict[str, Any]) -> list[str]:
    arns: list[str] = response["policyDocument"]["Statement"][0]["Resource"]
    return arns


def create_token(service: Service, role: Role) -> str:
    tokens = ParameterTokens(service.ssm, service.stack.env["API_TOKENS_PARAMETER"])
    return add_token(tokens, role.value, role, datetime.now(UTC))


def test_a_token_allows_the_methods_of_its_role(service: Service) -> None:
    viewer, operator = create_token(service, Role.VIEWER), create_token(service, Role.OPERATOR)
    preview = f"{API}/POST/v1/snoozes/preview"
    assert list_allowed(authorize(service, viewer)) == [f"{API}/GET/v1/*", preview]

    response = authorize(service, operator)
    assert len(list_allowed(response)) == 5 + 1
    assert (response["principalId"], response["context"]) == ("operator", {"role": "operator"})
    assert service.log.getvalue() == ""


def test_many_requests_read_the_parameter_once(service: Service) -> None:
    token = create_token(service, Role.VIEWER)
    for _ in range(3):
        authorize(service, token)

    assert bootstrap.runtime().calls.take() == {"ssm.GetParameter": 1}


def test_many_wrong_tokens_read_the_parameter_once(service: Service) -> None:
    for _ in range(3):
        assert list_allowed(authorize(service, generate_token())) == []
    assert bootstrap.runtime().calls.take() == {"ssm.GetParameter": 1}


def test_without_tokens_every_request_is_refused(service: Service) -> None:
    token = generate_token()
    response = authorize(service, token)

    assert (response["principalId"], response["context"]) == ("nobody", {})
    assert list_allowed(response) == []
    (line,) = service.read_log()
    assert (line["level"], line["why"]) == ("WARNING", "no token exists; add one: make token")
    assert token not in service.log.getvalue()


def test_a_malformed_parameter_refuses_every_request_and_the_log_names_the_setting(
    service: Service,
) -> None:
    token = create_token(service, Role.VIEWER)
    name = service.stack.env["API_TOKENS_PARAMETER"]
    service.ssm.put_parameter(Name=name, Value="secret", Type="SecureString", Overwrite=True)
    assert list_allowed(authorize(service, token)) == []

    (line,) = service.read_log()
    assert line["level"] == "ERROR"
    assert line["why"].startswith("setting API_TOKENS_PARAMETER: ")
    assert "secret" not in service.log.getvalue()


@pytest.mark.parametrize("name", ["API_TOKENS_PARAMETER", "FINDINGS_TABLE"])
def test_a_missing_setting_refuses_every_request_and_the_log_names_it(
    service: Service, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = create_token(service, Role.VIEWER)
    monkeypatch.delenv(name)
    assert list_allowed(authorize(service, token)) == []

    (line,) = service.read_log()
    assert line["why"].startswith(f"setting {name}: is missing")


def test_a_wrong_log_level_refuses_every_request_and_the_log_names_it(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = create_token(service, Role.VIEWER)
    monkeypatch.setenv("LOG_LEVEL", "LOUD")

    assert list_allowed(authorize(service, token)) == []
    assert service.read_log()[0]["why"].startswith("setting LOG_LEVEL: ")


def test_without_a_connection_to_ssm_every_request_is_refused(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = create_token(service, Role.VIEWER)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")

    assert list_allowed(authorize(service, token)) == []
    assert service.read_log()[0]["why"].startswith("SSM could not be reached")
    assert token not in service.log.getvalue()
