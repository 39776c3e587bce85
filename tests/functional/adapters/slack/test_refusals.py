"""Error codes of Slack: permanent ones, temporary ones, and what a person can do."""

import pytest

from chalicelib.adapters.slack import SlackChannel
from chalicelib.adapters.slack.codes import MEND, PASSING, REFUSED
from chalicelib.domain.errors import MessageRefused
from chalicelib.domain.message import Rendered
from devstack.slack import Fault, SlackStandIn
from tests.functional.adapters.slack.calls import catch_error, fail_to_attach, fail_to_post

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
        ("file_uploads_disabled", "file uploads"),
    ],
)
def test_a_permanent_refusal_says_what_to_do(
    slack: SlackStandIn, channel: SlackChannel, code: str, hint: str
) -> None:
    slack.fail("*", Fault.refused(code), times=2)

    for error in (fail_to_post(channel), fail_to_attach(channel)):
        assert (error.code, error.retryable) == (code, False)
        assert hint in error.hint
        assert not isinstance(error, MessageRefused)


@pytest.mark.parametrize("code", sorted(MEND))
def test_every_permanent_code_names_a_setting_or_the_admins(code: str) -> None:
    assert "SLACK_" in MEND[code] or "admins" in MEND[code]


def test_every_code_is_in_one_table_only() -> None:
    assert len(MEND.keys() | PASSING | REFUSED) == len(MEND) + len(PASSING) + len(REFUSED)


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
