import io
import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from aws_lambda_powertools import Logger
from chalice.app import AuthRequest, AuthResponse, Chalice, Request
from chalice.config import Config
from chalice.local import ForbiddenError, LocalGateway, NotAuthorizedError

from chalicelib.domain.access import AccessToken, Role, hash_token
from chalicelib.domain.errors import BadSetting, Unavailable
from chalicelib.entrypoints.api import auth
from chalicelib.entrypoints.api.call import read_caller
from tests.fakes import MemoryTokens

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime(2026, 1, 31, 8, tzinfo=UTC)
API = "arn:aws:execute-api:eu-central-1:123456789012:abcdef1234/api"
VIEWER, OPERATOR = "eis_viewer-Token_1", "eis_operator-Token_2"
TOKENS = MemoryTokens(
    AccessToken("ci", Role.VIEWER, hash_token(VIEWER), NOW),
    AccessToken("oncall", Role.OPERATOR, hash_token(OPERATOR), NOW),
)


class Asked:
    """The authorizer over some tokens, and what it logged."""

    def __init__(self, tokens: auth.Tokens = TOKENS) -> None:
        self.tokens: Callable[[], auth.Tokens] = lambda: tokens
        self._stream = io.StringIO()
        self._log = Logger(service=str(uuid4()), stream=self._stream)

    def answer(self, request: AuthRequest) -> AuthResponse:
        return auth.authorize_with(request, self.tokens, lambda: self._log)

    def about(self, header: Any, route: str = "GET/v1/findings") -> dict[str, Any]:
        """What API Gateway gets for a request with this header."""
        request = AuthRequest("TOKEN", header, f"{API}/{route}")
        return self.answer(request).to_dict(request)

    @property
    def text(self) -> str:
        return self._stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]


def resources(answer: dict[str, Any]) -> list[str]:
    (statement,) = answer["policyDocument"]["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Allow", "execute-api:Invoke")
    arns: list[str] = statement["Resource"]
    return arns


def test_a_viewer_may_read_everything() -> None:
    answer = Asked().about(f"Bearer {VIEWER}")
    assert resources(answer) == [f"{API}/GET/v1/*"]
    assert (answer["principalId"], answer["context"]) == ("ci", {"role": "viewer"})


def test_an_operator_may_also_change_everything() -> None:
    answer = Asked().about(f"Bearer {OPERATOR}")
    methods = ("GET", "POST", "PUT", "PATCH", "DELETE")
    assert resources(answer) == [f"{API}/{method}/v1/*" for method in methods]
    assert (answer["principalId"], answer["context"]) == ("oncall", {"role": "operator"})


def test_a_policy_that_is_kept_answers_for_every_route() -> None:
    asked = Asked()
    routes = ["GET/v1/findings", "DELETE/v1/snoozes/1", "GET/"]
    answers = [asked.about(f"Bearer {VIEWER}", route) for route in routes]
    assert answers[0] == answers[1] == answers[2]


def test_what_is_let_in_is_not_logged() -> None:
    asked = Asked()
    asked.about(f"Bearer {VIEWER}")
    assert asked.lines == []


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR", "Bearer  "])
def test_the_case_of_the_scheme_does_not_count(scheme: str) -> None:
    assert Asked().about(f"{scheme} {VIEWER}")["principalId"] == "ci"


REFUSED = [
    "",
    VIEWER,
    "Bearer",
    "Bearer ",
    f"Bearer{VIEWER}",
    f"Bearer\t{VIEWER}",
    f" Bearer {VIEWER}",
    f"Bearer {VIEWER} ",
    f"Bearer {VIEWER}\n",
    f"Bearer {VIEWER} {VIEWER}",
    f"Bearer {VIEWER},Bearer {VIEWER}",
    f"Bearer {VIEWER[:-1]}",
    f"Bearer {VIEWER}x",
    f"Bearer {VIEWER.upper()}",
    f"Bearer {hash_token(VIEWER)}",
    f"Basic {VIEWER}",
    f"Token {VIEWER}",
    "Bearer é",
    "Bearer \udce9",
    "Bearer *",
    None,
    7,
    ["Bearer", VIEWER],
]


@pytest.mark.parametrize("header", REFUSED)
def test_anything_else_is_refused_alike_and_never_logged(header: Any) -> None:
    asked = Asked()
    answer = asked.about(header)
    assert resources(answer) == []
    assert (answer["principalId"], answer["context"]) == ("nobody", {})
    assert [line["level"] for line in asked.lines] in (["WARNING"], ["ERROR"])
    assert VIEWER[4:] not in asked.text
    assert hash_token(VIEWER) not in asked.text


def test_the_log_tells_people_why_somebody_was_refused() -> None:
    asked = Asked()
    asked.about("Basic x")
    asked.about("Bearer wrong")
    assert [line["why"] for line in asked.lines] == [
        "the Authorization header is not of the form Bearer <token>",
        "unknown token",
    ]


def test_without_tokens_everybody_is_refused_and_the_log_says_what_to_do() -> None:
    asked = Asked(MemoryTokens())
    assert resources(asked.about(f"Bearer {VIEWER}")) == []
    assert asked.lines[0]["why"] == "no token exists; add one: make token"


class Failing:
    """Tokens that cannot be read."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def all(self, max_age: float = 0) -> tuple[AccessToken, ...]:  # noqa: ARG002 - whatever it is
        raise self._error


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (Unavailable("SSM did not answer"), "SSM did not answer"),
        (BadSetting("API_TOKENS_PARAMETER", "mend it"), "setting API_TOKENS_PARAMETER: mend it"),
        (KeyError(VIEWER), "KeyError"),
        (RecursionError(f"at {VIEWER}"), "RecursionError"),
    ],
)
def test_whatever_fails_refuses_and_says_so_without_the_token(error: Exception, why: str) -> None:
    asked = Asked(Failing(error))
    assert resources(asked.about(f"Bearer {VIEWER}")) == []
    (line,) = asked.lines
    assert (line["level"], line["why"]) == ("ERROR", why)
    assert VIEWER not in asked.text


def test_a_bug_is_logged_with_its_place() -> None:
    asked = Asked(Failing(ValueError("x")))
    asked.about(f"Bearer {VIEWER}")
    assert "test_auth.py:" in asked.lines[0]["where"]


def test_a_runtime_that_cannot_be_built_refuses() -> None:
    asked = Asked()

    def broken() -> auth.Tokens:
        raise BadSetting("FINDINGS_TABLE", "is missing")

    asked.tokens = broken
    assert resources(asked.about(f"Bearer {VIEWER}")) == []
    assert asked.lines[0]["why"] == "setting FINDINGS_TABLE: is missing"


class Remembered:
    """Tokens as an adapter gives them that remembers an old list, and what it was asked."""

    def __init__(self) -> None:
        self.ages: list[float | None] = []

    def all(self, max_age: float | None = None) -> tuple[AccessToken, ...]:
        self.ages.append(max_age)
        return () if max_age is None else TOKENS.all()


def test_a_new_token_works_though_the_list_is_remembered() -> None:
    tokens = Remembered()
    asked = Asked(tokens)
    assert asked.about(f"Bearer {VIEWER}")["principalId"] == "ci"
    assert tokens.ages == [None, auth.REFUSAL_AGE]


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.fixture
def gateway(asked: Asked) -> LocalGateway:
    """The routes of the API, each answering who called, behind the authorizer."""
    app = Chalice("test", configure_logs=False)

    @app.authorizer(ttl_seconds=300)
    def authorizer(request: AuthRequest) -> AuthResponse:
        return asked.answer(request)

    def view(**_: str) -> dict[str, Any]:
        request = app.current_request
        assert request is not None
        return {"by": read_caller(request), "role": request.context["authorizer"]["role"]}

    for path, methods in {
        "/v1/findings": ["GET"],
        "/v1/findings/{finding_id}/snooze": ["PUT", "DELETE"],
        "/v1/snoozes": ["GET", "POST"],
        "/v1/snoozes/{snooze_id}": ["GET", "PATCH", "DELETE"],
    }.items():
        app.route(path, methods=methods, authorizer=authorizer, name=path)(view)
    return LocalGateway(app, Config.create(lambda_timeout=10))


READS = [("GET", "/v1/findings"), ("GET", "/v1/findings?limit=1"), ("GET", "/v1/snoozes/abc")]
WRITES = [
    ("POST", "/v1/snoozes"),
    ("PATCH", "/v1/snoozes/abc"),
    ("DELETE", "/v1/snoozes/abc"),
    ("PUT", "/v1/findings/abc/snooze"),
    ("DELETE", "/v1/findings/abc/snooze"),
]


def call(gateway: LocalGateway, method: str, path: str, token: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    answer = gateway.handle_request(method, path, headers, b"{}")
    assert answer["statusCode"] == 200
    body: dict[str, Any] = json.loads(answer["body"])
    return body


@pytest.mark.parametrize(("method", "path"), [*READS, *WRITES])
def test_an_operator_passes_the_local_gateway(
    gateway: LocalGateway, method: str, path: str
) -> None:
    assert call(gateway, method, path, OPERATOR) == {"by": "oncall", "role": "operator"}


@pytest.mark.parametrize(("method", "path"), READS)
def test_a_viewer_passes_the_local_gateway_to_read(
    gateway: LocalGateway, method: str, path: str
) -> None:
    assert call(gateway, method, path, VIEWER) == {"by": "ci", "role": "viewer"}


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_a_viewer_is_stopped_where_something_changes(
    gateway: LocalGateway, method: str, path: str
) -> None:
    with pytest.raises(ForbiddenError):
        call(gateway, method, path, VIEWER)


@pytest.mark.parametrize(("method", "path"), [*READS, *WRITES])
def test_nobody_passes_the_local_gateway(gateway: LocalGateway, method: str, path: str) -> None:
    with pytest.raises(ForbiddenError):
        call(gateway, method, path, "wrong")
    with pytest.raises(NotAuthorizedError):
        gateway.handle_request(method, path, {}, b"")


def request_of(context: dict[str, Any]) -> Request:
    return SimpleNamespace(context=context)  # type: ignore[return-value]


ARN = "arn:aws:sts::123456789012:assumed-role/security/oncall"


@pytest.mark.parametrize(
    ("context", "name"),
    [
        ({"authorizer": {"principalId": "ci"}, "identity": {"userArn": None}}, "ci"),
        ({"authorizer": {"principalId": "ci"}}, "ci"),
        ({"identity": {"userArn": ARN}}, ARN),
        ({"authorizer": None, "identity": {"userArn": ARN}}, ARN),
    ],
)
def test_the_caller_is_the_name_of_the_token_or_the_arn(context: dict[str, Any], name: str) -> None:
    assert read_caller(request_of(context)) == name


@pytest.mark.parametrize(
    "context",
    [
        {},
        {"identity": {"sourceIp": "127.0.0.1"}},
        {"authorizer": {}, "identity": {"userArn": None}},
        {"authorizer": {"principalId": ""}, "identity": {}},
    ],
)
def test_a_request_without_a_caller_is_nobodys_to_sign(context: dict[str, Any]) -> None:
    with pytest.raises(BadSetting, match="API_AUTH"):
        read_caller(request_of(context))
