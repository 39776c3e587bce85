"""Slack is down, slow, or sends a response that cannot be read."""

import socket
from collections.abc import Mapping
from contextlib import closing

import pytest
from slack_sdk import WebClient

from chalicelib.adapters.slack import SlackChannel, slack_channel
from chalicelib.adapters.slack.client import web_client
from devstack.slack import Fault, SlackStandIn
from tests.functional.adapters.slack.calls import (
    CHANNEL,
    RENDERED,
    TOKEN,
    UPLOAD_STEPS,
    Response,
    build_ok,
    fail_to_attach,
    fail_to_post,
    refuse_to_sleep,
    serve_responses,
)

pytestmark = pytest.mark.enable_socket


@pytest.mark.parametrize("status", [408, 500, 502, 503])
def test_a_server_error_can_be_retried(
    slack: SlackStandIn, channel: SlackChannel, status: int
) -> None:
    slack.fail("chat.postMessage", Fault.http_error(status))

    error = fail_to_post(channel)

    assert (error.code, error.retryable, error.hint) == (f"http_{status}", True, "")
    assert slack.messages == ()


@pytest.mark.parametrize("status", [403, 404, 407])
def test_another_status_points_to_the_base_url(
    slack: SlackStandIn, channel: SlackChannel, status: int
) -> None:
    slack.fail("chat.postMessage", Fault.http_error(status))

    error = fail_to_post(channel)

    assert (error.code, error.retryable) == (f"http_{status}", True)
    assert "SLACK_BASE_URL" in error.hint


# Rate limits


@pytest.mark.parametrize("seconds", [0, 2, 30])
def test_a_short_retry_after_is_waited_for_once(
    slack: SlackStandIn, channel: SlackChannel, naps: list[float], seconds: int
) -> None:
    slack.fail("chat.postMessage", Fault.rate_limited(retry_after=seconds))

    channel.post(RENDERED)

    assert naps == [seconds]
    assert len(slack.messages) == 1


def test_a_second_rate_limit_is_not_waited_for(
    slack: SlackStandIn, channel: SlackChannel, naps: list[float]
) -> None:
    slack.fail("chat.postMessage", Fault.rate_limited(retry_after=1), times=2)

    error = fail_to_post(channel)

    assert (error.code, error.retryable, error.hint) == ("http_429", True, "")
    assert naps == [1]


def test_a_long_retry_after_is_not_waited_for(
    slack: SlackStandIn, channel: SlackChannel, naps: list[float]
) -> None:
    slack.fail("chat.postMessage", Fault.rate_limited(retry_after=31))

    error = fail_to_post(channel)

    assert (error.code, error.retryable) == ("http_429", True)
    assert naps == []
    assert slack.calls == ("chat.postMessage",)


@pytest.mark.parametrize(
    "headers", [{}, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, {"Retry-After": "-1"}]
)
def test_a_rate_limit_without_seconds_is_not_waited_for(headers: Mapping[str, str]) -> None:
    with serve_responses({"chat.postMessage": (429, headers, b"slow down")}) as url:
        channel = slack_channel(lambda: TOKEN, CHANNEL, url, sleep=refuse_to_sleep)
        error = fail_to_post(channel)

    assert (error.code, error.retryable) == ("http_429", True)


@pytest.mark.parametrize("step", UPLOAD_STEPS)
def test_a_rate_limit_during_an_upload_can_be_retried(
    slack: SlackStandIn, channel: SlackChannel, step: str
) -> None:
    slack.fail(step, Fault.rate_limited(retry_after=60))

    error = fail_to_attach(channel)

    assert error.code.endswith("http_429")
    assert error.retryable


# No response


def test_a_post_with_a_lost_response_is_not_repeated_at_once(
    slack: SlackStandIn, channel: SlackChannel
) -> None:
    slack.fail("chat.postMessage", Fault.response_lost())

    error = fail_to_post(channel)

    assert (error.code, error.retryable) == ("unreachable", True)
    assert len(slack.messages) == 1
    assert slack.calls == ("chat.postMessage",)


@pytest.mark.parametrize("step", UPLOAD_STEPS)
@pytest.mark.parametrize("fault", [Fault.response_lost(), Fault.response_lost(500)])
def test_an_upload_with_a_lost_response_can_be_retried(
    slack: SlackStandIn, channel: SlackChannel, step: str, fault: Fault
) -> None:
    thread = channel.post(RENDERED)
    slack.fail(step, fault)

    assert fail_to_attach(channel, thread).retryable
    channel.attach(thread, "findings.csv", "Findings", b"a,b\n")


def test_a_refused_connection_can_be_retried() -> None:
    with closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        error = fail_to_post(slack_channel(lambda: TOKEN, CHANNEL, f"http://127.0.0.1:{port}/"))

    assert (error.code, error.retryable, error.hint) == ("unreachable", True, "")


def test_a_timeout_can_be_retried() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"

        def connect(token: str) -> WebClient:
            client = web_client(token, url, 10, 0, refuse_to_sleep)
            client.timeout = 0.05  # type: ignore[assignment] # declared int, used as seconds
            return client

        error = fail_to_post(SlackChannel(CHANNEL, lambda: TOKEN, connect))

    assert (error.code, error.retryable, error.hint) == ("timeout", True, "")


# Unreadable responses


@pytest.mark.parametrize(
    "response",
    [
        (200, {}, b"<html>Sign in to the network</html>"),
        (200, {}, b'{"ok": true, "ts": '),
        (200, {}, b'{"ok": true}'),
        (200, {}, b'{"ok": true, "ts": null}'),
        (200, {}, b'{"ok": false}'),
        (200, {}, b'{"ok": false, "error": {"code": 7}}'),
        (200, {}, b"null"),
        (200, {"Content-Length": "100"}, b'{"ok": true'),
        (200, {"Content-Type": "text/plain; charset=klingon"}, b"x"),
        (200, {"Content-Type": "text/plain; charset=utf-8"}, b"\xff"),
    ],
)
def test_an_unreadable_response_can_be_retried(response: Response) -> None:
    with serve_responses({"chat.postMessage": response}) as url:
        error = fail_to_post(slack_channel(lambda: TOKEN, CHANNEL, url))

    assert (error.code, error.retryable) == ("unreadable_answer", True)


@pytest.mark.parametrize("files", ["[]", '[{"id": ""}]'])
def test_an_upload_that_returns_no_file_id_can_be_retried(files: str) -> None:
    responses = {
        "files.getUploadURLExternal": build_ok(upload_url="$URLsecret", file_id="F1"),
        "secret": (200, {}, b"OK"),
        "files.completeUploadExternal": (200, {}, f'{{"ok": true, "files": {files}}}'.encode()),
    }
    with serve_responses(responses) as url:
        error = fail_to_attach(slack_channel(lambda: TOKEN, CHANNEL, url))

    assert (error.code, error.retryable) == ("unreadable_answer", True)
