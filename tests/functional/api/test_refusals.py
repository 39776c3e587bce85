"""Requests that the API refuses. None of them writes, so all tests share one service."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from chalicelib import bootstrap
from chalicelib.domain.finding import finding_id
from tests.functional.api.client import ApiClient, open_api
from tests.functional.service import NODE, run_service

pytestmark = pytest.mark.enable_socket

SNOOZE = {"reason": "fix_scheduled", "comment": "ticket 42", "duration": "P1D"}
FINDING = f"/v1/findings/{finding_id(NODE, 'A')}"


@pytest.fixture(scope="module")
def api() -> Iterator[ApiClient]:
    with run_service() as service:
        service.report("A", "B", "C")
        service.scan()
        with open_api(service) as api:
            yield api


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=ten", "limit"),
        ("severity=BAD", "severity"),
        ("state=closed", "state"),
        ("format=xml", "format"),
        ("title=", "title"),
        ("instance_id=web-1", "instance_id"),
        ("colour=red", "colour"),
        ("token=eis_operator", "token"),
        ("limit=1&limit=2", "limit"),
        ("instance_id=i-0123456789abcdef0%0A", "instance_id"),
        ("cursor=abc", "cursor"),
        ("cursor=%C3%A9", "cursor"),
    ],
)
def test_a_wrong_parameter_is_named(api: ApiClient, query: str, pointer: str) -> None:
    refused = api.get(f"/v1/findings?{query}")

    assert refused.status == 400
    assert refused.headers["content-type"] == "application/problem+json"
    assert [fault[0] for fault in refused.faults] == [pointer]


def test_every_wrong_parameter_is_named_at_once(api: ApiClient) -> None:
    refused = api.get("/v1/findings?limit=0&severity=BAD&colour=red")

    assert refused.status == 400
    assert refused.faults == [("limit", "invalid"), ("severity", "invalid"), ("colour", "unknown")]


@pytest.mark.parametrize("query", ["severity=high", "severity=High&state=OPEN", "format=JSON"])
def test_the_words_of_a_list_are_taken_in_any_case(api: ApiClient, query: str) -> None:
    assert len(api.get(f"/v1/findings?{query}").json["items"]) == 3


def test_a_cursor_holds_in_any_case_of_its_filter(api: ApiClient) -> None:
    cursor = api.get("/v1/findings?limit=1&severity=high").json["next"]

    assert api.get(f"/v1/findings?limit=1&severity=HIGH&cursor={cursor}").status == 200


def test_an_unknown_id_is_not_found(api: ApiClient) -> None:
    unknown = "/v1/findings/" + "0" * 32
    for method, path, body in (
        ("GET", unknown, None),
        ("GET", f"{unknown}/events", None),
        ("PUT", f"{unknown}/snooze", SNOOZE),
        ("GET", "/v1/snoozes/s-0", None),
        ("GET", "/v1/snoozes/s-0/events", None),
        ("PATCH", "/v1/snoozes/s-0", {"comment": "ticket 43"}),
        ("DELETE", "/v1/snoozes/s-0", None),
    ):
        response = api.call(method, path, body)
        assert (response.status, response.json["title"]) == (404, "Not found"), (method, path)

    assert api.call("DELETE", f"{unknown}/snooze").status == 204


@pytest.mark.parametrize(
    "strange", ["%00", "%2e%2e", "%E2%98%83", "a%2Fb", "'; drop table", "x" * 600]
)
def test_a_strange_id_is_not_found(api: ApiClient, strange: str) -> None:
    for path in (f"/v1/findings/{strange}", f"/v1/snoozes/{strange}"):
        assert api.get(quote(path, safe="/%")).status in (400, 403, 404)


PAST = "2020-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("change", "status", "faults"),
    [
        ({"ends_at": PAST}, 422, [("/duration", "one_end")]),
        ({"duration": None, "ends_at": PAST}, 422, [("/ends_at", "past")]),
        ({"duration": None, "ends_at": "2026-01-01T00:00:00"}, 422, [("/ends_at", "invalid")]),
        ({"duration": None, "ends_at": "9999-12-31T23:59:59-23:59"}, 422, None),
        ({"duration": None, "ends_at": "0001-01-01T00:00:00+23:59"}, 422, None),
        ({"duration": "P0D"}, 422, [("/duration", "past")]),
        ({"duration": "-P1D"}, 422, [("/duration", "past")]),
        ({"duration": "P500Y"}, 422, [("/duration", "invalid")]),
        ({"duration": "P1W1D"}, 422, [("/duration", "invalid")]),
        ({"duration": 7}, 422, [("/duration", "invalid")]),
        ({"duration": "P26W"}, 422, [("/duration", "too_long")]),
        ({"duration": "P999999W"}, 422, [("/duration", "too_long")]),
        ({"duration": "P181D"}, 422, [("/duration", "too_long")]),
        ({"duration": "P999999999D"}, 422, None),
        ({"duration": None}, 422, [("", "one_end")]),
        ({"permanent": True}, 422, [("/permanent", "one_end")]),
        ({"permanent": False, "duration": None}, 422, None),
        ({"reason": None}, 422, [("/reason", "invalid")]),
        ({"reason": "because"}, 422, [("/reason", "invalid")]),
        ({"comment": "ab"}, 422, [("/comment", "invalid")]),
        ({"comment": "x" * 501}, 422, [("/comment", "invalid")]),
        ({"comment": "     "}, 422, [("/comment", "length")]),
        ({"created_by": "somebody"}, 422, [("/created_by", "unknown")]),
        ({"until_resolved": "yes"}, 422, [("/until_resolved", "invalid")]),
    ],
)
def test_a_body_that_breaks_a_rule_is_refused_with_the_field(
    api: ApiClient, change: dict[str, Any], status: int, faults: list[tuple[str, str]] | None
) -> None:
    response = api.call("PUT", f"{FINDING}/snooze", SNOOZE | change)

    assert response.status == status
    assert faults is None or response.faults == faults
    assert response.faults
    assert api.get("/v1/snoozes").json["items"] == []


def test_every_wrong_field_and_broken_rule_of_a_body_is_named_at_once(api: ApiClient) -> None:
    body = {"reason": "wontfix", "duration": "14d", "instance_id": "web-01", "until_resolved": True}

    response = api.call("POST", "/v1/snoozes", body)

    assert response.status == 422
    assert response.faults == [
        ("/reason", "invalid"),
        ("/duration", "invalid"),
        ("/instance_id", "invalid"),
        ("/comment", "missing"),
        ("/until_resolved", "pairs_only"),
    ]
    assert response.json["errors"][1]["message"] == (
        '"14d" is not an ISO 8601 duration. Write P14D for 14 days.'
    )


def test_of_a_field_that_is_there_twice_the_last_one_counts(api: ApiClient) -> None:
    body = b'{"reason": 7, "reason": "other", "comment": "ticket 42", "duration": "P500D"}'

    assert api.call("PUT", f"{FINDING}/snooze", body).faults == [("/duration", "too_long")]


def test_a_missing_field_is_named(api: ApiClient) -> None:
    for name in ("reason", "comment"):
        body = {key: value for key, value in SNOOZE.items() if key != name}
        assert api.call("PUT", f"{FINDING}/snooze", body).faults == [(f"/{name}", "missing")]


def test_a_rule_without_scope_and_an_until_resolved_rule_for_many_are_refused(
    api: ApiClient,
) -> None:
    assert api.call("POST", "/v1/snoozes", SNOOZE).faults == [("", "scope_missing")]

    wide = SNOOZE | {"title": "A", "until_resolved": True}
    assert api.call("POST", "/v1/snoozes", wide).faults == [("/until_resolved", "pairs_only")]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff\xfe", b"nul", b'{"reason":"other","comment":"abc"}{']
)
def test_a_body_that_is_not_json_is_400(api: ApiClient, body: bytes) -> None:
    response = api.call("PUT", f"{FINDING}/snooze", body)

    assert response.status == 400
    assert response.json["title"] == "Malformed request"


@pytest.mark.parametrize("name", [b"duration", b"comment", b"unknown"])
def test_a_body_that_is_nested_too_deeply_is_400(api: ApiClient, name: bytes) -> None:
    body = b'{"reason": "other", "%s": %s' % (name, b"[" * 100_000)

    assert api.call("PUT", f"{FINDING}/snooze", body).status == 400


@pytest.mark.parametrize("body", [b"[]", b"7", b"null", b'"text"'])
def test_a_json_body_that_is_not_an_object_is_422(api: ApiClient, body: bytes) -> None:
    assert api.call("PUT", f"{FINDING}/snooze", body).status == 422


def test_a_body_of_a_megabyte_is_413(api: ApiClient) -> None:
    response = api.call("PUT", f"{FINDING}/snooze", b" " * 1_000_000)
    assert (response.status, response.json["title"]) == (413, "Body too large")


def test_an_unsupported_content_type_is_415_and_an_unknown_method_405(api: ApiClient) -> None:
    wrong = api.call("PUT", f"{FINDING}/snooze", b"x=1", {"Content-Type": "text/plain"})
    assert (wrong.status, wrong.json["title"]) == (415, "Not JSON")
    assert wrong.headers["content-type"] == "application/problem+json"

    other = api.call("DELETE", "/v1/findings")
    assert (other.status, other.json["title"], other.headers["allow"]) == (
        405,
        "Method not allowed",
        "GET",
    )


def test_every_problem_has_the_id_of_its_request(api: ApiClient) -> None:
    ids = {api.get("/v1/findings?limit=0").json["request_id"] for _ in range(2)}

    assert len(ids) == 2
    assert all(ids)


def test_a_viewer_can_read_but_not_snooze(api: ApiClient) -> None:
    viewer = api.as_viewer()

    assert viewer.get(FINDING).status == 200
    assert viewer.call("PUT", f"{FINDING}/snooze", SNOOZE).status == 403
    assert viewer.call("POST", "/v1/snoozes", SNOOZE | {"title": "A"}).status == 403
    assert api.get("/v1/snoozes").json["items"] == []


def test_a_request_without_a_known_token_is_refused(api: ApiClient) -> None:
    assert api.anonymous().get("/v1/findings").status == 401
    for header in ("Bearer wrong", "eis_operator", "Basic eis_operator", "Bearer eis_operator x"):
        assert ApiClient(api.url, {"Authorization": header}).get("/v1/findings").status == 403


def test_health_and_specification_need_no_token(api: ApiClient) -> None:
    assert api.anonymous().get("/healthz").json == {"status": "ok"}

    specification = api.anonymous().get("/openapi.json")
    assert specification.headers["content-type"] == "application/json"
    assert specification.json["openapi"] == "3.1.0"


def test_a_permanent_snooze_is_refused_if_the_setting_says_so(
    api: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {"reason": "fix_scheduled", "comment": "ticket 42", "permanent": True}
    monkeypatch.setenv("ALLOW_PERMANENT_SNOOZE", "false")
    bootstrap.runtime.cache_clear()

    try:
        response = api.call("PUT", f"{FINDING}/snooze", body)
    finally:
        bootstrap.runtime.cache_clear()

    assert (response.status, response.faults) == (422, [("/permanent", "permanent_off")])
    assert "within 180 days" in response.json["errors"][0]["message"]
    assert api.get("/v1/snoozes").json["items"] == []


@pytest.mark.parametrize(
    ("path", "pointer", "message"),
    [
        ("/v1/findings?q=%20", "q", "q has visible characters, or is left out."),
        ("/v1/titles?q='", "q", "q has visible characters, or is left out."),
        (
            "/v1/findings?first_seen_after=2026-11-28T00:00:00+01:00",
            "first_seen_after",
            (
                "first_seen_after is a date and time with a zone, such as 2027-01-31T00:00:00Z "
                "(in an address, + is %2B)."
            ),
        ),
        (
            "/v1/snoozes?ends_before=tomorrow",
            "ends_before",
            (
                "ends_before is a date and time with a zone, such as 2027-01-31T00:00:00Z "
                "(in an address, + is %2B)."
            ),
        ),
    ],
)
def test_a_parameter_that_says_nothing_is_named(
    api: ApiClient, path: str, pointer: str, message: str
) -> None:
    refused = api.get(path)

    assert refused.status == 400
    assert [(each["pointer"], each["message"]) for each in refused.json["errors"]] == [
        (pointer, message)
    ]


def test_an_id_that_is_none_is_described(api: ApiClient) -> None:
    body = {"finding_ids": ["ABC"], "reason": "other", "comment": "ticket 42", "duration": " p2w "}
    refused = api.call("POST", "/v1/findings/snooze", body)

    (error,) = refused.json["errors"]
    assert error["message"] == ("finding_ids[0] is a finding_id, which has 32 digits from 0 to f.")
