"""Errors as RFC 9457 problems: domain errors by one table, and Chalice's own errors."""

from collections.abc import Mapping
from typing import Any

import msgspec
from chalice.app import Chalice, Response

from chalicelib.domain.errors import (
    AlreadySnoozed,
    BadRequest,
    Conflict,
    FieldFault,
    NotFound,
    RequestError,
    RuleBroken,
    ServiceError,
    Stale,
    TooLarge,
    Unavailable,
)

PROBLEM_JSON = "application/problem+json"

# Status to the title of its problems. The list is complete.
TITLES = {
    400: "Malformed request",
    401: "Not authenticated",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Already snoozed",
    412: "Changed by somebody else",
    413: "Body too large",
    415: "Not JSON",
    422: "Rule broken",
    429: "Too many requests",
    500: "Internal error",
    503: "Try again later",
}

# From this status on the log has the details, and the response does not.
SERVER_ERROR = 500
UNAVAILABLE = 503

# Domain error to status. The first match counts.
STATUSES: tuple[tuple[type[ServiceError], int], ...] = (
    (BadRequest, 400),
    (NotFound, 404),
    (AlreadySnoozed, 409),
    (Stale, 412),
    (TooLarge, 413),
    (RuleBroken, 422),
    (Conflict, UNAVAILABLE),
    (Unavailable, UNAVAILABLE),
    (ServiceError, SERVER_ERROR),
)

# The details of these are only for the log, so that callers learn nothing about resources.
_DETAILS = {
    SERVER_ERROR: "The service cannot answer. Its log has the reason under this request id.",
    UNAVAILABLE: "A part of the service did not answer. Try again in a moment.",
}

# Seconds.
RETRY_AFTER = 5


class Fault(msgspec.Struct, frozen=True):
    """A fault in one field: a JSON pointer into the body, or the name of a parameter."""

    pointer: str
    code: str
    message: str


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """A problem of RFC 9457. errors name the fields that are wrong."""

    title: str
    status: int
    detail: str
    request_id: str
    errors: list[Fault] = []
    type: str = "about:blank"


def respond_to_error(error: ServiceError, request_id: str) -> Response:
    """Returns the problem for a domain error."""
    status = next(status for kind, status in STATUSES if isinstance(error, kind))
    headers: dict[str, Any] = {}
    if isinstance(error, AlreadySnoozed):
        headers["Link"] = f'<snoozes/{error.snooze_id}>; rel="related"'
    if status == UNAVAILABLE:
        headers["Retry-After"] = str(RETRY_AFTER)
    faults = error.faults if isinstance(error, RequestError) else ()
    return build_problem(status, _DETAILS.get(status, str(error)), request_id, faults, headers)


def build_problem(
    status: int,
    detail: str,
    request_id: str,
    faults: tuple[FieldFault, ...] = (),
    headers: dict[str, Any] | None = None,
) -> Response:
    """Builds a problem with the title of its status."""
    body = Problem(
        title=TITLES[status],
        status=status,
        detail=detail,
        request_id=request_id,
        errors=[Fault(each.pointer, each.code, each.message) for each in faults],
    )
    content = msgspec.json.encode(body).decode()
    return Response(content, {**(headers or {}), "Content-Type": PROBLEM_JSON}, status)


def read_request_id(request_context: Mapping[str, Any], lambda_context: Any) -> str:
    """Returns API Gateway's id of the request, or Lambda's if the gateway is a local one."""
    request_id = request_context.get("requestId") or getattr(lambda_context, "aws_request_id", "")
    return str(request_id)


class ProblemChalice(Chalice):
    """Chalice that returns its own errors, such as 405 and 415, as problems."""

    def __call__(self, event: Any, context: Any) -> dict[str, Any]:
        """Handles a request of API Gateway. Chalice's own errors have no content type."""
        response: dict[str, Any] = super().__call__(event, context)
        status = response["statusCode"]
        headers = response["headers"]
        has_type = any(name.lower() == "content-type" for name in headers)
        if status not in TITLES or has_type:
            return response
        error = msgspec.json.decode(response["body"], type=dict[str, str])
        request_id = read_request_id(event.get("requestContext", {}), context)
        detail = _name_right_value(status, headers) or error.get("Message", "")
        problem = build_problem(status, detail, request_id, headers=headers)
        return {**response, **problem.to_dict()}


def _name_right_value(status: int, headers: Mapping[str, Any]) -> str:
    """Says what to send instead; empty if the text of Chalice says it."""
    match status:
        case 405:
            return f"This path takes {headers['Allow']}."
        case 415:
            return "Send the body as Content-Type: application/json."
    return ""
