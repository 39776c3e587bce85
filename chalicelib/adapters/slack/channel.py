"""A Slack channel as the use cases see it. The first post imports slack_sdk."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from chalicelib.adapters.slack.codes import TOKEN_CODES, UNREADABLE
from chalicelib.domain.errors import DeliveryError

if TYPE_CHECKING:
    from collections.abc import Callable

    from slack_sdk import WebClient

    from chalicelib.domain.message import Rendered

# Seconds for one request. A post makes one, a file three.
TIMEOUT: Final = 10
# Seconds. A longer Retry-After is left to the next scan, a shorter one is waited for, once.
LONGEST_WAIT: Final = 30.0


class SlackChannel:
    """`Channel`: one channel, by its ID, which file uploads need.

    `connect` makes a client on first use, and again after Slack has refused the
    token. So a new token counts from the next post on.
    """

    def __init__(self, connect: Callable[[], WebClient], channel: str) -> None:
        self._connect = connect
        self._channel = channel
        self._client: WebClient | None = None

    def post(self, rendered: Rendered, thread: str | None = None) -> str:
        """Posts a message. Its thread id is Slack's `ts`."""

        def send(client: WebClient) -> str:
            answer = client.chat_postMessage(
                channel=self._channel,
                text=rendered.text,
                blocks=[dict(block) for block in rendered.blocks] or None,
                thread_ts=thread,
                # titles come from scanned hosts: nothing in them may become a link or a mention
                parse="none",
                link_names=False,
                unfurl_links=False,
                unfurl_media=False,
            )
            return _require_receipt(answer.get("ts"))

        return self._call(send)

    def attach(self, thread: str | None, name: str, title: str, content: bytes) -> str:
        """Puts a file into the thread or the channel, in three requests: address, bytes, share."""

        def send(client: WebClient) -> str:
            answer = client.files_upload_v2(
                channel=self._channel,
                thread_ts=thread,
                filename=name,
                title=title,
                content=content,
            )
            return _require_receipt((answer.get("file") or {}).get("id"))

        return self._call(send)

    def _call(self, send: Callable[[WebClient], str]) -> str:
        client = self._client = self._client or self._connect()
        # connecting has imported it
        from chalicelib.adapters.slack.client import translate_errors  # noqa: PLC0415

        try:
            with translate_errors():
                return send(client)
        except DeliveryError as error:
            if error.code in TOKEN_CODES:
                self._client = None
            raise


def _require_receipt(value: object) -> str:
    """Returns the id that proves that Slack accepted. An answer without one counts as lost."""
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
    """Builds the channel behind a bot token. `token` is read anew for each client."""

    def connect() -> WebClient:
        # slack_sdk takes 40 ms to import, and most invocations post nothing
        from chalicelib.adapters.slack.client import web_client  # noqa: PLC0415

        return web_client(token, base_url, TIMEOUT, longest_wait, sleep)

    return SlackChannel(connect, channel)
