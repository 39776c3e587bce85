"""Error codes of Slack: permanent ones, temporary ones, and what a person can do."""

import pytest

from chalicelib.adapters.slack import SlackChannel, slack_channel
from chalicelib.adapters.slack.codes import FILE_REFUSED, MEND, PASSING, REFUSED
from chalicelib.domain.errors import DeliveryError, FileRefused, MessageRefused, ThreadGone
from chalicelib.reports.slack_blocks import Rendered
from devstack.slack import Fault, SlackStandIn
from tests.functional.adapters.slack.calls import (
    CHANNEL,
    RENDERED,
    TOKEN,
    catch_error,
    fail_to_attach,
    fail_to_post,
    serve_responses,
)

pytestmark = pytest.mark.enable_socket


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("invalid_auth", "SLACK_TOKEN_PARAMETER"),
        ("not_authed", "SLACK_TOKEN_PARAMETER"),
        ("token_revoked", "SLACK_TOKEN_PARAMETER"),
        ("token_expired", "SLACK_TOKEN_PARAMETER"),
        ("account_inactive", "SLACK_TOKEN_PARAMETER"),
        ("missing_scope", "chat:write and files:write"),
        ("channel_not_found", "SLACK_CHANNEL to the ID"),
        ("not_in_channel", "invite the bot"),
        ("is_archived", "unarchive"),
        ("restricted_action", "SLACK_CHANNEL"),
        ("ekm_access_denied", "admins"),
        ("team_access_not_granted", "grant the app to the workspace"),
        ("missing_argument", "any proxy in between, which may drop or change arguments"),
    ],
)
def test_a_permanent_refusal_says_what_to_do(
    slack: SlackStandIn, channel: SlackChannel, code: str, hint: str
) -> None:
    slack.fail("*", Fault.refused(code), times=2)

    for error in (fail_to_post(channel), fail_to_attach(channel)):
        assert (error.code, error.retryable) == (code, False)
        assert hint in error.hint
        assert type(error) is DeliveryError


@pytest.mark.parametrize("table", [MEND, FILE_REFUSED])
def test_every_permanent_code_names_a_setting_or_the_admins(table: dict[str, str]) -> None:
    for code, hint in table.items():
        assert "SLACK_" in hint or "admins" in hint, code


@pytest.mark.parametrize("code", sorted(PASSING))
def test_a_temporary_refusal_can_be_retried_and_has_no_hint(
    slack: SlackStandIn, channel: SlackChannel, code: str
) -> None:
    slack.fail("chat.postMessage", Fault.refused(code))

    error = fail_to_post(channel)

    assert (error.code, error.retryable, error.hint) == (code, True, "")


@pytest.mark.parametrize("code", sorted(REFUSED))
def test_a_code_about_the_content_refuses_only_this_message(
    slack: SlackStandIn, channel: SlackChannel, code: str
) -> None:
    slack.fail("chat.postMessage", Fault.refused(code))

    error = fail_to_post(channel)

    assert isinstance(error, MessageRefused)
    assert (error.code, error.retryable) == (code, False)


@pytest.mark.parametrize("step", ["files.getUploadURLExternal", "files.completeUploadExternal"])
@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("slack_connect_file_link_sharing_blocked", "Slack Connect"),
        ("messages_tab_disabled", "SLACK_CHANNEL to the ID of a channel"),
        ("file_uploads_disabled", "file uploads"),
        ("storage_limit_reached", "storage"),
        ("file_type_not_allowed", "CSV"),
        ("invalid_arguments", "look up the code"),
    ],
)
def test_a_code_about_files_refuses_only_the_file(
    slack: SlackStandIn, channel: SlackChannel, step: str, code: str, hint: str
) -> None:
    thread = channel.post(RENDERED)
    slack.fail(step, Fault.refused(code))

    error = fail_to_attach(channel, thread)

    assert isinstance(error, FileRefused)
    assert (error.code, error.retryable) == (code, False)
    assert hint in error.hint
    channel.attach(thread, "findings.csv", "Findings", b"a,b\n")


@pytest.mark.parametrize("code", ["messages_tab_disabled", "missing_argument"])
def test_a_channel_that_takes_no_messages_is_not_the_fault_of_one(
    slack: SlackStandIn, channel: SlackChannel, code: str
) -> None:
    slack.fail("chat.postMessage", Fault.refused(code))

    assert type(fail_to_post(channel)) is DeliveryError


@pytest.mark.parametrize("code", ["thread_not_found", "restricted_action_thread_locked"])
def test_a_code_about_a_thread_counts_only_if_the_call_names_one(
    slack: SlackStandIn, channel: SlackChannel, code: str
) -> None:
    thread = channel.post(RENDERED)
    slack.fail("*", Fault.refused(code), times=4)

    in_thread = (fail_to_post(channel, thread), fail_to_attach(channel, thread))
    in_channel = (fail_to_post(channel), fail_to_attach(channel, None))

    assert [type(error) for error in in_thread] == [ThreadGone, ThreadGone]
    assert [error.retryable for error in in_channel] == [True, True]


@pytest.mark.parametrize("metadata", ["null", '"x"', "{}", '{"messages": 7}', '{"messages": [7]}'])
def test_strange_remarks_are_not_quoted(metadata: str) -> None:
    body = f'{{"ok": false, "error": "invalid_blocks", "response_metadata": {metadata}}}'
    with serve_responses({"chat.postMessage": (200, {}, body.encode())}) as url:
        error = fail_to_post(slack_channel(lambda: TOKEN, CHANNEL, url))

    assert (error.code, error.hint) == ("invalid_blocks", "")


def test_a_refused_message_names_the_invalid_block(channel: SlackChannel) -> None:
    header = {"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}

    error = catch_error(lambda: channel.post(Rendered("x", (header,))))

    assert error.code == "invalid_blocks"
    assert "/blocks/0/text" in error.hint
    assert len(error.hint) <= 300


def test_an_unknown_code_is_retried_and_the_hint_says_to_look_it_up(
    slack: SlackStandIn, channel: SlackChannel
) -> None:
    slack.fail("chat.postMessage", Fault.refused("brand_new_code"))

    error = fail_to_post(channel)

    assert (error.code, error.retryable) == ("brand_new_code", True)
    assert "look up the code" in error.hint
