"""Stands for API Gateway on this machine: it refuses requests as the deployed API does.

Chalice's local server answers an unknown path with a text about signatures that repeats the
token, and other refusals in a form of their own. Here each of them is a problem.
"""

from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import BaseServer
from typing import Any

from chalice.app import Chalice, Response
from chalice.config import Config
from chalice.local import (
    ChaliceRequestHandler,
    ForbiddenError,
    InvalidAuthorizerError,
    LocalGateway,
    LocalGatewayException,
    NotAuthorizedError,
)

from chalicelib.entrypoints.api.problems import build_problem
from ops.gateway import REFUSALS

# What Chalice raises, and the response type of API Gateway for it.
KINDS: dict[type[LocalGatewayException], str] = {
    NotAuthorizedError: "UNAUTHORIZED",
    ForbiddenError: "ACCESS_DENIED",
    InvalidAuthorizerError: "AUTHORIZER_CONFIGURATION_ERROR",
}


class Gateway(LocalGateway):
    """A gateway whose refusals are those that `ops/gateway.py` sets for a stage."""

    def handle_request(
        self, method: str, path: str, headers: dict[str, str], body: bytes | None
    ) -> dict[str, Any]:
        """Authorizes a request and calls the app. The app refuses methods that a path lacks."""
        context = self._generate_lambda_context()
        try:
            event = self._generate_lambda_event(method, path, headers, body)
        except ValueError:
            return refuse("RESOURCE_NOT_FOUND", context.aws_request_id)
        if not event["headers"].get("authorization", "").strip():
            # API Gateway treats an empty header like none
            event["headers"].pop("authorization", None)
        try:
            event, context = self._authorizer.authorize(path, event, context)
        except LocalGatewayException as error:
            return refuse(KINDS[type(error)], context.aws_request_id)
        response: dict[str, Any] = self._app_object(event, context)
        return response


class Handler(ChaliceRequestHandler):
    """Answers every request through the gateway, whatever its method, and prints nothing."""

    # A response is two writes. On a kept connection Nagle delays the second one by 40 ms.
    disable_nagle_algorithm = True

    def __init__(
        self,
        request: Any,
        client_address: tuple[str, int],
        server: BaseServer,
        app_object: Chalice,
        config: Config,
    ) -> None:
        self.local_gateway = Gateway(app_object, config)
        # not super(): Chalice's own __init__ would take its own gateway
        BaseHTTPRequestHandler.__init__(self, request, client_address, server)

    def log_message(self, *_: object) -> None:
        """Print no request: its query may contain the title of a finding."""

    def send_error(
        self,
        code: int,
        message: str | None = None,  # noqa: ARG002 - the text may repeat what was sent
        explain: str | None = None,  # noqa: ARG002 - the same
    ) -> None:
        """Answer what the web server refuses: a method that it does not know, or no HTTP."""
        if code == HTTPStatus.NOT_IMPLEMENTED:
            self._generic_handle()
            return
        self.close_connection = True
        # without a version that it can read, the web server would send no status line
        self.request_version = self.protocol_version
        problem = build_problem(400, "The request line or a header cannot be read.", "").to_dict()
        self._send_http_response(problem["statusCode"], problem["headers"], problem["body"])

    def _send_http_response_with_body(
        self, code: int, headers: dict[str, Any], body: str | bytes
    ) -> None:
        if self.command == "HEAD":
            self._send_http_response_no_body(code, headers)
        else:
            super()._send_http_response_with_body(code, headers, body)


def refuse(kind: str, request_id: str) -> dict[str, Any]:
    """Build the problem for a response type of API Gateway."""
    refusal = REFUSALS[kind]
    headers = {"WWW-Authenticate": "Bearer"} if kind == "UNAUTHORIZED" else {}
    problem: Response = build_problem(refusal.status, refusal.detail, request_id, headers=headers)
    response: dict[str, Any] = problem.to_dict()
    return response
