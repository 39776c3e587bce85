"""Each example of the specification is accepted as it stands, or was produced by the service."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from chalicelib.entrypoints.api import openapi, problems
from chalicelib.entrypoints.api.routes import ROUTES, Route
from chalicelib.entrypoints.api.schemas import read_examples
from tests.functional.api import example_state
from tests.functional.api.client import ApiClient, open_api
from tests.functional.api.renew_examples import PATH
from tests.functional.service import run_service

EXAMPLES = read_examples()
DOCUMENT = openapi.build_specification()
BODIES = [
    pytest.param(route, name, id=f"{route.name}: {name}")
    for route in ROUTES
    if route.body
    for name in EXAMPLES.bodies[route.body.__name__]
]


@pytest.fixture
def api() -> Iterator[ApiClient]:
    with run_service() as service, open_api(service) as api:
        example_state.fill(service)
        yield api


def list_media(node: Any) -> Iterator[dict[str, Any]]:
    """Yields every schema with its examples, at any depth: a media type, or a parameter."""
    if isinstance(node, dict):
        if "schema" in node and {"example", "examples"} & node.keys():
            yield node
        for each in node.values():
            yield from list_media(each)
    elif isinstance(node, list):
        for each in node:
            yield from list_media(each)


@pytest.mark.enable_socket
def test_every_response_and_problem_is_what_the_service_sends() -> None:
    with run_service() as service, open_api(service) as api:
        produced = example_state.produce(service, api)

    # if this fails after a change: python -m tests.functional.api.renew_examples, and read the diff
    assert json.loads(PATH.read_text()) == produced


@pytest.mark.enable_socket
@pytest.mark.parametrize(("route", "name"), BODIES)
def test_every_body_is_accepted_as_it_stands(route: Route, name: str, api: ApiClient) -> None:
    assert route.body is not None
    bodies = DOCUMENT["paths"][route.path][route.method.lower()]["requestBody"]["content"]
    body = bodies["application/json"]["examples"][name.replace(" ", "-")]["value"]
    if route.name != "snoozeFinding":
        first = next(iter(EXAMPLES.bodies["SnoozeFinding"].values()))
        assert api.call("PUT", f"{example_state.FINDING}/snooze", first).status == 201

    response = api.call(route.method, route.path.format(**EXAMPLES.ids), body)

    assert response.status in route.answers, response.json


def test_every_body_response_and_problem_has_an_example() -> None:
    bodies = {route.body.__name__ for route in ROUTES if route.body}
    answers = {each.__name__ for route in ROUTES for each in route.answers.values() if each}

    assert EXAMPLES.bodies.keys() == bodies
    assert EXAMPLES.responses.keys() == answers | {"Health"}
    assert EXAMPLES.problems.keys() == {str(status) for status in problems.TITLES}
    assert all(EXAMPLES.bodies.values())


def test_every_media_type_and_parameter_of_the_document_shows_its_example() -> None:
    operations = [each for path in DOCUMENT["paths"].values() for each in path.values()]
    contents = [each.get("requestBody", {}).get("content", {}) for each in operations]
    for each in [*operations, {"responses": DOCUMENT["components"]["responses"]}]:
        contents += [response.get("content", {}) for response in each["responses"].values()]
    media = [each for content in contents for each in content.values()]

    assert len(media) > len(problems.TITLES) + len(ROUTES)
    assert all({"example", "examples"} & each.keys() for each in media)


def test_every_example_follows_its_schema() -> None:
    for media in list_media(DOCUMENT):
        schema = {**media["schema"], "components": DOCUMENT["components"]}
        validator = Draft202012Validator(schema, format_checker=FormatChecker())
        examples = [each["value"] for each in media.get("examples", {}).values()]
        for example in examples or [media["example"]]:
            validator.validate(example)
