"""The authorizer over two tokens, and what it logged."""

import io
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from aws_lambda_powertools import Logger
from chalice.app import AuthRequest, AuthResponse

from chalicelib.domain.access import AccessToken, Role, hash_token
from chalicelib.entrypoints.api import auth
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


class Authorizer:
    """The authorizer of the API. `tokens` provides its list of tokens."""

    def __init__(self, tokens: auth.Tokens = TOKENS) -> None:
        self.now = NOW
        self.tokens: Callable[[], auth.Tokens] = lambda: tokens
        self._stream = io.StringIO()
        self._log = Logger(service=str(uuid4()), stream=self._stream)

    def respond(self, request: AuthRequest) -> AuthResponse:
        """Returns Chalice's response to a request of API Gateway."""
        return auth.authorize_with(request, self.tokens, self.now, lambda: self._log)

    def authorize(self, header: Any, route: str = "GET/v1/findings") -> dict[str, Any]:
        """Returns the policy that API Gateway gets for a request with this header."""
        request = AuthRequest("TOKEN", header, f"{API}/{route}")
        return self.respond(request).to_dict(request)

    @property
    def log_text(self) -> str:
        """Everything that was logged."""
        return self._stream.getvalue()

    @property
    def log_lines(self) -> list[dict[str, Any]]:
        """The fields of each log line."""
        return [json.loads(line) for line in self.log_text.splitlines()]
