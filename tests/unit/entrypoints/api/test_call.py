"""What a route reads from a request: parameters, and who calls."""

from types import SimpleNamespace
from typing import Any

import pytest
from chalice.app import Request

from chalicelib.domain.errors import BadRequest, BadSetting
from chalicelib.entrypoints.api.call import read_caller, read_query
from chalicelib.entrypoints.api.requests import FindingQuery

ARN = "arn:aws:sts::123456789012:assumed-role/security/oncall"


def make_request(context: dict[str, Any]) -> Request:
    return SimpleNamespace(context=context)  # type: ignore[return-value]


@pytest.mark.parametrize("name", ["limit", "title", "state"])
def test_a_parameter_with_half_a_surrogate_pair_is_refused(name: str) -> None:
    # HTTP cannot carry it, but an invocation by hand can
    event = {
        "multiValueQueryStringParameters": {name: ["\ud800"]},
        "headers": {},
        "pathParameters": {},
        "requestContext": {"resourcePath": "/v1/findings", "httpMethod": "GET"},
        "isBase64Encoded": False,
        "body": None,
        "stageVariables": {},
    }

    with pytest.raises(BadRequest, match="parameter"):
        read_query(Request(event, None), FindingQuery)


@pytest.mark.parametrize(
    ("context", "name"),
    [
        ({"authorizer": {"principalId": "ci"}, "identity": {"userArn": None}}, "ci"),
        ({"authorizer": {"principalId": "ci"}}, "ci"),
        ({"identity": {"userArn": ARN}}, ARN),
        ({"authorizer": None, "identity": {"userArn": ARN}}, ARN),
    ],
)
def test_the_caller_is_the_name_of_the_token_or_the_arn(context: dict[str, Any], name: str) -> None:
    assert read_caller(make_request(context)) == name


@pytest.mark.parametrize(
    "context",
    [
        {},
        {"identity": {"sourceIp": "127.0.0.1"}},
        {"authorizer": {}, "identity": {"userArn": None}},
        {"authorizer": {"principalId": ""}, "identity": {}},
    ],
)
def test_a_request_without_a_caller_is_an_error_of_the_setting(context: dict[str, Any]) -> None:
    with pytest.raises(BadSetting, match="API_AUTH"):
        read_caller(make_request(context))
