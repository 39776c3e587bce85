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


class Listener(Protocol):
    """Somebody in the channel, who can also break it."""

    @property
    def channel(self) -> Channel: ...

    def heard(self) -> list[Rendered]: ...

    def files(self) -> list[tuple[str, str, bytes]]: ...

    def break_post(self) -> None: ...

    def break_attach(self) -> None: ...

    def refuse_post(self) -> None: ...


class InMemory:
    def __init__(self) -> None:
        self.channel = MemoryChannel()

    def heard(self) -> list[Rendered]:
        return list(self.channel.posts)

    def files(self) -> list[tuple[str, str, bytes]]:
        return [(each.name, each.title, each.content) for each in self.channel.attachments]

    def break_post(self) -> None:
        self.channel.fail_post(DeliveryError("internal_error", retryable=True))

    def break_attach(self) -> None:
        self.channel.fail_attach(DeliveryError("internal_error", retryable=True))

    def refuse_post(self) -> None:
        self.channel.fail_post(MessageRefused("invalid_blocks"))


class OnSlack:
    def __init__(self, slack: SlackStandIn) -> None:
        self.slack = slack
        self.channel = slack_channel(lambda: "xoxb-devstack", "C0DEVSTACK", slack.base_url)

    def heard(self) -> list[Rendered]:
        top = (each for each in self.slack.messages if each.thread_ts is None)
        return [Rendered(each.text, each.blocks) for each in top]

    def files(self) -> list[tuple[str, str, bytes]]:
        files = (file for each in self.slack.messages for file in each.files)
        return [(each.name, each.title, each.content) for each in files]

    def break_post(self) -> None:
        self.slack.fail("chat.postMessage", Fault.refused("internal_error"))

    def break_attach(self) -> None:
        self.slack.fail("files.getUploadURLExternal", Fault.refused("internal_error"))

    def refuse_post(self) -> None:
        self.slack.fail("chat.postMessage", Fault.refused("invalid_blocks"))


@pytest.fixture(scope="module")
def slack() -> Iterator[SlackStandIn]:
    with serve_slack() as running:
        yield running


@pytest.fixture(params=["memory", "slack"])
def listener(request: pytest.FixtureRequest, slack: SlackStandIn) -> Listener:
    slack.reset()
    return InMemory() if request.param == "memory" else OnSlack(slack)


def test_what_is_posted_is_heard_in_order(listener: Listener) -> None:
    other = Rendered("nothing new", ())
    listener.channel.post(RENDERED)
    listener.channel.post(other)
    assert listener.heard() == [RENDERED, other]


def test_each_message_has_a_thread_of_its_own(listener: Listener) -> None:
    threads = [listener.channel.post(RENDERED) for _ in range(3)]
    assert all(threads)
    assert len(set(threads)) == 3


def test_a_file_comes_as_it_was_given(listener: Listener) -> None:
    thread = listener.channel.post(RENDERED)
    listener.channel.attach(thread, "findings.csv", "2 <new> & findings", b"\xef\xbb\xbf\x00\xff")
    assert listener.files() == [("findings.csv", "2 <new> & findings", b"\xef\xbb\xbf\x00\xff")]
    assert listener.heard() == [RENDERED]


def test_the_same_file_twice_is_two_files(listener: Listener) -> None:
    thread = listener.channel.post(RENDERED)
    ids = [listener.channel.attach(thread, "a.csv", "a", b"a") for _ in range(2)]
    assert len(set(ids)) == 2
    assert len(listener.files()) == 2


def test_a_post_that_failed_was_not_heard_and_may_be_tried_again(listener: Listener) -> None:
    listener.break_post()
    with pytest.raises(DeliveryError) as caught:
        listener.channel.post(RENDERED)
    assert (caught.value.code, caught.value.retryable) == ("internal_error", True)
    assert listener.heard() == []
    listener.channel.post(RENDERED)
    assert listener.heard() == [RENDERED]


def test_a_file_that_failed_may_be_tried_again(listener: Listener) -> None:
    thread = listener.channel.post(RENDERED)
    listener.break_attach()
    with pytest.raises(DeliveryError):
        listener.channel.attach(thread, "a.csv", "a", b"a")
    assert listener.files() == []
    listener.channel.attach(thread, "a.csv", "a", b"a")
    assert listener.files() == [("a.csv", "a", b"a")]


def test_a_refused_form_may_pass_in_a_plainer_one(listener: Listener) -> None:
    listener.refuse_post()
    with pytest.raises(MessageRefused):
        listener.channel.post(RENDERED)
    listener.channel.post(PLAIN)
    assert listener.heard() == [PLAIN]
