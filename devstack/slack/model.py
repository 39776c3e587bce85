"""The messages and files of the channel, and the JSON that carries them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import msgspec

Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class File:
    """A shared file.

    `size` is in bytes, and `permalink` downloads the file. JSON carries no `content`: a file
    read from JSON has empty content.
    """

    id: str
    name: str
    title: str
    mimetype: str
    size: int
    permalink: str
    content: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Message:
    """A message of the channel.

    `ts` is both Slack's id and the time: seconds since 1970 with six decimals. `thread_ts` is
    the `ts` of the parent for a reply, and None for a message in the channel itself. `blocks`
    are valid Block Kit. If there are blocks, `text` is the fallback for notifications.
    """

    ts: str
    channel: str
    user: str
    text: str
    blocks: tuple[Json, ...]
    thread_ts: str | None = None
    files: tuple[File, ...] = ()
    edited: bool = False


def encode_messages(messages: tuple[Message, ...]) -> list[Json]:
    """Return messages as JSON, without the content of their files."""
    return [_drop_content(msgspec.to_builtins(message)) for message in messages]


def decode_messages(messages: list[Mapping[str, Any]]) -> tuple[Message, ...]:
    """Read the output of `encode_messages`, or raise `msgspec.ValidationError`."""
    return msgspec.convert(messages, type=tuple[Message, ...])


def _drop_content(message: Json) -> Json:
    files = [{k: v for k, v in file.items() if k != "content"} for file in message["files"]]
    return {**message, "files": files}
