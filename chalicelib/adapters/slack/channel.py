"""A Slack channel as the use cases see it. The first post imports slack_sdk."""

from __future__ import annotations

import re
import time
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from chalicelib.adapters.slack.codes import TOKEN_CODES, UNREADABLE
from chalicelib.domain.errors import DeliveryError, ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from slack_sdk import WebClient

    from chalicelib.reports.slack_blocks import Rendered

# Seconds for one request. A post makes one, a file three.
TIMEOUT: Final = 10
# Seconds. A longer Retry-After is left to the next scan, a shorter one is waited for, once.
LONGEST_WAIT: Final = 30.0
# Visible ASCII, as an HTTP header takes it. http.client quotes any other token in its error.
_TOKEN = re.compile(r"[!-~]+")
# Hexadecimal digits of an identity.
_IDENTITY: Final = 16


class SlackChannel:
    """`Channel`: one channel, by its ID, which file uploads need.

    `connect` makes a client for the token on first use, and again after Slack has
    refused the token or `identity` has read another one. So a new token counts
    from the next post on.
    """

    def __init__(
        self, channel_id: str, token: Callable[[], str], connect: Callable[[str], WebClient]
    ) -> None:
        self._id = channel_id
        self._token = token
        self._connect = connect
        self._client: WebClient | None = None

    @property
    def id(self) -> str:
        """The channel's ID."""
        return self._id

    def identity(self) -> str:
        """Returns 16 hexadecimal digits that change with the channel and with the token.

        Reads the token, so that a new one shows. Raises `DeliveryError` for an
        unreadable or malformed one.
        """
        token = _read_token(self._token)
        if self._client is not None and self._client.token != token:
            self._client = None
        return sha256(f"{self._id}\n{token}".encode()).hexdigest()[:_IDENTITY]

    def post(self, rendered: Rendered, thread: str | None = None) -> str:
        """Posts a message. Its thread id is Slack's `ts`.

        If the first message of the thread is deleted, Slack does not refuse a reply:
        it posts the reply into the channel.
        """

        def send(client: WebClient) -> str:
            answer = client.chat_postMessage(
                channel=self._id,
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

        return self._call(send, in_thread=thread is not None, of_file=False)

    def attach(self, thread: str | None, name: str, title: str, content: bytes) -> str:
        """Puts a file into the thread or the channel, in three requests: address, bytes, share.

        Only the third names channel and thread. If Slack refuses them, it has the
        bytes already. It shows them to nobody and discards them.
        """

        def send(client: WebClient) -> str:
            answer = client.files_upload_v2(
                channel=self._id,
                thread_ts=thread,
                filename=name,
                title=title,
                content=content,
            )
            return _require_receipt((answer.get("file") or {}).get("id"))

        return self._call(send, in_thread=thread is not None, of_file=True)

    def _call(self, send: Callable[[WebClient], str], *, in_thread: bool, of_file: bool) -> str:
        client = self._client = self._client or self._connect(_read_token(self._token))
        # connecting has imported it
        from chalicelib.adapters.slack.client import translate_errors  # noqa: PLC0415

        try:
            with translate_errors(in_thread=in_thread, of_file=of_file):
                return send(client)
        except DeliveryError as error:
            if error.code in TOKEN_CODES:
                self._client = None
            raise


def _read_token(token: Callable[[], str]) -> str:
    """Returns the token, or raises `DeliveryError`: the message waits and the scan goes on."""
    try:
        value = token().strip()
    except ServiceError as error:
        hint = "" if error.retryable else str(error)
        raise DeliveryError("token_unreadable", retryable=error.retryable, hint=hint) from error
    if not _TOKEN.fullmatch(value):
        hint = "put one bot token, xoxb-…, into the parameter that SLACK_TOKEN_PARAMETER names"
        raise DeliveryError("token_malformed", retryable=False, hint=hint)
    return value


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

    def connect(token: str) -> WebClient:
        # slack_sdk takes 40 ms to import, and most invocations post nothing
        from chalicelib.adapters.slack.client import web_client  # noqa: PLC0415

        return web_client(token, base_url, TIMEOUT, longest_wait, sleep)

    return SlackChannel(channel, token, connect)
