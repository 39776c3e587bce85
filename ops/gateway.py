"""What Chalice's API lacks and Chalice overwrites: answers in problem form, and throttling."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from chalicelib.entrypoints.problems import PROBLEM_JSON

if TYPE_CHECKING:
    from mypy_boto3_apigateway import APIGatewayClient

# Requests a second, and at once: people and a dashboard, not a bill that runs away.
RATE, BURST = 20, 40


@dataclass(frozen=True, slots=True)
class Refusal:
    """A problem that the gateway answers by itself."""

    status: int
    title: str
    detail: str


_NOT_ALLOWED = Refusal(403, "Not allowed", "The credentials of this request do not allow it.")
_NOT_FOUND = Refusal(404, "Not found", "There is nothing at this path for this method.")
_OURS = Refusal(500, "Internal error", "The service is not able to answer. Its log says why.")
_LATER = Refusal(503, "Try again later", "The service did not answer in time.")
_NOT_SIGNED = Refusal(
    403, "Not allowed", "The signature of this request is wrong, too old, or of unknown keys."
)

# API Gateway's response types; what is not here inherits one of the two defaults, which keep
# the status that the gateway chose.
REFUSALS: Mapping[str, Refusal] = {
    "ACCESS_DENIED": _NOT_ALLOWED,
    "API_CONFIGURATION_ERROR": _OURS,
    "AUTHORIZER_CONFIGURATION_ERROR": _OURS,
    "AUTHORIZER_FAILURE": _OURS,
    "BAD_REQUEST_BODY": Refusal(400, "Malformed request", "The body cannot be read."),
    "BAD_REQUEST_PARAMETERS": Refusal(400, "Malformed request", "A parameter cannot be read."),
    "EXPIRED_TOKEN": _NOT_SIGNED,
    "INTEGRATION_FAILURE": _LATER,
    "INTEGRATION_TIMEOUT": _LATER,
    "INVALID_SIGNATURE": _NOT_SIGNED,
    "REQUEST_TOO_LARGE": Refusal(413, "Body too large", "The body is larger than 10 MB."),
    "RESOURCE_NOT_FOUND": _NOT_FOUND,
    "THROTTLED": Refusal(
        429, "Too many requests", f"More than {RATE} requests a second. Try again in a moment."
    ),
    "UNAUTHORIZED": Refusal(
        401, "Not authenticated", "Send the header Authorization: Bearer <token>."
    ),
    "UNSUPPORTED_MEDIA_TYPE": Refusal(
        415, "Not JSON", "Send the body as Content-Type: application/json."
    ),
}
# The gateway says so of a path that does not exist and, with API_AUTH=iam, of a request that
# is not signed.
MISSING_TOKEN = "MISSING_AUTHENTICATION_TOKEN"  # noqa: S105 - a type of answer
_UNSIGNED = Refusal(
    403, "Not allowed", "This path does not exist, or the request is not signed by AWS keys."
)
_DEFAULTS = {
    "DEFAULT_4XX": ("Refused", "The gateway refused the request."),
    "DEFAULT_5XX": ("Internal error", "The gateway failed to answer."),
}


def answers(*, signed: bool) -> dict[str, dict[str, Any]]:
    """The parameters of PutGatewayResponse, by response type; `signed` where callers sign."""
    refusals = {**REFUSALS, MISSING_TOKEN: _UNSIGNED if signed else _NOT_FOUND}
    made = {kind: _answer(refusal) for kind, refusal in refusals.items()}
    made["UNAUTHORIZED"]["responseParameters"] |= {
        "gatewayresponse.header.WWW-Authenticate": "'Bearer'"
    }
    made["THROTTLED"]["responseParameters"] |= {"gatewayresponse.header.Retry-After": "'1'"}
    for kind, (title, detail) in _DEFAULTS.items():
        made[kind] = _templated(title, detail)
    return made


def patch(client: "APIGatewayClient", api_id: str, stage: str, *, signed: bool) -> None:
    """Put the answers and the limits in place, and deploy them; can be repeated.

    Gateway answers hold only once the API is deployed again.
    """
    for kind, answer in answers(signed=signed).items():
        client.put_gateway_response(restApiId=api_id, responseType=kind, **answer)  # type: ignore[arg-type]
    client.create_deployment(
        restApiId=api_id, stageName=stage, description="answers of the gateway in problem form"
    )
    client.update_stage(
        restApiId=api_id,
        stageName=stage,
        patchOperations=[
            {"op": "replace", "path": "/*/*/throttling/rateLimit", "value": str(RATE)},
            {"op": "replace", "path": "/*/*/throttling/burstLimit", "value": str(BURST)},
        ],
    )


def _answer(refusal: Refusal) -> dict[str, Any]:
    body = {
        "title": refusal.title,
        "status": refusal.status,
        "detail": refusal.detail,
        "request_id": "$context.requestId",
        "type": "about:blank",
    }
    return _with_body(msgspec.json.encode(body).decode()) | {"statusCode": str(refusal.status)}


def _templated(title: str, detail: str) -> dict[str, Any]:
    """An answer with whatever status the gateway gives it; RFC 9457 lets it be left out."""
    body = {
        "title": title,
        "detail": detail,
        "request_id": "$context.requestId",
        "type": "about:blank",
    }
    return _with_body(msgspec.json.encode(body).decode())


def _with_body(body: str) -> dict[str, Any]:
    return {
        "responseParameters": {"gatewayresponse.header.Content-Type": f"'{PROBLEM_JSON}'"},
        # The gateway chooses a template by what the caller accepts; this is its default.
        "responseTemplates": {"application/json": body},
    }
