"""The local server refuses requests as the deployed API does, and never repeats a token."""

import json
import socket
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from chalicelib.domain.access import Role
from chalicelib.entrypoints.api.problems import TITLES
from tests.functional.api.client import TOKENS, ApiClient, open_api
from tests.functional.service import run_service

pytestmark = pytest.mark.enable_socket

TOKEN = TOKENS[Role.OPERATOR]
HEADERS = {
    "none": None,
    "empty": "",
    "known": f"Bearer {TOKEN}",
    "unknown": f"Bearer {TOKEN}x",
    "no scheme": TOKEN,
    "another scheme": f"Basic {TOKEN}",
    "not ASCII": f"Bearer {TOKEN}\u00e9",
}


@pytest.fixture(scope="module")
def api() -> Iterator[ApiClient]:
    with run_service() as service, open_api(service) as api:
        yield api


def with_header(api: ApiClient, name: str) -> ApiClient:
    header = HEADERS[name]
    return ApiClient(api.url, {} if header is None else {"Authorization": header})


def send(api: ApiClient, content: bytes) -> bytes:
    """Sends bytes as they are; returns everything that comes back."""
    address = urlsplit(api.url)
    with closing(socket.create_connection((address.hostname, address.port), 10)) as connection:
        connection.sendall(content)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def refuse(api: ApiClient, method: str, path: str, header: str) -> int:
    """Returns the status of a refusal, which is a problem that repeats no token."""
    response = with_header(api, header).call(method, path)
    assert TOKEN not in f"{response.headers} {response.content!r}"
    if method != "HEAD":
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json["status"] == response.status
        assert response.json["title"] == TITLES[response.status]
        assert response.json["request_id"]
        assert response.json["detail"]
    return response.status


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("path", ["/", "/v1", "/v1/unknown", "/v2/findings", "//[", "/v1/%2e%2e"])
def test_an_unknown_path_is_404(api: ApiClient, path: str, header: str) -> None:
    for method in ("GET", "POST", "OPTIONS", "TRACE"):
        assert refuse(api, method, path, header) == 404


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("none", 401),
        ("empty", 401),
        ("unknown", 403),
        ("no scheme", 403),
        ("another scheme", 403),
        ("not ASCII", 403),
    ],
)
def test_a_request_without_a_known_token_is_refused(
    api: ApiClient, header: str, status: int
) -> None:
    assert refuse(api, "GET", "/v1/findings", header) == status
    assert refuse(api, "POST", "/v1/snoozes", header) == status


def test_a_caller_without_a_token_learns_to_send_one(api: ApiClient) -> None:
    response = api.anonymous().get("/v1/findings")

    assert response.headers["www-authenticate"] == "Bearer"
    assert "Authorization: Bearer <token>" in response.json["detail"]


@pytest.mark.parametrize("method", ["DELETE", "HEAD", "OPTIONS", "TRACE", "QUERY", "get"])
def test_a_method_that_a_path_lacks_is_405_and_the_right_ones_are_named(
    api: ApiClient, method: str
) -> None:
    assert refuse(api, method, "/v1/snoozes", "known") == 405
    assert api.call(method, "/v1/snoozes").headers["allow"] == "GET, POST"


def test_a_response_to_head_has_no_body(api: ApiClient) -> None:
    # the client of the other tests would leave a body unread
    received = send(api, b"HEAD /v1/snoozes HTTP/1.1\r\nConnection: close\r\n\r\n")

    head, _, body = received.partition(b"\r\n\r\n")
    assert b" 405 " in head.splitlines()[0]
    assert body == b""


@pytest.mark.parametrize("line", [b"GET / HTTP/x", b"\x16\x03\x01", b"GET  / HTTP/1.1 x"])
def test_what_is_not_http_is_400(api: ApiClient, line: bytes) -> None:
    received = send(api, line + b" " + TOKEN.encode() + b"\r\n\r\n")

    head, _, body = received.partition(b"\r\n\r\n")
    assert b" 400 " in head.splitlines()[0]
    assert json.loads(body)["title"] == TITLES[400]
    assert TOKEN.encode() not in received
