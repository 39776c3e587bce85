"""Messages and files arrive unchanged."""

from typing import Any

import pytest
from slack_sdk import WebClient

from chalicelib.adapters.slack import SlackChannel
from chalicelib.domain.errors import ThreadGone
from chalicelib.reports.slack_blocks import Rendered
from devstack.slack import SlackStandIn
from tests.functional.adapters.slack.calls import CHANNEL, HEADER, RENDERED, TOKEN, fail_to_attach

pytestmark = pytest.mark.enable_socket


def test_a_message_arrives_as_it_was_rendered(slack: SlackStandIn, channel: SlackChannel) -> None:
    thread = channel.post(RENDERED)

    (message,) = slack.messages
    assert (message.ts, message.text, message.blocks) == (thread, "2 new findings", (HEADER,))


def test_a_message_without_blocks_shows_its_text(
    slack: SlackStandIn, channel: SlackChannel
) -> None:
    channel.post(Rendered("plain", ()))

    assert [(each.text, each.blocks) for each in slack.messages] == [("plain", ())]


def test_nothing_in_a_message_becomes_a_link_or_a_mention(slack: SlackStandIn) -> None:
    sent: list[Any] = []

    class Recorder(WebClient):
        def api_call(self, api_method: str, **arguments: Any) -> Any:
            sent.append(arguments["json"])
            return super().api_call(api_method, **arguments)

    def connect(token: str) -> WebClient:
        return Recorder(token, slack.base_url)

    SlackChannel(CHANNEL, lambda: TOKEN, connect).post(RENDERED)

    assert sent == [
        {
            "channel": CHANNEL,
            "text": "2 new findings",
            "blocks": [HEADER],
            "parse": "none",
            "link_names": False,
            "unfurl_links": False,
            "unfurl_media": False,
        }
    ]


def test_a_file_is_a_reply_in_the_thread(slack: SlackStandIn, channel: SlackChannel) -> None:
    thread = channel.post(RENDERED)
    content = "\ufefftitle\r\nÜberprüfung\r\n".encode()

    file_id = channel.attach(thread, "findings.csv", "2 new findings", content)

    _, reply = slack.messages
    (file,) = reply.files
    assert (reply.thread_ts, reply.text) == (thread, "")
    assert (file.id, file.name, file.title) == (file_id, "findings.csv", "2 new findings")
    assert file.content == content


def test_a_reply_is_in_the_thread(slack: SlackStandIn, channel: SlackChannel) -> None:
    thread = channel.post(RENDERED)

    reply = channel.post(RENDERED, thread)

    assert [(each.ts, each.thread_ts) for each in slack.messages] == [
        (thread, None),
        (reply, thread),
    ]


def test_a_reply_to_a_deleted_message_is_in_the_channel_and_not_posted_again(
    slack: SlackStandIn, channel: SlackChannel
) -> None:
    thread = channel.post(RENDERED)
    slack.delete_message(thread)

    posted = channel.post(RENDERED, thread)

    assert [(each.ts, each.thread_ts) for each in slack.messages] == [(posted, None)]


def test_a_file_for_a_deleted_message_can_go_into_the_channel(
    slack: SlackStandIn, channel: SlackChannel
) -> None:
    thread = channel.post(RENDERED)
    slack.delete_message(thread)

    assert isinstance(fail_to_attach(channel, thread), ThreadGone)
    file_id = channel.attach(None, "findings.csv", "2 new findings", b"a,b\n")

    (message,) = slack.messages
    assert (message.thread_ts, message.files[0].id) == (None, file_id)


@pytest.mark.parametrize(
    "hostile",
    [
        "a b.csv",
        "../../etc/passwd",
        'x"; y=".csv',
        "<!channel>&amp;\r\nX: y",
        "größe 🚨.csv",
        "%2e",
    ],
)
def test_a_hostile_file_name_arrives_unchanged(
    slack: SlackStandIn, channel: SlackChannel, hostile: str
) -> None:
    channel.attach(channel.post(RENDERED), hostile, hostile, b"x")

    (file,) = slack.messages[1].files
    assert (file.name, file.title) == (hostile, hostile)
