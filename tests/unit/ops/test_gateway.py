import json
from typing import Any

import pytest

from chalicelib.entrypoints.problems import PROBLEM_JSON, TITLES
from ops.gateway import MISSING_TOKEN, answers

KINDS = sorted(answers(signed=False))


def body_of(answer: dict[str, Any]) -> dict[str, Any]:
    """What the gateway sends, its variables filled in."""
    text = answer["responseTemplates"]["application/json"]
    read: dict[str, Any] = json.loads(text.replace("$context.requestId", "r-1"))
    return read


@pytest.mark.parametrize("kind", KINDS)
def test_every_answer_of_the_gateway_is_a_problem_like_ours(kind: str) -> None:
    answer = answers(signed=False)[kind]
    content_type = answer["responseParameters"]["gatewayresponse.header.Content-Type"]
    assert content_type == f"'{PROBLEM_JSON}'"
    body = body_of(answer)
    assert body["request_id"] == "r-1"
    assert body["type"] == "about:blank"
    assert body["title"]
    assert body["detail"]
    assert str(body.get("status", "")) == answer.get("statusCode", "")


@pytest.mark.parametrize("kind", KINDS)
def test_a_status_has_the_title_that_it_has_in_our_own_answers(kind: str) -> None:
    body = body_of(answers(signed=False)[kind])
    if body.get("status") in TITLES:
        assert body["title"] == TITLES[body["status"]]


def test_what_is_not_foreseen_keeps_the_status_that_the_gateway_gives_it() -> None:
    for kind in ("DEFAULT_4XX", "DEFAULT_5XX"):
        assert "statusCode" not in answers(signed=False)[kind]


def test_who_is_not_known_hears_how_to_show_a_token() -> None:
    answer = answers(signed=False)["UNAUTHORIZED"]
    assert answer["responseParameters"]["gatewayresponse.header.WWW-Authenticate"] == "'Bearer'"


def test_an_unknown_path_is_not_found_unless_a_signature_may_be_missing() -> None:
    assert answers(signed=False)[MISSING_TOKEN]["statusCode"] == "404"
    assert answers(signed=True)[MISSING_TOKEN]["statusCode"] == "403"
