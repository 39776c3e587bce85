"""The API and its viewer as `make up` serves them: valid tokens, a page without outside links."""

import json
import re
from collections.abc import Iterator
from email.message import Message
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest

from devstack.__main__ import main
from devstack.local_app import serve_api
from tests.e2e.test_devstack import run_devstack, run_up

pytestmark = pytest.mark.enable_socket

TOKEN = re.compile(r"^  (operator|viewer) +(eis_[\w-]{43})$", re.MULTILINE)
CURL = re.compile(
    r"^  curl -H 'Authorization: Bearer (eis_[\w-]{43})' '(http://[^']+)'$", re.MULTILINE
)
VIEWER = re.compile(r"API, to read and try +(http://127\.0\.0\.1:\d+/)")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("up")


@pytest.fixture(scope="module")
def running(folder: Path) -> Iterator[dict[str, str]]:
    with run_up(folder) as state:
        yield state


@pytest.fixture(scope="module")
def printed(folder: Path, running: dict[str, str]) -> str:
    assert running["api_url"].startswith("http://127.0.0.1:")
    return (folder / "up.log").read_text()


def call(
    url: str, token: str | None = None, method: str = "GET", body: object = None
) -> tuple[int, Message, bytes]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    content = None if body is None else json.dumps(body).encode()
    if content:
        headers["Content-Type"] = "application/json"
    request = Request(url, content, headers, method=method)  # noqa: S310 - our own stand-in
    try:
        with urlopen(request, timeout=20) as response:  # noqa: S310
            return response.status, response.headers, response.read()
    except HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def test_the_printed_curl_line_and_both_tokens_work(printed: str, running: dict[str, str]) -> None:
    tokens = dict(TOKEN.findall(printed))
    ((token, url),) = CURL.findall(printed)
    assert token == tokens["operator"]
    assert url.startswith(f"{running['api_url']}/v1/")
    status, _, content = call(url, token)
    assert (status, len(json.loads(content)["items"])) == (200, 2)
    request = {"title": "A", "reason": "other", "comment": "a trial", "duration": "PT1H"}
    snoozes = f"{running['api_url']}/v1/snoozes"
    assert call(snoozes, tokens["viewer"])[0] == 200
    assert call(snoozes, tokens["viewer"], "POST", request)[0] == 403
    assert call(snoozes, tokens["operator"], "POST", request)[0] == 201


def test_no_token_is_written_to_a_file(printed: str, folder: Path) -> None:
    state = (folder / "build" / "devstack" / "running.json").read_text()
    for _, token in TOKEN.findall(printed):
        assert token not in state
        assert token not in CURL.sub("", TOKEN.sub("", printed))


def test_a_new_token_names_the_api_that_it_is_for(
    printed: str, running: dict[str, str], folder: Path
) -> None:
    assert printed
    code, output, errors = run_devstack(
        "token", "add", "--name", "second", "--role", "viewer", cwd=folder
    )
    assert (code, errors) == (0, "")
    assert f"The API: {running['api_url']}" in output


def test_the_viewer_loads_nothing_from_another_host(printed: str) -> None:
    (viewer,) = VIEWER.findall(printed)
    status, headers, content = call(viewer)
    page = content.decode()
    assert status == 200
    assert {urlsplit(url).netloc for url in re.findall(r"https?://[^\"' ]+", page)} <= {
        urlsplit(viewer).netloc
    }
    # so the browser refuses other hosts
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    loaded = re.findall(r"(?:src|href)=\"([^\"]+)\"", page)
    assert len(loaded) >= 5
    for path in loaded:
        status, headers, asset = call(f"{viewer}{path.lstrip('/')}")
        assert (status, bool(asset)) == (200, True), path
        assert "default-src 'self'" in headers["Content-Security-Policy"]


def test_the_viewer_forwards_calls_unchanged(printed: str, running: dict[str, str]) -> None:
    (viewer,) = VIEWER.findall(printed)
    tokens = dict(TOKEN.findall(printed))
    document = json.loads(call(f"{viewer}openapi.json")[2])
    assert document == json.loads(call(f"{running['api_url']}/openapi.json")[2])
    assert call(f"{viewer}healthz")[0] == 200
    assert call(f"{viewer}v1/findings")[0] == 401
    status, headers, content = call(f"{viewer}v1/findings?limit=1&q=SSH%20", tokens["viewer"])
    assert (status, len(json.loads(content)["items"])) == (200, 1)
    assert 'rel="next"' in headers["Link"]
    status, headers, content = call(f"{viewer}v1/findings?colour=red", tokens["viewer"])
    assert (status, headers["Content-Type"]) == (400, "application/problem+json")
    request = {"title": "B", "reason": "other", "comment": "a trial", "duration": "PT1H"}
    status, headers, content = call(f"{viewer}v1/snoozes", tokens["operator"], "POST", request)
    assert (status, headers["ETag"]) == (201, '"1"')
    snooze = f"{viewer}v1/snoozes/{json.loads(content)['id']}"
    assert call(snooze, tokens["operator"], "DELETE")[0] == 204


@pytest.mark.parametrize("port", ["--api-port", "--viewer-port"])
def test_a_taken_port_is_reported_without_a_traceback(
    port: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with serve_api() as url:
        assert main(["up", port, url.rsplit(":", 1)[1]]) == 1
    errors = capsys.readouterr().err
    assert "up failed: " in errors
    assert "Address already in use" in errors
