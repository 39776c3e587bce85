"""Reads Slack's mrkdwn as Slack does, so that an unescaped `<!channel>` is seen to ping.

Formatting as on docs.slack.dev/messaging/formatting-message-text.
"""

import re
from collections.abc import Iterator

from devstack.slack.model import Json
from devstack.slack.spans import Span, Style, replace_emoji

_FENCED = re.compile(r"```\n?(.+?)\n?```", re.DOTALL)
_QUOTE = re.compile(r"(?:>|&gt;) ?")
_ANGLE = r"<(?P<angle>[^<>\n]+)>"
_ANGLES_ONLY = re.compile(_ANGLE)
_INLINE = re.compile(
    rf"""
    `(?P<code>[^`\n]+)`
    | {_ANGLE}
    | (?P<url>https?://[^\s<>|]*[^\s<>|.,;:!?()\[\]'"*_~`])
    | (?<![\w*])\*(?P<bold>[^\s*](?:[^*\n]*[^\s*])?)\*(?![\w*])
    | (?<![\w_])_(?P<italic>[^\s_](?:[^_\n]*[^\s_])?)_(?![\w_])
    | (?<![\w~])~(?P<strike>[^\s~](?:[^~\n]*[^\s~])?)~(?![\w~])
    """,
    re.VERBOSE,
)
_STYLED = {"bold": Style.BOLD, "italic": Style.ITALIC, "strike": Style.STRIKE}
_CHANNEL_WIDE = frozenset({"!channel", "!here", "!everyone"})
_LINKED = ("https://", "http://", "mailto:")
_NONE: frozenset[Style] = frozenset()


def parse_mrkdwn(text: str) -> tuple[Span, ...]:
    """Give the spans of a mrkdwn text; what is no markup stays as text."""
    spans: list[Span] = []
    for index, part in enumerate(_FENCED.split(text)):
        fenced = index % 2 == 1
        spans += _in_code(part, frozenset({Style.PRE})) if fenced else _lines(part)
    return tuple(spans)


def _lines(text: str) -> Iterator[Span]:
    for line in text.splitlines(keepends=True):
        quote = _QUOTE.match(line)
        if quote:
            yield from _inline(line[quote.end() :], frozenset({Style.QUOTE}))
        else:
            yield from _inline(line, _NONE)


def _inline(text: str, styles: frozenset[Style]) -> Iterator[Span]:
    end = 0
    for match in _INLINE.finditer(text):
        yield from _plain(text[end : match.start()], styles)
        yield from _marked(str(match.lastgroup), str(match[str(match.lastgroup)]), styles)
        end = match.end()
    yield from _plain(text[end:], styles)


def _marked(kind: str, inner: str, styles: frozenset[Style]) -> Iterator[Span]:
    if kind == "code":
        yield from _in_code(inner, styles | {Style.CODE})
    elif kind == "angle":
        yield _reference(inner, styles)
    elif kind == "url":
        yield Span(_unescape(inner), styles, _unescape(inner))
    else:
        yield from _inline(inner, styles | {_STYLED[kind]})


def _in_code(text: str, styles: frozenset[Style]) -> Iterator[Span]:
    """Resolve references, which work in code too, and nothing else."""
    end = 0
    for match in _ANGLES_ONLY.finditer(text):
        yield Span(_unescape(text[end : match.start()]), styles)
        yield _reference(match["angle"], styles)
        end = match.end()
    yield Span(_unescape(text[end:]), styles)


def _reference(inner: str, styles: frozenset[Style]) -> Span:
    target, _, label = inner.partition("|")
    label = _unescape(label)
    if target in _CHANNEL_WIDE:
        return Span(f"@{target[1:]}", styles | {Style.PING})
    if target.startswith("!subteam^"):
        return Span(label or "@user-group", styles | {Style.PING})
    if target.startswith("!date^"):
        return Span(label, styles)
    if target.startswith(("@U", "@W", "#C")):
        return Span(f"{target[0]}{label or target[1:]}", styles | {Style.MENTION})
    if target.startswith(_LINKED):
        url = _unescape(target)
        return Span(label or url.removeprefix("mailto:"), styles, url)
    return Span(f"<{_unescape(inner)}>", styles)


def _plain(text: str, styles: frozenset[Style]) -> Iterator[Span]:
    if text:
        yield Span(_unescape(replace_emoji(text)), styles)


def _unescape(text: str) -> str:
    """Undo the three escapes that Slack knows."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


_BLOCK_STYLES = {
    "rich_text_quote": frozenset({Style.QUOTE}),
    "rich_text_preformatted": frozenset({Style.PRE}),
}
_TEXT_STYLES = frozenset({Style.BOLD, Style.ITALIC, Style.STRIKE, Style.CODE})


def parse_rich_text(block: Json) -> tuple[Span, ...]:
    """Give the spans of a rich_text block that has passed the checks."""
    spans: list[Span] = []
    for container in block["elements"]:
        if spans:
            spans.append(Span("\n"))
        spans += _container(container)
    return tuple(spans)


def _container(container: Json) -> Iterator[Span]:
    if container["type"] == "rich_text_list":
        for number, item in enumerate(container["elements"], start=1):
            bullet = f"{number}. " if container.get("style") == "ordered" else "• "
            yield Span(bullet if number == 1 else f"\n{bullet}")
            yield from _container(item)
        return
    styles = _BLOCK_STYLES.get(container["type"], frozenset())
    for element in container["elements"]:
        yield _element(element, styles)


def _element(element: Json, around: frozenset[Style]) -> Span:
    wanted = element.get("style") or {}
    styles = around | {style for style in _TEXT_STYLES if wanted.get(style.value)}
    kind = element["type"]
    if kind == "link":
        return Span(str(element.get("text") or element.get("url")), styles, element.get("url"))
    if kind == "emoji":
        return Span(replace_emoji(f":{element.get('name')}:"), styles)
    if kind == "broadcast":
        return Span(f"@{element.get('range')}", styles | {Style.PING})
    if kind == "user":
        return Span(f"@{element.get('user_id')}", styles | {Style.MENTION})
    if kind == "channel":
        return Span(f"#{element.get('channel_id')}", styles | {Style.MENTION})
    return Span(str(element.get("text", "")), styles)


def parse_spans(value: Json) -> tuple[Span, ...]:
    """Read a text object, a table cell, or a rich_text or markdown block.

    Only mrkdwn and rich text have markup here: plain text keeps its `<` and `*` and shows
    emoji, raw text is literal, and so, unlike in Slack, is a markdown block.
    """
    if value["type"] == "mrkdwn":
        return parse_mrkdwn(value["text"])
    if value["type"] == "rich_text":
        return parse_rich_text(value)
    if value["type"] == "plain_text" and value.get("emoji", True):
        return (Span(replace_emoji(value["text"])),)
    return (Span(value["text"]),)
