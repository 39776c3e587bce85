"""Who calls the API: the authorizer behind its routes, and the name that an answer is booked on.

API Gateway keeps the policy of a token for five minutes and asks it about every
route, so a policy names all that the role may do, never only what was asked.
"""

import re
import traceback
from collections.abc import Callable
from typing import Protocol

from aws_lambda_powertools import Logger
from chalice.app import AuthRequest, AuthResponse, AuthRoute

from chalicelib import bootstrap
from chalicelib.domain.access import AccessToken, Caller, find_caller, list_methods
from chalicelib.domain.errors import ServiceError

# Everything that asks who is there; /healthz and /openapi.json do not.
PATHS = "/v1/*"
NOBODY = "nobody"
# Seconds: how old the list may be that refuses a token, so that a new token soon
# works and a flood of wrong ones reads the list only this often.
REFUSAL_AGE = 10.0
# The token of RFC 6750, section 2.1; the scheme's case does not count (RFC 9110, 11.1).
_BEARER = re.compile(r"(?i:bearer) +([A-Za-z0-9._~+/-]+=*)")


class Tokens(Protocol):
    """The tokens that are known."""

    def all(self, max_age: float = ...) -> tuple[AccessToken, ...]:
        """All of them, as they were `max_age` seconds ago or later."""


def authorize(request: AuthRequest) -> AuthResponse:
    """What the caller of this request may do; nothing where anything is wrong."""
    return authorize_with(request, lambda: bootstrap.runtime().tokens, _log)


def authorize_with(
    request: AuthRequest, tokens: Callable[[], Tokens], log: Callable[[], Logger]
) -> AuthResponse:
    """What the caller of this request may do, by these tokens.

    Never raises: an authorizer that does is an error 500 at API Gateway and a
    dropped connection at Chalice's local server. A refusal does not say what was wrong.
    """
    try:
        found = _found(request.token, tokens())
    except Exception as error:  # noqa: BLE001 - whatever it is, nobody is let in by it
        log().error("authorizer failed, request refused", extra=_facts(error))
        return AuthResponse(routes=[], principal_id=NOBODY)
    if isinstance(found, str):
        log().warning("request refused", extra={"why": found})
        return AuthResponse(routes=[], principal_id=NOBODY)
    route = AuthRoute(PATHS, list(list_methods(found.role)))
    return AuthResponse([route], principal_id=found.name, context={"role": found.role.value})


def _found(header: str, tokens: Tokens) -> Caller | str:
    """Who presents this header, or why it is nobody: for the log, never for the caller."""
    bearer = _BEARER.fullmatch(header)
    if bearer is None:
        return "the Authorization header has not the form Bearer <token>"
    known = find_caller(tokens.all(), bearer[1]) or find_caller(tokens.all(REFUSAL_AGE), bearer[1])
    if known is None:
        return "unknown token" if tokens.all() else "no token exists; add one: make token"
    return known


def _facts(error: Exception) -> dict[str, str]:
    """An error for the log; the text of one that is not ours may quote the token."""
    if isinstance(error, ServiceError):
        return {"why": str(error)}
    last = traceback.extract_tb(error.__traceback__)[-1]
    return {"why": type(error).__name__, "where": f"{last.filename}:{last.lineno}"}


def _log() -> Logger:
    """The process's logger, also where its settings are what is wrong."""
    return Logger(service=bootstrap.SERVICE, level="INFO")
