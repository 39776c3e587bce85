"""The token is read when it is needed. Neither it nor an upload URL is ever printed."""

import logging
import re
from collections.abc import Mapping

import pytest

from chalicelib.adapters.slack import SlackChannel, slack_channel
from chalicelib.domain.errors import Forbidden, ServiceError, Unavailable
from devstack.slack import Fault, SlackStandIn
from tests.functional.adapters.slack.calls import (
    CHANNEL,
    RENDERED,
    TOKEN,
    UPLOAD_STEPS,
    Response,
    build_ok,
    catch_error,
    fail_to_attach,
    fail_to_post,
    list_everything_printed,
    serve_responses,
)

pytestmark = pytest.mark.enable_socket


@pytest.mark.parametrize("step", UPLOAD_STEPS)
@pytest.mark.parametrize(
    "fault",
    [Fault.http_error(500), Fault.http_error(400), Fault.response_lost(), Fault.refused("x")],
)
def test_neither_token_nor_upload_url_is_printed(
    slack: SlackStandIn,
    channel: SlackChannel,
    caplog: pytest.LogCaptureFixture,
    step: str,
    fault: Fault,
) -> None:
    caplog.set_level(logging.DEBUG)
    slack.fail(step, fault)

    printed = list_everything_printed(fail_to_attach(channel), caplog)

    assert "xoxb" not in printed
    assert "/upload/v1" not in printed


@pytest.mark.parametrize(
    "responses",
    [
        {"files.getUploadURLExternal": (200, {}, b'{"upload_url": "$URLsecret"}')},
        {"files.getUploadURLExternal": (200, {}, b"$URLsecret")},
        {"files.getUploadURLExternal": (404, {}, b"no $URLsecret here")},
        {
            "files.getUploadURLExternal": build_ok(upload_url="$URLsecret", file_id="F1"),
            "secret": (201, {}, b"created $URLsecret"),
        },
        {
            "files.getUploadURLExternal": build_ok(upload_url="$URLsecret", file_id="F1"),
            "secret": (400, {}, b"no $URLsecret here"),
        },
        {"files.getUploadURLExternal": build_ok(upload_url="http://secret secret/", file_id="F")},
        {"files.getUploadURLExternal": build_ok(upload_url="secret", file_id="F")},
    ],
)
def test_a_response_that_contains_the_upload_url_is_not_printed(
    responses: Mapping[str, Response], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with serve_responses(responses) as url:
        error = fail_to_attach(slack_channel(lambda: TOKEN, CHANNEL, url))

    printed = list_everything_printed(error, caplog)

    assert error.retryable
    assert "secret" not in printed
    assert "xoxb" not in printed


def test_a_delivered_message_logs_nothing(
    channel: SlackChannel, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    channel.attach(channel.post(RENDERED), "findings.csv", "Findings", b"a,b\n")

    assert caplog.text == ""


# The token


def build_channel(slack: SlackStandIn, *tokens: str | ServiceError) -> SlackChannel:
    """Builds a channel that reads these tokens, one after the other, and no more."""
    rest = iter(tokens)

    def read_token() -> str:
        token = next(rest)
        if isinstance(token, ServiceError):
            raise token
        return token

    return slack_channel(read_token, CHANNEL, slack.base_url)


def test_the_token_is_read_once(slack: SlackStandIn) -> None:
    channel = build_channel(slack, TOKEN)

    channel.attach(channel.post(RENDERED), "findings.csv", "Findings", b"a,b\n")
    slack.fail("chat.postMessage", Fault.refused("internal_error"))
    fail_to_post(channel)
    channel.post(RENDERED)

    assert sum(message.thread_ts is None for message in slack.messages) == 2


def test_the_token_is_read_again_after_a_refused_post(slack: SlackStandIn) -> None:
    channel = build_channel(slack, "xoxb-old", TOKEN)
    assert fail_to_post(channel).code == "invalid_auth"

    channel.post(RENDERED)
    channel.post(RENDERED)

    assert len(slack.messages) == 2


def test_the_token_is_read_again_after_a_refused_file(slack: SlackStandIn) -> None:
    channel = build_channel(slack, TOKEN, TOKEN)
    thread = channel.post(RENDERED)
    slack.fail("files.getUploadURLExternal", Fault.refused("missing_scope", needed="files:write"))

    assert fail_to_attach(channel, thread).code == "missing_scope"
    channel.attach(thread, "findings.csv", "Findings", b"a,b\n")


def test_a_revoked_token_is_a_permanent_error(slack: SlackStandIn, channel: SlackChannel) -> None:
    slack.revoke_token()

    error = fail_to_post(channel)

    assert (error.code, error.retryable) == ("token_revoked", False)


def test_space_around_a_token_is_ignored(slack: SlackStandIn) -> None:
    build_channel(slack, f" {TOKEN}\n").post(RENDERED)

    assert len(slack.messages) == 1


@pytest.mark.parametrize(
    ("reason", "retryable", "hint"),
    [
        (Forbidden("create the parameter of SLACK_TOKEN_PARAMETER"), False, "SLACK_TOKEN_PARAM"),
        (Unavailable("SSM did not answer"), True, ""),
    ],
)
def test_a_token_that_cannot_be_read_delays_the_message(
    slack: SlackStandIn, reason: ServiceError, retryable: bool, hint: str
) -> None:
    channel = build_channel(slack, reason, TOKEN)

    error = fail_to_post(channel)

    assert (error.code, error.retryable) == ("token_unreadable", retryable)
    assert hint in error.hint
    assert bool(error.hint) is not retryable
    channel.post(RENDERED)


@pytest.mark.parametrize("wrong", ["", "  ", f"{TOKEN}\n{TOKEN}", f"{TOKEN} {TOKEN}", "xoxb-ö"])
def test_a_malformed_token_is_neither_sent_nor_printed(
    slack: SlackStandIn, caplog: pytest.LogCaptureFixture, wrong: str
) -> None:
    caplog.set_level(logging.DEBUG)

    error = fail_to_post(build_channel(slack, wrong))

    printed = list_everything_printed(error, caplog)
    assert (error.code, error.retryable) == ("token_malformed", False)
    assert "SLACK_TOKEN_PARAMETER" in error.hint
    assert TOKEN not in printed
    assert "xoxb-ö" not in printed
    assert slack.calls == ()


# The identity of channel and token


def test_an_identity_notices_a_new_token_and_the_next_post_uses_it(slack: SlackStandIn) -> None:
    channel = build_channel(slack, TOKEN, "xoxb-other", "xoxb-other")
    channel.post(RENDERED)

    channel.identity()

    assert fail_to_post(channel).code == "invalid_auth"


def test_an_identity_of_the_same_token_keeps_the_client(slack: SlackStandIn) -> None:
    channel = build_channel(slack, TOKEN, f" {TOKEN}\n")
    channel.post(RENDERED)

    channel.identity()
    channel.post(RENDERED)

    assert len(slack.messages) == 2


def test_an_identity_calls_nobody_and_shows_no_token(
    slack: SlackStandIn, channel: SlackChannel, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    identity = channel.identity()

    assert re.fullmatch(r"[0-9a-f]{16}", identity)
    assert slack.calls == ()
    assert caplog.text == ""
    assert TOKEN not in f"{identity} {channel!r}"


def test_without_a_token_there_is_no_identity(slack: SlackStandIn) -> None:
    channel = build_channel(slack, Unavailable("SSM did not answer"), f"{TOKEN} {TOKEN}")

    unreadable, malformed = (catch_error(channel.identity) for _ in range(2))

    assert (unreadable.code, unreadable.retryable) == ("token_unreadable", True)
    assert (malformed.code, malformed.retryable) == ("token_malformed", False)
