"""Makes Chalice blueprints of the table of routes; the only place where a request is handled."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from chalice.app import Blueprint, Request, Response

from chalicelib import bootstrap
from chalicelib.domain.errors import NotFound, ServiceError
from chalicelib.entrypoints import auth, openapi, problems, telemetry
from chalicelib.entrypoints.api_call import ApiRequest, ApiResponse, read_body, read_query
from chalicelib.entrypoints.api_routes import ID_FORMS, Route
from chalicelib.entrypoints.api_shapes import Health
from chalicelib.usecases.inbox import Author

Authorizer = Any


def blueprint(routes: Iterable[Route], authorizer: Authorizer) -> Blueprint:
    """The routes, behind the authorizer."""
    made = Blueprint(__name__)
    for route in routes:
        register = made.route(
            route.path, methods=[route.method], name=route.name, authorizer=authorizer
        )
        register(_view(made, route))
    return made


def public() -> Blueprint:
    """What needs no authentication: whether the service runs, and the specification."""
    made = Blueprint(__name__)

    @made.route("/healthz", methods=["GET"])
    def health() -> Response:
        return ApiResponse(Health("ok")).response()

    @made.route("/openapi.json", methods=["GET"])
    def specification() -> Response:
        return ApiResponse(openapi.text(), headers={"Content-Type": "application/json"}).response()

    return made


def check_ids(path: Mapping[str, str]) -> None:
    """`NotFound` for an id that cannot be one, percent-encoded as it may have come."""
    for name, value in path.items():
        if not re.fullmatch(ID_FORMS[name], value):
            raise NotFound(f"{name} has not the form {ID_FORMS[name]}, so nothing has this id.")


def _view(made: Blueprint, route: Route) -> Callable[..., Response]:
    def view(**path: str) -> Response:
        return handle_request(route, made.current_request, path)

    view.__name__ = route.name
    return view


def handle_request(route: Route, request: Request, path: dict[str, str]) -> Response:
    """Read a request, handle it, and answer; what goes wrong becomes a problem."""
    request_id = problems.request_id_of(request.context, request.lambda_context)
    try:
        check_ids(path)
        query = read_query(request, route.query)
        body = read_body(request, route.body) if route.body else None
        runtime = bootstrap.runtime()
        call = ApiRequest(
            inbox=runtime.inbox,
            author=Author(auth.read_caller(request)),
            path=path,
            query=query,
            body=body,
            if_match=request.headers.get("if-match"),
        )
        return route.handle(call).response()
    except ServiceError as error:
        answer = problems.problem_of(error, request_id)
        if answer.status_code >= problems.OURS:
            telemetry.report_request(request_id, error)
        return answer
