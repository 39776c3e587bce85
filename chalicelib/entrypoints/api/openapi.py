"""The OpenAPI specification, made of the table of routes and the shapes themselves."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec
from chalice.app import Blueprint, Response

from chalicelib import __version__
from chalicelib.entrypoints.api import problems, requests, responses
from chalicelib.entrypoints.api.call import ApiResponse
from chalicelib.entrypoints.api.routes import ID_FORMS, ROUTES, Route

# What any authenticated route can answer beside its own.
USUAL_PROBLEMS = (400, 401, 403, 415, 500, 503)
_PARAMETER = re.compile(r"\{(\w+)\}")
_REF = "#/components/schemas/{name}"
Json = dict[str, Any]


def blueprint() -> Blueprint:
    """Registers what needs no authentication: the health check and this specification."""
    routes = Blueprint(__name__)

    @routes.route("/healthz", methods=["GET"])
    def health() -> Response:
        return ApiResponse(responses.Health("ok")).to_chalice()

    @routes.route("/openapi.json", methods=["GET"])
    def specification() -> Response:
        return ApiResponse(text(), headers={"Content-Type": "application/json"}).to_chalice()

    return routes


@cache
def text() -> str:
    """The specification as JSON."""
    return msgspec.json.encode(document()).decode()


def document() -> Json:
    """The specification."""
    shapes: list[type] = [problems.Problem, responses.Health]
    for route in ROUTES:
        shapes += [route.body] if route.body else []
        shapes += [shape for shape in route.answers.values() if shape]
    _, components = msgspec.json.schema_components(
        list(dict.fromkeys(shapes)), ref_template=_REF, schema_hook=requests.describe_duration
    )
    paths: dict[str, Json] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ec2-inspec-scan",
            "version": __version__,
            "summary": "Non-compliant findings of an EC2 fleet, and their snoozes",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "."}],
        "security": [{"bearer": []}],
        "paths": paths | _public(),
        "components": {
            "schemas": components,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(route: Route) -> Json:
    statuses = {*USUAL_PROBLEMS, *route.problems}
    operation: Json = {
        "operationId": route.name,
        "summary": route.summary,
        "tags": [route.path.split("/")[2]],
        "parameters": [*_path_parameters(route), *_query_parameters(route), *_headers(route)],
        "responses": {
            **{str(status): _success(route, status) for status in route.answers},
            **{str(status): _problem(status) for status in sorted(statuses)},
        },
    }
    if route.body:
        schema = {"$ref": _REF.format(name=route.body.__name__)}
        content = {"application/json": {"schema": schema}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _path_parameters(route: Route) -> list[Json]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "pattern": f"^{ID_FORMS[name]}$"},
        }
        for name in _PARAMETER.findall(route.path)
    ]


def _query_parameters(route: Route) -> list[Json]:
    _, components = msgspec.json.schema_components([route.query], ref_template=_REF)
    return [
        {"name": name, "in": "query", "required": False, "schema": _written_out(each, components)}
        for name, each in components[route.query.__name__]["properties"].items()
    ]


def _written_out(schema: Json, components: Mapping[str, Json]) -> Json:
    """The schema of a parameter without references: theirs are not among the components."""
    return components[schema["$ref"].rsplit("/", 1)[-1]] if "$ref" in schema else schema


def _headers(route: Route) -> list[Json]:
    if not route.if_match:
        return []
    schema = {"type": "string", "pattern": r'^(\*|(W/)?"?[0-9]{1,9}"?)$'}
    text = "The ETag that the change was made for."
    return [{"name": "If-Match", "in": "header", "description": text, "schema": schema}]


def _success(route: Route, status: int) -> Json:
    shape = route.answers[status]
    if shape is None:
        return {"description": "Done"}
    content: Json = {"application/json": {"schema": {"$ref": _REF.format(name=shape.__name__)}}}
    if route.csv:
        content["text/csv"] = {"schema": {"type": "string"}}
    answer: Json = {
        "description": (shape.__doc__ or "").strip().splitlines()[0],
        "content": content,
    }
    if shape is responses.SnoozeResponse:
        answer["headers"] = {"ETag": {"schema": {"type": "string"}}}
    if "next" in shape.__struct_fields__:
        text = "The next page, if there is one, as a relative link."
        answer["headers"] = {"Link": {"description": text, "schema": {"type": "string"}}}
    return answer


def _problem(status: int) -> Json:
    schema = {"$ref": _REF.format(name="Problem")}
    content: Json = {problems.PROBLEM_JSON: {"schema": schema}}
    if status in problems.GATEWAY:
        # before it reaches us, the local gateway says so in its own words
        content["application/json"] = {"schema": {"type": "object"}}
    return {"description": problems.TITLES[status], "content": content}


def _public() -> dict[str, Json]:
    health = {"$ref": _REF.format(name="Health")}
    return {
        "/healthz": {"get": _open("getHealth", "Say whether the service runs", health)},
        "/openapi.json": {
            "get": _open("getSpecification", "Give this specification", {"type": "object"})
        },
    }


def _open(name: str, summary: str, schema: Json) -> Json:
    content = {"application/json": {"schema": schema}}
    return {
        "operationId": name,
        "summary": summary,
        "tags": ["service"],
        "security": [],
        "responses": {
            "200": {"description": "Always", "content": content},
            "415": _problem(415),
            "500": _problem(500),
        },
    }
