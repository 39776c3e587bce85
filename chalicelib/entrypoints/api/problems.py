"""Errors as RFC 9457 problems: one table from domain errors, and Chalice's own errors too."""

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

# Status to the title of its problems: the whole list of what can go wrong.
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
    500: "Internal error",
    503: "Try again later",
}

# From here on it is our fault, and the log has more than the answer.
OURS = 500
# The gateway answers these itself before a request reaches us.
GATEWAY = (401, 403)

# Domain error to status; the first that fits counts.
STATUSES: tuple[tuple[type[ServiceError], int], ...] = (
    (BadRequest, 400),
    (NotFound, 404),
    (AlreadySnoozed, 409),
    (Stale, 412),
    (TooLarge, 413),
    (RuleBroken, 422),
    (Conflict, 503),
    (Unavailable, 503),
    (ServiceError, 500),
)

# What callers are told where the details are for the operators' log only.
_KEPT_BACK = {
    500: "The service is not able to answer. Its log says why, by the request id.",
    503: "A part of the service did not answer. Try again in a moment.",
}
RETRY_AFTER_SECONDS = 5


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with one field: a JSON pointer into the body, or a parameter's name."""

    pointer: str
    code: str
    message: str


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """A problem of RFC 9457; errors name every field that is wrong."""

    title: str
    status: int
    detail: str
    request_id: str
    errors: list[Fault] = []
    type: str = "about:blank"


def status_of(error: ServiceError) -> int:
    """The status that answers an error."""
    return next(status for kind, status in STATUSES if isinstance(error, kind))


def problem_of(error: ServiceError, request_id: str) -> Response:
    """The problem that answers an error."""
    status = status_of(error)
    headers: dict[str, Any] = {}
    faults: tuple[FieldFault, ...] = ()
    detail = _KEPT_BACK.get(status, str(error))
    if isinstance(error, RequestError):
        faults = error.faults
    if isinstance(error, AlreadySnoozed):
        headers["Link"] = f'<snoozes/{error.snooze_id}>; rel="related"'
    if status == 503:  # noqa: PLR2004 - the status that a caller should wait for
        headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return problem(status, detail, request_id, faults, headers)


def problem(
    status: int,
    detail: str,
    request_id: str,
    faults: tuple[FieldFault, ...] = (),
    headers: dict[str, Any] | None = None,
) -> Response:
    """A problem with the title of its status."""
    body = Problem(
        title=TITLES[status],
        status=status,
        detail=detail,
        request_id=request_id,
        errors=[Fault(each.pointer, each.code, each.message) for each in faults],
    )
    content = msgspec.json.encode(body).decode()
    return Response(content, {**(headers or {}), "Content-Type": PROBLEM_JSON}, status)


def request_id_of(request_context: Mapping[str, Any], lambda_context: Any) -> str:
    """API Gateway's id of the request, or Lambda's where the gateway is a local one."""
    named = request_context.get("requestId") or getattr(lambda_context, "aws_request_id", "")
    return str(named)


class ProblemChalice(Chalice):
    """Chalice whose own errors, such as 405 and 415, are problems too."""

    def __call__(self, event: Any, context: Any) -> dict[str, Any]:
        """Answer a request of API Gateway."""
        answered: dict[str, Any] = super().__call__(event, context)
        status = answered["statusCode"]
        headers = answered["headers"]
        typed = any(name.lower() == "content-type" for name in headers)
        if status not in TITLES or typed:
            return answered
        said = msgspec.json.decode(answered["body"], type=dict[str, str])
        request_id = request_id_of(event.get("requestContext", {}), context)
        rewritten = problem(status, said.get("Message", ""), request_id, headers=headers)
        return {**answered, **rewritten.to_dict()}
