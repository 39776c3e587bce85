"""The OpenAPI specification, built from the table of routes and the types they name."""

import re
from collections.abc import Mapping
from functools import cache

import msgspec
from chalice.app import Blueprint, Response

from chalicelib import __version__
from chalicelib.entrypoints.api import problems, responses
from chalicelib.entrypoints.api.call import ApiResponse
from chalicelib.entrypoints.api.routes import ID_FORMS, ROUTES, Route
from chalicelib.entrypoints.api.schemas import (
    REF,
    Json,
    build_schemas,
    list_parameters,
    read_examples,
)

# The problems that every authenticated route can return, and those of the public ones.
USUAL_PROBLEMS = (400, 401, 403, 415, 429, 500, 503)
PUBLIC_PROBLEMS = (415, 429, 500)
_PARAMETER = re.compile(r"\{(\w+)\}")


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
    types: list[type[msgspec.Struct]] = [problems.Problem, Health]
    for route in ROUTES:
        types += [route.body] if route.body else []
        types += [each for each in route.answers.values() if each]
    schemas = build_schemas(types)
    paths: dict[str, Json] = {}
    for route in ROUTES:
        operation = _describe_operation(route, schemas)
        paths.setdefault(route.path, {})[route.method.lower()] = operation
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
            "schemas": schemas,
            "responses": {_name_problem(each): _describe_problem(each) for each in problems.TITLES},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _describe_operation(route: Route, schemas: Mapping[str, Json]) -> Json:
    operation: Json = {
        "operationId": route.name,
        "summary": route.summary,
        "tags": [route.path.split("/")[2]],
        "parameters": [
            *_list_path_parameters(route),
            *_list_query_parameters(route, schemas),
            *_list_headers(route),
        ],
        "responses": {
            **{str(status): _describe_success(route, status) for status in route.answers},
            **_refer_to_problems(*USUAL_PROBLEMS, *route.problems),
        },
    }
    if route.body:
        examples = {
            name.replace(" ", "-"): {"summary": name, "value": value}
            for name, value in _examples().bodies[route.body.__name__].items()
        }
        content = {"schema": _refer_to(route.body), "examples": examples}
        operation["requestBody"] = {"required": True, "content": {"application/json": content}}
    return operation


def _list_path_parameters(route: Route) -> list[Json]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "pattern": f"^{ID_FORMS[name]}$"},
            "example": _examples().ids[name],
        }
        for name in _PARAMETER.findall(route.path)
    ]


def _list_query_parameters(route: Route, schemas: Mapping[str, Json]) -> list[Json]:
    return [
        {"name": name, "in": "query", "required": False, "schema": schema}
        for name, schema in list_parameters(route.query, schemas)
    ]


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
    example = _examples().responses[body.__name__]
    content: Json = {"application/json": {"schema": _refer_to(body), "example": example}}
    if route.csv:
        content["text/csv"] = {"schema": {"type": "string"}, "example": _examples().csv}
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
    example = _examples().problems[str(status)]
    content = {"schema": _refer_to(problems.Problem), "example": example}
    return {"description": problems.TITLES[status], "content": {problems.PROBLEM_JSON: content}}


def _refer_to_problems(*statuses: int) -> Json:
    return {
        str(status): {"$ref": f"#/components/responses/{_name_problem(status)}"}
        for status in sorted({*statuses})
    }


def _name_problem(status: int) -> str:
    """Returns the name of a problem among the components, such as NotFound."""
    return "".join(word.capitalize() for word in problems.TITLES[status].split())


def _describe_public_paths() -> dict[str, Json]:
    health = {"schema": _refer_to(Health), "example": _examples().responses[Health.__name__]}
    anything = {"schema": {"type": "object"}, "example": {"openapi": "3.1.0"}}
    return {
        "/healthz": {
            "get": _describe_public("getHealth", "Show whether the service runs", health),
        },
        "/openapi.json": {
            "get": _describe_public("getSpecification", "Show this specification", anything),
        },
    }


def _describe_public(name: str, summary: str, content: Json) -> Json:
    return {
        "operationId": name,
        "summary": summary,
        "tags": ["service"],
        "security": [],
        "responses": {
            "200": {"description": "Always", "content": {"application/json": content}},
            **_refer_to_problems(*PUBLIC_PROBLEMS),
        },
    }


def _refer_to(kind: type[msgspec.Struct]) -> Json:
    return {"$ref": REF.format(name=kind.__name__)}


_examples = cache(read_examples)
