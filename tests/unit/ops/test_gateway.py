import json
from typing import Any

import pytest

from chalicelib.entrypoints.api.problems import PROBLEM_JSON, TITLES
from ops.gateway import MISSING_TOKEN, build_responses

KINDS = sorted(build_responses(signed=False))


def body_of(response: dict[str, Any]) -> dict[str, Any]:
    """The body that the gateway sends, with its variables filled in."""
    text = response["responseTemplates"]["application/json"]
    read: dict[str, Any] = json.loads(text.replace("$context.requestId", "r-1"))
    return read


@pytest.mark.parametrize("kind", KINDS)
def test_every_gateway_response_is_a_problem_like_those_of_the_api(kind: str) -> None:
    response = build_responses(signed=False)[kind]
    content_type = response["responseParameters"]["gatewayresponse.header.Content-Type"]
    assert content_type == f"'{PROBLEM_JSON}'"
    body = body_of(response)
    assert body["request_id"] == "r-1"
    assert body["type"] == "about:blank"
    assert body["title"]
    assert body["detail"]
    assert str(body.get("status", "")) == response.get("statusCode", "")


@pytest.mark.parametrize("kind", KINDS)
def test_a_status_has_the_same_title_as_in_the_api(kind: str) -> None:
    body = body_of(build_responses(signed=False)[kind])
    if body.get("status") in TITLES:
        assert body["title"] == TITLES[body["status"]]


def test_other_responses_keep_the_status_of_the_gateway() -> None:
    for kind in ("DEFAULT_4XX", "DEFAULT_5XX"):
        assert "statusCode" not in build_responses(signed=False)[kind]


def test_an_unauthenticated_caller_learns_to_send_a_bearer_token() -> None:
    response = build_responses(signed=False)["UNAUTHORIZED"]
    assert response["responseParameters"]["gatewayresponse.header.WWW-Authenticate"] == "'Bearer'"


def test_an_unknown_path_gets_404_or_403_if_callers_sign() -> None:
    assert build_responses(signed=False)[MISSING_TOKEN]["statusCode"] == "404"
    assert build_responses(signed=True)[MISSING_TOKEN]["statusCode"] == "403"
