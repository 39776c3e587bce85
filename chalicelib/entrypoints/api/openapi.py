"""The OpenAPI specification, built from the table of routes and the types they name."""

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

# The problems that every authenticated route can return.
USUAL_PROBLEMS = (400, 401, 403, 415, 500, 503)
_PARAMETER = re.compile(r"\{(\w+)\}")
_REF = "#/components/schemas/{name}"
Json = dict[str, Any]


class Health(msgspec.Struct, frozen=True):
    """The service runs."""

    status: str


def blueprint() -> Blueprint:
    """Registers the public routes: the health check and this specification."""
    routes = Blueprint(__name__)

    @routes.route("/healthz", methods=["GET"])
    def health() -> Response:
        return ApiResponse(Health("ok")).to_chalice()

    @routes.route("/openapi.json", methods=["GET"])
    def specification() -> Response:
        headers = {"Content-Type": "application/json"}
        return ApiResponse(render_specification(), headers=headers).to_chalice()

    return routes


@cache
def render_specification() -> str:
    """Returns the specification as JSON."""
    return msgspec.json.encode(build_specification()).decode()


def build_specification() -> Json:
    """Builds the specification."""
    types: list[type] = [problems.Problem, Health]
    for route in ROUTES:
        types += [route.body] if route.body else []
        types += [each for each in route.answers.values() if each]
    _, components = msgspec.json.schema_components(
        list(dict.fromkeys(types)), ref_template=_REF, schema_hook=requests.describe_duration
    )
    paths: dict[str, Json] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _describe_operation(route)
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
        "paths": paths | _describe_public_paths(),
        "components": {
            "schemas": components,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _describe_operation(route: Route) -> Json:
    statuses = {*USUAL_PROBLEMS, *route.problems}
    operation: Json = {
        "operationId": route.name,
        "summary": route.summary,
        "tags": [route.path.split("/")[2]],
        "parameters": [
            *_list_path_parameters(route),
            *_list_query_parameters(route),
            *_list_headers(route),
        ],
        "responses": {
            **{str(status): _describe_success(route, status) for status in route.answers},
            **{str(status): _describe_problem(status) for status in sorted(statuses)},
        },
    }
    if route.body:
        schema = {"$ref": _REF.format(name=route.body.__name__)}
        content = {"application/json": {"schema": schema}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _list_path_parameters(route: Route) -> list[Json]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "pattern": f"^{ID_FORMS[name]}$"},
        }
        for name in _PARAMETER.findall(route.path)
    ]


def _list_query_parameters(route: Route) -> list[Json]:
    _, components = msgspec.json.schema_components([route.query], ref_template=_REF)
    return [
        {"name": name, "in": "query", "required": False, "schema": _inline(each, components)}
        for name, each in components[route.query.__name__]["properties"].items()
    ]


def _inline(schema: Json, components: Mapping[str, Json]) -> Json:
    """Replaces a reference by its schema: types of parameters are not among the components."""
    return components[schema["$ref"].rsplit("/", 1)[-1]] if "$ref" in schema else schema


def _list_headers(route: Route) -> list[Json]:
    if not route.if_match:
        return []
    schema = {"type": "string", "pattern": r'^(\*|(W/)?"?[0-9]{1,9}"?)$'}
    text = "The ETag of the version that the change applies to."
    return [{"name": "If-Match", "in": "header", "description": text, "schema": schema}]


def _describe_success(route: Route, status: int) -> Json:
    body = route.answers[status]
    if body is None:
        return {"description": "Done"}
    content: Json = {"application/json": {"schema": {"$ref": _REF.format(name=body.__name__)}}}
    if route.csv:
        content["text/csv"] = {"schema": {"type": "string"}}
    response: Json = {
        "description": (body.__doc__ or "").strip().splitlines()[0],
        "content": content,
    }
    if body is responses.SnoozeResponse:
        response["headers"] = {"ETag": {"schema": {"type": "string"}}}
    if "next" in body.__struct_fields__:
        text = "The next page, if there is one, as a relative link."
        response["headers"] = {"Link": {"description": text, "schema": {"type": "string"}}}
    return response


def _describe_problem(status: int) -> Json:
    schema = {"$ref": _REF.format(name="Problem")}
    content: Json = {problems.PROBLEM_JSON: {"schema": schema}}
    if status in problems.GATEWAY:
        # Chalice's local gateway returns these in a form of its own
        content["application/json"] = {"schema": {"type": "object"}}
    return {"description": problems.TITLES[status], "content": content}


def _describe_public_paths() -> dict[str, Json]:
    health = {"$ref": _REF.format(name="Health")}
    anything = {"type": "object"}
    return {
        "/healthz": {
            "get": _describe_public("getHealth", "Show whether the service runs", health),
        },
        "/openapi.json": {
            "get": _describe_public("getSpecification", "Show this specification", anything),
        },
    }


def _describe_public(name: str, summary: str, schema: Json) -> Json:
    content = {"application/json": {"schema": schema}}
    return {
        "operationId": name,
        "summary": summary,
        "tags": ["service"],
        "security": [],
        "responses": {
            "200": {"description": "Always", "content": content},
            "415": _describe_problem(415),
            "500": _describe_problem(500),
        },
    }
