"""Prints the channel in a terminal, the replies of a thread indented under their parent."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from devstack.slack.model import File, Message
from devstack.slack.mrkdwn import parse_mrkdwn
from devstack.slack.terminal_blocks import render_block
from devstack.slack.terminal_text import printable, to_text

_INDENT = 4


def transcript(messages: Iterable[Message]) -> Group:
    """Give a renderable for `rich.console.Console.print`.

    Nothing in a message is read as rich markup, and no control character of a message
    reaches the terminal.
    """
    listed = tuple(messages)
    parts: list[RenderableType] = []
    for message in listed:
        if message.thread_ts is None:
            parts += [*_message(message), ""]
            replies = (each for each in listed if each.thread_ts == message.ts)
            for reply in replies:
                parts.append(Padding(Group(*_message(reply), ""), (0, 0, 0, _INDENT)))
    return Group(*parts)


def _message(message: Message) -> Iterator[RenderableType]:
    time = datetime.fromtimestamp(float(message.ts), UTC)
    sign = "#" if message.thread_ts is None else "↳"
    edited = " (edited)" if message.edited else ""
    yield Text(f"{sign} {time:%Y-%m-%d %H:%M:%S} UTC{edited}", "dim")
    for block in message.blocks:
        yield render_block(block)
    if message.text and not message.blocks:
        yield to_text(parse_mrkdwn(message.text))
    for file in message.files:
        yield _file(file)


def _file(file: File) -> Text:
    title = (printable(file.title), "bold")
    about = f" ({printable(file.name)}, {file.size:,} bytes)"
    return Text.assemble("📎 ", title, about, f"\n   {printable(file.permalink)}")
