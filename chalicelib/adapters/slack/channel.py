"""A Slack channel as the use cases see it; slack_sdk is imported by the first post."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from chalicelib.adapters.slack.codes import TOKEN_CODES
from chalicelib.adapters.slack.errors import UNREADABLE, delivery_errors
from chalicelib.domain.errors import DeliveryError

if TYPE_CHECKING:
    from collections.abc import Callable

    from slack_sdk import WebClient

    from chalicelib.domain.message import Rendered

# Seconds for one request, of which a post makes one and a file three
TIMEOUT: Final = 10
# Seconds: a longer Retry-After is left to the next pass, a shorter one is waited for, once
LONGEST_WAIT: Final = 30.0


class SlackChannel:
    """`Channel`: one channel, by its ID, which files need.

    `connect` makes a client at the first use, and again after Slack has refused
    the token, so a new token counts from the next post on.
    """

    def __init__(self, connect: Callable[[], WebClient], channel: str) -> None:
        self._connect = connect
        self._channel = channel
        self._client: WebClient | None = None

    def post(self, rendered: Rendered) -> str:
        """Post a message; its thread id is Slack's `ts`."""

        def send(client: WebClient) -> str:
            answer = client.chat_postMessage(
                channel=self._channel,
                text=rendered.text,
                blocks=[dict(block) for block in rendered.blocks] or None,
                # Titles come from scanned hosts: nothing in them becomes a link or a mention
                parse="none",
                link_names=False,
                unfurl_links=False,
                unfurl_media=False,
            )
            return _receipt(answer.get("ts"))

        return self._call(send)

    def attach(self, thread: str, name: str, title: str, content: bytes) -> str:
        """Put a file into the thread: an upload address, the bytes, then the sharing."""

        def send(client: WebClient) -> str:
            answer = client.files_upload_v2(
                channel=self._channel,
                thread_ts=thread,
                filename=name,
                title=title,
                content=content,
            )
            return _receipt((answer.get("file") or {}).get("id"))

        return self._call(send)

    def _call(self, send: Callable[[WebClient], str]) -> str:
        client = self._client = self._client or self._connect()
        try:
            with delivery_errors():
                return send(client)
        except DeliveryError as error:
            if error.code in TOKEN_CODES:
                self._client = None
            raise


def _receipt(value: object) -> str:
    """The id that proves an acceptance; an answer without one is as good as lost."""
    if not isinstance(value, str) or not value:
        raise DeliveryError(UNREADABLE, retryable=True)
    return value


def slack_channel(
    token: Callable[[], str],
    channel: str,
    base_url: str,
    *,
    longest_wait: float = LONGEST_WAIT,
    sleep: Callable[[float], None] = time.sleep,
) -> SlackChannel:
    """The channel behind a bot token.

    `token` is asked for each new client, so it should not answer from a cache.
    """

    def connect() -> WebClient:
        # slack_sdk takes 40 ms to import, and most passes have nothing to post
        from chalicelib.adapters.slack.client import web_client  # noqa: PLC0415

        return web_client(token, base_url, TIMEOUT, longest_wait, sleep)

    return SlackChannel(connect, channel)
