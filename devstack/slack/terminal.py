"""Renders the channel for a terminal, safe against hostile characters in messages."""

import unicodedata
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from devstack.slack.markup import parse_mrkdwn, parse_spans
from devstack.slack.model import File, Json, Message
from devstack.slack.spans import Span, Style

# Control characters, invisible format characters such as bidi overrides, halves of surrogate
# pairs, line and paragraph separators.
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_INDENT = 4
_LOOKS = {
    Style.BOLD: "bold",
    Style.ITALIC: "italic",
    Style.STRIKE: "strike",
    Style.CODE: "red",
    Style.PRE: "red",
    Style.QUOTE: "dim",
    Style.MENTION: "blue",
    Style.PING: "black on yellow",
}


def escape_controls(text: str) -> str:
    r"""Replace each character that a terminal obeys by its name, such as <U+001B>. \n stays."""
    return "".join(
        f"<U+{ord(each):04X}>"
        if unicodedata.category(each) in _UNPRINTABLE and each != "\n"
        else each
        for each in text
    )


def render_text(spans: Iterable[Span]) -> Text:
    """Return spans as one text. The target of a link follows its label."""
    text = Text()
    for span in spans:
        style = " ".join(_LOOKS[style] for style in sorted(span.styles))
        text.append(escape_controls(span.text), style)
        if span.url is not None and span.url != span.text:
            text.append(f" ({escape_controls(span.url)})", "dim")
    return text


def render_block(block: Json) -> RenderableType:
    """Render a valid block."""
    render = _RENDERERS.get(block["type"], _render_text)
    return render(block)


def _render_text(value: Json) -> Text:
    return render_text(parse_spans(value))


def _render_header(block: Json) -> Text:
    return Text(_render_text(block["text"]).plain, "bold underline")


def _render_section(block: Json) -> Group:
    parts: list[RenderableType] = []
    if "text" in block:
        parts.append(_render_text(block["text"]))
    if "fields" in block:
        grid = Table.grid(padding=(0, 4))
        fields = [_render_text(field) for field in block["fields"]]
        for left in range(0, len(fields), 2):
            grid.add_row(*fields[left : left + 2])
        parts.append(grid)
    return Group(*parts)


def _render_context(block: Json) -> Text:
    text = Text("  ").join(_render_text(element) for element in block["elements"])
    text.stylize_before("dim")
    return text


def _render_actions(block: Json) -> Text:
    labels = [_render_text(element["text"]) for element in block["elements"]]
    return Text("  ").join(Text.assemble("[", label, "]") for label in labels)


def _render_table(block: Json) -> Table:
    header, *rows = [[_render_text(cell) for cell in row] for row in block["rows"]]
    settings = [each or {} for each in block.get("column_settings", [])]
    table = Table(box=box.ROUNDED)
    for index, title in enumerate(header):
        setting = settings[index] if index < len(settings) else {}
        table.add_column(title, justify=setting.get("align", "left"), overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def _render_divider(_block: Json) -> Rule:
    return Rule(style="dim")


_RENDERERS: dict[str, Callable[[Json], RenderableType]] = {
    "header": _render_header,
    "section": _render_section,
    "context": _render_context,
    "actions": _render_actions,
    "table": _render_table,
    "divider": _render_divider,
}


def render_transcript(messages: Iterable[Message]) -> Group:
    """Return a renderable of the channel, replies indented under their parent.

    rich reads no markup in a message, and no control character of a message reaches the
    terminal.
    """
    listed = tuple(messages)
    parts: list[RenderableType] = []
    for message in listed:
        if message.thread_ts is None:
            parts += [*_render_message(message), ""]
            replies = (each for each in listed if each.thread_ts == message.ts)
            for reply in replies:
                parts.append(Padding(Group(*_render_message(reply), ""), (0, 0, 0, _INDENT)))
    return Group(*parts)


def _render_message(message: Message) -> Iterator[RenderableType]:
    time = datetime.fromtimestamp(float(message.ts), UTC)
    sign = "#" if message.thread_ts is None else "↳"
    edited = " (edited)" if message.edited else ""
    yield Text(f"{sign} {time:%Y-%m-%d %H:%M:%S} UTC{edited}", "dim")
    for block in message.blocks:
        yield render_block(block)
    if message.text and not message.blocks:
        yield render_text(parse_mrkdwn(message.text))
    for file in message.files:
        yield _render_file(file)


def _render_file(file: File) -> Text:
    title = (escape_controls(file.title), "bold")
    about = f" ({escape_controls(file.name)}, {file.size:,} bytes)"
    return Text.assemble("📎 ", title, about, f"\n   {escape_controls(file.permalink)}")
