"""The specification against foreign tools and against the service."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from openapi_spec_validator import validate
from schemathesis.checks import load_all_checks
from schemathesis.config import SchemathesisConfig

import app
from chalicelib.domain.finding import Severity
from chalicelib.entrypoints.api import openapi, problems
from chalicelib.entrypoints.api.routes import ROUTES
from tests.functional.api import example_state
from tests.functional.api.client import ApiClient, open_api
from tests.functional.service import run_service

pytestmark = pytest.mark.enable_socket

ROOT = Path(app.__file__).parent
EXAMPLES = 20
load_all_checks()
SCHEMA = schemathesis.openapi.from_dict(
    openapi.build_specification(),
    config=SchemathesisConfig.from_dict(
        {
            "generation": {"mode": "all"},
            "checks": {
                # a schema cannot say that an end lies in the future, or which ETag is right
                "positive_data_acceptance": {
                    "expected-statuses": ["2xx", "401", "403", "404", "409", "412", "422"]
                },
                "negative_data_rejection": {
                    "expected-statuses": ["400", "401", "403", "404", "405", "415", "422"]
                },
            },
        }
    ),
)


@pytest.fixture(scope="module")
def api() -> Iterator[ApiClient]:
    with run_service() as service:
        # what the ids of the examples name, so that they are seeds
        example_state.fill(service)
        with open_api(service) as api:
            yield api


def drop_cursor(case: schemathesis.Case[Any]) -> None:
    """Drops the cursor of a valid request: only the service can create a valid one."""
    valid = case.meta and case.meta.generation.mode is schemathesis.GenerationMode.POSITIVE
    if valid and case.query:
        case.query.pop("cursor", None)


@SCHEMA.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_an_operator_gets_documented_responses_only(
    case: schemathesis.Case[Any], api: ApiClient
) -> None:
    drop_cursor(case)
    case.call_and_validate(base_url=api.url, headers=api.headers)


@SCHEMA.parametrize()
@settings(max_examples=EXAMPLES // 4, deadline=None, suppress_health_check=list(HealthCheck))
def test_an_anonymous_caller_gets_documented_responses_only(
    case: schemathesis.Case[Any], api: ApiClient
) -> None:
    response = case.call_and_validate(base_url=api.url)
    if case.path.startswith("/v1/"):
        assert response.status_code in (401, 403, 404, 405)


def test_the_specification_is_valid() -> None:
    validate(openapi.build_specification())


def test_the_specification_has_exactly_the_routes_of_the_app() -> None:
    document = openapi.build_specification()
    served = {(path, method) for path, methods in app.app.routes.items() for method in methods}

    written = {
        (path, method.upper()) for path, methods in document["paths"].items() for method in methods
    }

    assert served == written


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_the_specification_has_every_parameter_body_and_status_of_a_route(route: Any) -> None:
    operation = openapi.build_specification()["paths"][route.path][route.method.lower()]
    named = {each["name"] for each in operation["parameters"]}
    expected = {*route.query.__struct_fields__, *re.findall(r"\{(\w+)\}", route.path)}
    assert named == (expected | {"If-Match"} if route.if_match else expected)
    assert ("requestBody" in operation) == (route.body is not None)

    statuses = {*route.answers, *route.problems, *openapi.USUAL_PROBLEMS}
    assert set(operation["responses"]) == {str(status) for status in statuses}
    assert operation["summary"]


def test_every_status_of_a_problem_is_documented() -> None:
    documented = {*openapi.USUAL_PROBLEMS, *(each for route in ROUTES for each in route.problems)}

    # a method that a path does not have belongs to no operation
    assert documented == set(problems.TITLES) - {405}
    assert {status for _, status in problems.STATUSES} <= documented
    written = openapi.build_specification()["components"]["responses"].values()
    assert [each["description"] for each in written] == list(problems.TITLES.values())


def test_the_specification_has_the_version_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert openapi.build_specification()["info"]["version"] == project["version"]


def test_a_value_that_can_only_be_one_is_a_constant() -> None:
    schemas = openapi.build_specification()["components"]["schemas"]

    for body in ("SnoozeFinding", "CreateSnooze", "ChangeSnooze"):
        constant, null = schemas[body]["properties"]["permanent"]["anyOf"]
        assert (constant, null) == ({"const": True}, {"type": "null"})


def test_the_words_of_an_enum_come_in_its_order_and_parameters_refer_to_it() -> None:
    document = openapi.build_specification()
    severity = document["components"]["schemas"]["Severity"]
    parameters = document["paths"]["/v1/findings"]["get"]["parameters"]

    assert severity["enum"] == [each.value for each in Severity]
    (found,) = [each["schema"] for each in parameters if each["name"] == "severity"]
    assert found == {"$ref": "#/components/schemas/Severity"}


def test_every_time_of_a_response_has_its_format() -> None:
    schemas = openapi.build_specification()["components"]["schemas"]
    time = {"type": "string", "format": "date-time"}

    assert schemas["SnoozeResponse"]["properties"]["starts_at"] == time
    assert schemas["SnoozedBy"]["properties"]["ends_at"]["anyOf"] == [time, {"type": "null"}]
    assert schemas["ExecutionResponse"]["properties"]["executed_at"] == time
    assert schemas["SnoozeResponse"]["properties"]["title"]["anyOf"][0] == {"type": "string"}
