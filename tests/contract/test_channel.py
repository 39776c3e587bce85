from collections.abc import Iterator
from typing import Protocol

import pytest

from chalicelib.adapters.slack import slack_channel
from chalicelib.domain.errors import DeliveryError, MessageRefused
from chalicelib.domain.message import Rendered
from chalicelib.usecases.ports import Channel
from devstack.slack import Fault, SlackStandIn, serve_slack
from tests.fakes import MemoryChannel

pytestmark = pytest.mark.enable_socket

HEADER = {"type": "header", "text": {"type": "plain_text", "text": "2 new findings"}}
RENDERED = Rendered("2 new findings", (HEADER,))
PLAIN = Rendered("2 new findings", ())


class Reader(Protocol):
    """Reads the channel, and lets its calls fail."""

    @property
    def channel(self) -> Channel: ...

    def messages(self) -> list[Rendered]: ...

    def files(self) -> list[tuple[str, str, bytes]]: ...

    def fail_post_once(self) -> None: ...

    def fail_attach_once(self) -> None: ...

    def refuse_post_once(self) -> None: ...


class InMemory:
    def __init__(self) -> None:
        self.channel = MemoryChannel()

    def messages(self) -> list[Rendered]:
        return list(self.channel.posts)

    def files(self) -> list[tuple[str, str, bytes]]:
        return [(each.name, each.title, each.content) for each in self.channel.attachments]

    def fail_post_once(self) -> None:
        self.channel.fail_post(DeliveryError("internal_error", retryable=True))

    def fail_attach_once(self) -> None:
        self.channel.fail_attach(DeliveryError("internal_error", retryable=True))

    def refuse_post_once(self) -> None:
        self.channel.fail_post(MessageRefused("invalid_blocks"))


class OnSlack:
    def __init__(self, slack: SlackStandIn) -> None:
        self.slack = slack
        self.channel = slack_channel(lambda: "xoxb-devstack", "C0DEVSTACK", slack.base_url)

    def messages(self) -> list[Rendered]:
        top = (each for each in self.slack.messages if each.thread_ts is None)
        return [Rendered(each.text, each.blocks) for each in top]

    def files(self) -> list[tuple[str, str, bytes]]:
        files = (file for each in self.slack.messages for file in each.files)
        return [(each.name, each.title, each.content) for each in files]

    def fail_post_once(self) -> None:
        self.slack.fail("chat.postMessage", Fault.refused("internal_error"))

    def fail_attach_once(self) -> None:
        self.slack.fail("files.getUploadURLExternal", Fault.refused("internal_error"))

    def refuse_post_once(self) -> None:
        self.slack.fail("chat.postMessage", Fault.refused("invalid_blocks"))


@pytest.fixture(scope="module")
def slack() -> Iterator[SlackStandIn]:
    with serve_slack() as running:
        yield running


@pytest.fixture(params=["memory", "slack"])
def reader(request: pytest.FixtureRequest, slack: SlackStandIn) -> Reader:
    slack.reset()
    return InMemory() if request.param == "memory" else OnSlack(slack)


def test_messages_arrive_in_order(reader: Reader) -> None:
    other = Rendered("nothing new", ())
    reader.channel.post(RENDERED)
    reader.channel.post(other)

    assert reader.messages() == [RENDERED, other]


def test_each_message_has_its_own_thread(reader: Reader) -> None:
    threads = [reader.channel.post(RENDERED) for _ in range(3)]

    assert all(threads)
    assert len(set(threads)) == 3


def test_a_file_arrives_unchanged(reader: Reader) -> None:
    thread = reader.channel.post(RENDERED)
    reader.channel.attach(thread, "findings.csv", "2 <new> & findings", b"\xef\xbb\xbf\x00\xff")

    assert reader.files() == [("findings.csv", "2 <new> & findings", b"\xef\xbb\xbf\x00\xff")]
    assert reader.messages() == [RENDERED]


def test_a_file_attached_twice_is_two_files(reader: Reader) -> None:
    thread = reader.channel.post(RENDERED)
    ids = [reader.channel.attach(thread, "a.csv", "a", b"a") for _ in range(2)]

    assert len(set(ids)) == 2
    assert len(reader.files()) == 2


def test_a_failed_post_does_not_arrive_and_can_be_retried(reader: Reader) -> None:
    reader.fail_post_once()

    with pytest.raises(DeliveryError) as failed:
        reader.channel.post(RENDERED)

    assert (failed.value.code, failed.value.retryable) == ("internal_error", True)
    assert reader.messages() == []

    reader.channel.post(RENDERED)
    assert reader.messages() == [RENDERED]


def test_a_failed_file_does_not_arrive_and_can_be_retried(reader: Reader) -> None:
    thread = reader.channel.post(RENDERED)
    reader.fail_attach_once()

    with pytest.raises(DeliveryError):
        reader.channel.attach(thread, "a.csv", "a", b"a")

    assert reader.files() == []

    reader.channel.attach(thread, "a.csv", "a", b"a")
    assert reader.files() == [("a.csv", "a", b"a")]


def test_a_plain_message_can_follow_a_refused_one(reader: Reader) -> None:
    reader.refuse_post_once()

    with pytest.raises(MessageRefused):
        reader.channel.post(RENDERED)

    reader.channel.post(PLAIN)
    assert reader.messages() == [PLAIN]
