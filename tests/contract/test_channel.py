import re
from collections.abc import Iterator
from typing import Protocol

import pytest

from chalicelib.adapters.slack import SlackChannel, slack_channel
from chalicelib.domain.errors import DeliveryError, FileRefused, MessageRefused, ThreadGone
from chalicelib.reports.slack_blocks import Rendered
from devstack.slack import Fault, SlackStandIn, serve_slack
from tests.fakes import MemoryChannel

pytestmark = pytest.mark.enable_socket

HEADER = {"type": "header", "text": {"type": "plain_text", "text": "2 new findings"}}
RENDERED = Rendered("2 new findings", (HEADER,))
PLAIN = Rendered("2 new findings", ())


class Reader(Protocol):
    """Reads the channel, and lets its calls fail."""

    @property
    def channel(self) -> MemoryChannel | SlackChannel: ...

    def build(self, channel_id: str, token: str) -> MemoryChannel | SlackChannel: ...

    def messages(self) -> list[Rendered]: ...

    def replies(self, thread: str) -> list[Rendered]: ...

    def files(self) -> list[tuple[str, str, bytes]]: ...

    def places(self) -> list[str | None]: ...

    def lock_thread(self, thread: str) -> None: ...

    def block_files(self) -> None: ...

    def fail_post_once(self) -> None: ...

    def fail_attach_once(self) -> None: ...

    def refuse_post_once(self) -> None: ...


class InMemory:
    def __init__(self) -> None:
        self.channel = MemoryChannel()

    def build(self, channel_id: str, token: str) -> MemoryChannel:
        return MemoryChannel(channel_id, token)

    def messages(self) -> list[Rendered]:
        return list(self.channel.posts)

    def replies(self, thread: str) -> list[Rendered]:
        return [rendered for parent, rendered in self.channel.replies if parent == thread]

    def files(self) -> list[tuple[str, str, bytes]]:
        return [(each.name, each.title, each.content) for each in self.channel.attachments]

    def places(self) -> list[str | None]:
        return [each.thread for each in self.channel.attachments]

    def lock_thread(self, thread: str) -> None:
        self.channel.lock_thread(thread)

    def block_files(self) -> None:
        self.channel.takes_files = False

    def fail_post_once(self) -> None:
        self.channel.fail_post(DeliveryError("internal_error", retryable=True))

    def fail_attach_once(self) -> None:
        self.channel.fail_attach(DeliveryError("internal_error", retryable=True))

    def refuse_post_once(self) -> None:
        self.channel.fail_post(MessageRefused("invalid_blocks"))


class OnSlack:
    def __init__(self, slack: SlackStandIn) -> None:
        self.slack = slack
        self.channel = self.build("C0DEVSTACK", "xoxb-devstack")

    def build(self, channel_id: str, token: str) -> SlackChannel:
        return slack_channel(lambda: token, channel_id, self.slack.base_url)

    def messages(self) -> list[Rendered]:
        return self._list_texts(None)

    def replies(self, thread: str) -> list[Rendered]:
        return self._list_texts(thread)

    def _list_texts(self, thread: str | None) -> list[Rendered]:
        texts = (each for each in self.slack.messages if not each.files)
        return [Rendered(each.text, each.blocks) for each in texts if each.thread_ts == thread]

    def files(self) -> list[tuple[str, str, bytes]]:
        files = (file for each in self.slack.messages for file in each.files)
        return [(each.name, each.title, each.content) for each in files]

    def places(self) -> list[str | None]:
        return [each.thread_ts for each in self.slack.messages if each.files]

    def lock_thread(self, thread: str) -> None:
        self.slack.lock_thread(thread)

    def block_files(self) -> None:
        self.slack.block_files()

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


# Threads


def test_a_reply_is_in_its_thread_and_has_an_id_of_its_own(reader: Reader) -> None:
    thread, other = (reader.channel.post(RENDERED) for _ in range(2))
    reply = reader.channel.post(PLAIN, thread)

    assert reply not in {thread, other}
    assert reader.messages() == [RENDERED, RENDERED]
    assert (reader.replies(thread), reader.replies(other)) == ([PLAIN], [])


def test_a_file_without_a_thread_is_in_the_channel(reader: Reader) -> None:
    thread = reader.channel.post(RENDERED)
    reader.channel.attach(None, "a.csv", "a", b"a")
    reader.channel.attach(thread, "b.csv", "b", b"b")

    assert reader.places() == [None, thread]
    assert reader.files() == [("a.csv", "a", b"a"), ("b.csv", "b", b"b")]


def test_what_a_locked_thread_refuses_goes_into_the_channel(reader: Reader) -> None:
    thread, other = (reader.channel.post(RENDERED) for _ in range(2))
    reader.lock_thread(thread)

    with pytest.raises(ThreadGone):
        reader.channel.post(PLAIN, thread)
    with pytest.raises(ThreadGone):
        reader.channel.attach(thread, "a.csv", "a", b"a")

    assert (reader.replies(thread), reader.files()) == ([], [])

    reader.channel.post(PLAIN)
    reader.channel.attach(None, "a.csv", "a", b"a")
    reader.channel.post(PLAIN, other)
    assert reader.messages() == [RENDERED, RENDERED, PLAIN]
    assert reader.replies(other) == [PLAIN]
    assert reader.places() == [None]


# Files


@pytest.mark.parametrize("in_thread", [True, False])
def test_a_channel_that_refuses_files_still_takes_messages(reader: Reader, in_thread: bool) -> None:
    thread = reader.channel.post(RENDERED)
    reader.block_files()

    with pytest.raises(FileRefused) as refused:
        reader.channel.attach(thread if in_thread else None, "a.csv", "a", b"a")

    assert refused.value.hint
    assert reader.files() == []

    reader.channel.post(PLAIN, thread)
    reader.channel.post(PLAIN)
    assert reader.replies(thread) == [PLAIN]
    assert reader.messages() == [RENDERED, PLAIN]


# Identity


def test_an_identity_changes_with_the_channel_and_with_the_token(reader: Reader) -> None:
    channels = [
        reader.build("C1", "xoxb-1"),
        reader.build("C2", "xoxb-1"),
        reader.build("C1", "xoxb-2"),
    ]

    assert [each.id for each in channels] == ["C1", "C2", "C1"]
    assert len({each.identity() for each in channels}) == 3
    assert reader.build("C1", "xoxb-1").identity() == channels[0].identity()


def test_an_identity_does_not_contain_the_token(reader: Reader) -> None:
    identity = reader.build("C1", "c0ffee").identity()

    assert re.fullmatch(r"[0-9a-f]{16}", identity)
    assert "c0ffee" not in identity
