"""The API answers the same under Chalice's test client and over real HTTP."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from chalice.test import Client

import app
from chalicelib.domain.finding import finding_id
from tests.functional.api.client import Api, served_api
from tests.functional.conftest import NODE, running_service

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
def api() -> Iterator[Api]:
    with running_service() as service:
        service.put("A", "B")
        service.scan()
        with served_api(service) as api:
            yield api


def shown(content: bytes) -> Any:
    """The body without the id of its request, which is another one each time."""
    try:
        body = json.loads(content)
    except ValueError:
        return content
    if isinstance(body, dict):
        body.pop("request_id", None)
    return body


@pytest.mark.parametrize(("method", "path", "body"), REQUESTS)
def test_a_request_is_answered_the_same_both_ways(
    api: Api, method: str, path: str, body: dict[str, Any] | None
) -> None:
    over_http = api.call(method, path, body)
    sent = {**api.headers, "Content-Type": "application/json"}
    content = b"" if body is None else json.dumps(body).encode()
    with Client(app.app) as client:
        inside = client.http.request(method, path, headers=sent, body=content)
    headers = {name.lower(): value for name, value in inside.headers.items()}
    assert inside.status_code == over_http.status
    assert shown(inside.body) == shown(over_http.content)
    # the local server adds a content type to an answer without content
    for name in HEADERS if over_http.content else HEADERS[1:]:
        assert headers.get(name) == over_http.headers.get(name), name
