"""What stands in the channel: messages and their files, and the JSON that carries them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import msgspec

Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class File:
    """A shared file.

    `size` is in bytes; `permalink` downloads it. `content` is empty in a file that came
    through JSON: the bytes stay behind the permalink.
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
    """A message as the channel holds it.

    `ts` is Slack's id and time at once: seconds since 1970, six decimals. `thread_ts` is the
    `ts` of the parent in a thread reply and None in the channel. `blocks` have passed the
    checks of Block Kit; beside blocks, `text` is the fallback that notifications show.
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
    """Write messages without the bytes of their files."""
    return [_without_content(msgspec.to_builtins(message)) for message in messages]


def decode_messages(messages: list[Mapping[str, Any]]) -> tuple[Message, ...]:
    """Read what `messages_to_json` wrote; anything else is a `msgspec.ValidationError`."""
    return msgspec.convert(messages, type=tuple[Message, ...])


def _without_content(message: Json) -> Json:
    files = [{k: v for k, v in file.items() if k != "content"} for file in message["files"]]
    return {**message, "files": files}
