"""Makes Chalice blueprints of the table of routes; the only place where a request is handled."""

from collections.abc import Callable, Iterable
from typing import Any

from chalice.app import Blueprint, Request, Response

from chalicelib import bootstrap
from chalicelib.domain.errors import ServiceError
from chalicelib.entrypoints import auth, openapi, problems, telemetry
from chalicelib.entrypoints.api_answers import Health
from chalicelib.entrypoints.api_call import Answer, Call, read_body, read_query
from chalicelib.entrypoints.api_routes import Route
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
        return Answer(Health("ok")).response()

    @made.route("/openapi.json", methods=["GET"])
    def specification() -> Response:
        return Answer(openapi.text(), headers={"Content-Type": "application/json"}).response()

    return made


def _view(made: Blueprint, route: Route) -> Callable[..., Response]:
    def view(**path: str) -> Response:
        return answered(route, made.current_request, path)

    view.__name__ = route.name
    return view


def answered(route: Route, request: Request, path: dict[str, str]) -> Response:
    """Read a request, handle it, and answer; what goes wrong becomes a problem."""
    request_id = problems.request_id_of(request.context, request.lambda_context)
    try:
        query = read_query(request, route.query)
        body = read_body(request, route.body) if route.body else None
        runtime = bootstrap.runtime()
        call = Call(
            inbox=runtime.inbox,
            author=Author(auth.caller(request)),
            path=path,
            query=query,
            body=body,
            if_match=request.headers.get("if-match"),
        )
        return route.handle(call).response()
    except ServiceError as error:
        answer = problems.answer(error, request_id)
        if answer.status_code >= problems.OURS:
            telemetry.report_request(request_id, error)
        return answer
