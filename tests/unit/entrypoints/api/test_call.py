"""What HTTP cannot carry but a direct invocation can."""

import pytest
from chalice.app import Request

from chalicelib.domain.errors import BadRequest
from chalicelib.entrypoints.api.call import read_query
from chalicelib.entrypoints.api.requests import FindingQuery


@pytest.mark.parametrize("name", ["limit", "title", "state"])
def test_half_a_surrogate_pair_in_a_parameter_is_refused(name: str) -> None:
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
