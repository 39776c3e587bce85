"""Sets what Chalice leaves out of an API: error responses as problems, and a request limit.

Chalice overwrites both, so every deployment sets them again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from chalicelib.entrypoints.api.problems import PROBLEM_JSON

if TYPE_CHECKING:
    from mypy_boto3_apigateway import APIGatewayClient

# Requests a second, and in a burst: enough for people and a dashboard, and a cap on the bill.
RATE, BURST = 20, 40


@dataclass(frozen=True, slots=True)
class Refusal:
    """A problem that the gateway sends without calling a function."""

    status: int
    title: str
    detail: str


_NOT_ALLOWED = Refusal(403, "Not allowed", "The credentials of this request do not allow it.")
_NOT_FOUND = Refusal(404, "Not found", "No route matches this path and method.")
_INTERNAL = Refusal(500, "Internal error", "The service failed to answer. Its log has the reason.")
_UNAVAILABLE = Refusal(503, "Try again later", "The service did not answer in time.")
_BAD_SIGNATURE = Refusal(
    403, "Not allowed", "The signature is wrong or expired, or its access key is unknown."
)

# By response type of API Gateway. Other types use one of the two defaults, which keep the
# status that the gateway chose.
REFUSALS: Mapping[str, Refusal] = {
    "ACCESS_DENIED": _NOT_ALLOWED,
    "API_CONFIGURATION_ERROR": _INTERNAL,
    "AUTHORIZER_CONFIGURATION_ERROR": _INTERNAL,
    "AUTHORIZER_FAILURE": _INTERNAL,
    "BAD_REQUEST_BODY": Refusal(400, "Malformed request", "The body cannot be read."),
    "BAD_REQUEST_PARAMETERS": Refusal(400, "Malformed request", "A parameter cannot be read."),
    "EXPIRED_TOKEN": _BAD_SIGNATURE,
    "INTEGRATION_FAILURE": _UNAVAILABLE,
    "INTEGRATION_TIMEOUT": _UNAVAILABLE,
    "INVALID_SIGNATURE": _BAD_SIGNATURE,
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
# The gateway uses this type if the path does not exist and, with API_AUTH=iam, if the request
# is not signed.
MISSING_TOKEN = "MISSING_AUTHENTICATION_TOKEN"  # noqa: S105 - a response type
_UNSIGNED = Refusal(
    403, "Not allowed", "The path does not exist, or the request is not signed with AWS keys."
)
_DEFAULTS = {
    "DEFAULT_4XX": ("Refused", "The gateway refused the request."),
    "DEFAULT_5XX": ("Internal error", "The gateway failed to answer."),
}


def build_responses(*, signed: bool) -> dict[str, dict[str, Any]]:
    """Build the parameters of PutGatewayResponse by response type.

    `signed` is true if callers sign their requests (API_AUTH=iam).
    """
    refusals = {**REFUSALS, MISSING_TOKEN: _UNSIGNED if signed else _NOT_FOUND}
    responses = {kind: _build_response(refusal) for kind, refusal in refusals.items()}
    responses["UNAUTHORIZED"]["responseParameters"] |= {
        "gatewayresponse.header.WWW-Authenticate": "'Bearer'"
    }
    responses["THROTTLED"]["responseParameters"] |= {"gatewayresponse.header.Retry-After": "'1'"}
    for kind, (title, detail) in _DEFAULTS.items():
        # without a status: the gateway chooses it, and RFC 9457 lets it be left out
        responses[kind] = _with_body({"title": title, "detail": detail})
    return responses


def configure_api(client: "APIGatewayClient", api_id: str, stage: str, *, signed: bool) -> None:
    """Set the error responses and the request limit, and deploy the API. Safe to repeat."""
    for kind, response in build_responses(signed=signed).items():
        client.put_gateway_response(restApiId=api_id, responseType=kind, **response)  # type: ignore[arg-type]
    # gateway responses take effect only with a new deployment
    client.create_deployment(
        restApiId=api_id, stageName=stage, description="error responses as problems"
    )
    client.update_stage(
        restApiId=api_id,
        stageName=stage,
        patchOperations=[
            {"op": "replace", "path": "/*/*/throttling/rateLimit", "value": str(RATE)},
            {"op": "replace", "path": "/*/*/throttling/burstLimit", "value": str(BURST)},
        ],
    )


def _build_response(refusal: Refusal) -> dict[str, Any]:
    body = {"title": refusal.title, "status": refusal.status, "detail": refusal.detail}
    return _with_body(body) | {"statusCode": str(refusal.status)}


def _with_body(problem: Mapping[str, object]) -> dict[str, Any]:
    body = {**problem, "request_id": "$context.requestId", "type": "about:blank"}
    return {
        "responseParameters": {"gatewayresponse.header.Content-Type": f"'{PROBLEM_JSON}'"},
        # the gateway uses this template if it has none for the type that the caller accepts
        "responseTemplates": {"application/json": msgspec.json.encode(body).decode()},
    }
