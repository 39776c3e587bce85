"""Chalice's test client and the server on this machine give the same responses."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from chalice.test import Client

import app
from chalicelib.domain.finding import finding_id
from tests.functional.api.client import ApiClient, open_api
from tests.functional.service import NODE, run_service

pytestmark = pytest.mark.enable_socket

FINDING = f"/v1/findings/{finding_id(NODE, 'A')}"
ENDS_AT = "2026-01-01T00:00:00Z"
HEADERS = ("content-type", "link", "etag", "location", "allow", "retry-after")
REQUESTS: list[tuple[str, str, dict[str, Any] | None]] = [
    ("GET", "/v1/findings", None),
    ("GET", "/v1/findings?limit=1", None),
    ("GET", "/v1/findings?format=csv", None),
    ("GET", "/v1/findings?limit=0", None),
    ("GET", "/v1/findings?colour=red", None),
    ("GET", FINDING, None),
    ("GET", f"{FINDING}/events", None),
    ("GET", "/v1/findings/unknown", None),
    ("PUT", f"{FINDING}/snooze", {"reason": "other", "comment": "past", "ends_at": ENDS_AT}),
    ("PUT", f"{FINDING}/snooze", {"comment": "no reason"}),
    ("DELETE", f"{FINDING}/snooze", None),
    ("POST", "/v1/snoozes?dry_run=true", {"reason": "other", "comment": "try", "permanent": True}),
    ("GET", "/v1/snoozes", None),
    ("GET", "/v1/snoozes/s-0", None),
    ("GET", "/v1/nodes", None),
    ("GET", "/v1/scans", None),
    ("GET", "/v1/summary", None),
    ("GET", "/healthz", None),
    ("GET", "/openapi.json", None),
    ("DELETE", "/v1/findings", None),
]


@pytest.fixture(scope="module")
def api() -> Iterator[ApiClient]:
    with run_service() as service:
        service.report("A", "B")
        service.scan()
        with open_api(service) as api:
            yield api


def read_body(content: bytes) -> Any:
    """Returns the body without the request id, which differs each time."""
    try:
        body = json.loads(content)
    except ValueError:
        return content
    if isinstance(body, dict):
        body.pop("request_id", None)
    return body


@pytest.mark.parametrize(("method", "path", "body"), REQUESTS)
def test_the_test_client_and_the_server_give_the_same_response(
    api: ApiClient, method: str, path: str, body: dict[str, Any] | None
) -> None:
    over_http = api.call(method, path, body)
    sent = {**api.headers, "Content-Type": "application/json"}
    content = b"" if body is None else json.dumps(body).encode()
    with Client(app.app) as client:
        inside = client.http.request(method, path, headers=sent, body=content)

    headers = {name.lower(): value for name, value in inside.headers.items()}

    assert inside.status_code == over_http.status
    assert read_body(inside.body) == read_body(over_http.content)
    # the local server adds a content type to a response without a body
    for name in HEADERS if over_http.content else HEADERS[1:]:
        assert headers.get(name) == over_http.headers.get(name), name
