"""The authorizer of the API: identifies the caller and returns what the role may do.

API Gateway caches the policy of a token for five minutes and applies it to every
route. So a policy names everything that the role may do, not only the request, and a
token may still be accepted for five minutes after its end.
"""

import re
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

from aws_lambda_powertools import Logger
from chalice.app import AuthRequest, AuthResponse, AuthRoute

from chalicelib import bootstrap
from chalicelib.domain.access import AccessToken, find_token, list_methods
from chalicelib.domain.errors import ServiceError

# The routes that need a caller; /healthz and /openapi.json do not.
PATHS = "/v1/*"
# It changes nothing, so every caller may post to it.
PREVIEW = "/v1/snoozes/preview"
NOBODY = "nobody"
# Seconds. A token is refused only by a list that is at most this old. So a new token works soon,
# and a flood of wrong ones does not read the list each time.
REFUSAL_AGE = 10.0
# A token as in RFC 6750, section 2.1. The scheme ignores case (RFC 9110, section 11.1).
_BEARER = re.compile(r"(?i:bearer) +([A-Za-z0-9._~+/-]+=*)")


class Tokens(Protocol):
    """The stored tokens."""

    def all(self, max_age: float = ...) -> tuple[AccessToken, ...]:
        """Returns the tokens as they were at most `max_age` seconds ago."""


def authorize(request: AuthRequest) -> AuthResponse:
    """Returns what the caller may do: nothing if anything is wrong."""
    return authorize_with(
        request, lambda: bootstrap.runtime().tokens, datetime.now(UTC), _make_logger
    )


def authorize_with(
    request: AuthRequest, tokens: Callable[[], Tokens], now: datetime, log: Callable[[], Logger]
) -> AuthResponse:
    """Returns what the caller may do at `now`, according to `tokens`.

    The response never says what is wrong. Never raises: API Gateway would answer 500, and
    Chalice's local server would drop the connection.
    """
    try:
        caller = _identify_caller(request.token, tokens(), now)
    except Exception as error:  # noqa: BLE001 - no error of any kind may let anybody in
        log().error("authorizer failed, request refused", extra=_describe_error(error))
        return AuthResponse(routes=[], principal_id=NOBODY)
    if isinstance(caller, str):
        log().warning("request refused", extra={"why": caller})
        return AuthResponse(routes=[], principal_id=NOBODY)
    routes: list[str | AuthRoute] = [
        AuthRoute(PATHS, list(list_methods(caller.role))),
        AuthRoute(PREVIEW, ["POST"]),
    ]
    return AuthResponse(routes, principal_id=caller.name, context={"role": caller.role.value})


def _identify_caller(header: str, tokens: Tokens, now: datetime) -> AccessToken | str:
    """Returns the caller's token, or why it is refused. The reason is only for the log."""
    bearer = _BEARER.fullmatch(header)
    if bearer is None:
        return "the Authorization header is not of the form Bearer <token>"
    text = bearer[1]
    token = find_token(tokens.all(), text) or find_token(tokens.all(REFUSAL_AGE), text)
    if token is None:
        return "unknown token" if tokens.all() else "no token exists; add one: make token"
    if token.has_ended(now):
        return f"token {token.name} has ended"
    return token


def _describe_error(error: Exception) -> dict[str, str]:
    """Describes an error for the log. An error of a library may quote the token in its text."""
    if isinstance(error, ServiceError):
        return {"why": str(error)}
    last = traceback.extract_tb(error.__traceback__)[-1]
    return {"why": type(error).__name__, "where": f"{last.filename}:{last.lineno}"}


def _make_logger() -> Logger:
    """Makes a logger without settings, because they may be what is wrong."""
    return Logger(service=bootstrap.SERVICE, level="INFO")
