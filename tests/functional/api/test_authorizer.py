"""The authorizer as app.py declares it, over the settings and the parameter of a stack."""

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
from tests.functional.conftest import Service

pytestmark = pytest.mark.enable_socket

API = "arn:aws:execute-api:us-east-1:123456789012:abcdef1234/api"


def ask(service: Service, token: str) -> dict[str, Any]:
    """Hand over the event of API Gateway; returns what it gets."""
    app = Chalice("test", configure_logs=False)
    authorizer = app.authorizer(name="authorizer", ttl_seconds=300)(auth.authorize)
    event = {
        "type": "TOKEN",
        "authorizationToken": f"Bearer {token}",
        "methodArn": f"{API}/GET/v1/findings",
    }
    with redirect_stdout(service.log):
        answer: dict[str, Any] = authorizer(event, None)
    return answer


def allowed(answer: dict[str, Any]) -> list[str]:
    arns: list[str] = answer["policyDocument"]["Statement"][0]["Resource"]
    return arns


def add(service: Service, role: Role) -> str:
    tokens = ParameterTokens(service.ssm, service.stack.env["API_TOKENS_PARAMETER"])
    return add_token(tokens, role.value, role, datetime.now(UTC))


def test_tokens_of_the_parameter_are_let_in_by_their_role(service: Service) -> None:
    viewer, operator = add(service, Role.VIEWER), add(service, Role.OPERATOR)
    assert allowed(ask(service, viewer)) == [f"{API}/GET/v1/*"]
    answer = ask(service, operator)
    assert len(allowed(answer)) == 5
    assert (answer["principalId"], answer["context"]) == ("operator", {"role": "operator"})
    assert service.log.getvalue() == ""


def test_the_parameter_is_read_once_for_many_requests(service: Service) -> None:
    token = add(service, Role.VIEWER)
    for _ in range(3):
        ask(service, token)
    assert bootstrap.runtime().calls.take() == {"ssm.GetParameter": 1}


def test_a_flood_of_wrong_tokens_does_not_reach_the_parameter(service: Service) -> None:
    for _ in range(3):
        assert allowed(ask(service, generate_token())) == []
    assert bootstrap.runtime().calls.take() == {"ssm.GetParameter": 1}


def test_before_the_first_token_everybody_is_refused(service: Service) -> None:
    token = generate_token()
    answer = ask(service, token)
    assert (answer["principalId"], allowed(answer), answer["context"]) == ("nobody", [], {})
    (line,) = service.log_lines()
    assert (line["level"], line["why"]) == ("WARNING", "no token exists; add one: make token")
    assert token not in service.log.getvalue()


def test_a_malformed_parameter_refuses_everybody_and_names_the_setting(service: Service) -> None:
    token = add(service, Role.VIEWER)
    name = service.stack.env["API_TOKENS_PARAMETER"]
    service.ssm.put_parameter(Name=name, Value="secret", Type="SecureString", Overwrite=True)
    assert allowed(ask(service, token)) == []
    (line,) = service.log_lines()
    assert line["level"] == "ERROR"
    assert line["why"].startswith("setting API_TOKENS_PARAMETER: ")
    assert "secret" not in service.log.getvalue()


@pytest.mark.parametrize("name", ["API_TOKENS_PARAMETER", "FINDINGS_TABLE"])
def test_a_missing_setting_refuses_everybody_and_is_named(
    service: Service, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = add(service, Role.VIEWER)
    monkeypatch.delenv(name)
    assert allowed(ask(service, token)) == []
    (line,) = service.log_lines()
    assert line["why"].startswith(f"setting {name}: is missing")


def test_a_wrong_log_level_refuses_everybody_and_is_named(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = add(service, Role.VIEWER)
    monkeypatch.setenv("LOG_LEVEL", "LOUD")
    assert allowed(ask(service, token)) == []
    assert service.log_lines()[0]["why"].startswith("setting LOG_LEVEL: ")


def test_an_ssm_out_of_reach_refuses_everybody(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = add(service, Role.VIEWER)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    assert allowed(ask(service, token)) == []
    assert service.log_lines()[0]["why"].startswith("SSM could not be reached")
    assert token not in service.log.getvalue()
