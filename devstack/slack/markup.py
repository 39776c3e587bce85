"""Parses the text of messages as Slack does: mrkdwn and rich text become spans.

An unescaped `<!channel>` becomes a ping, so that the page and the tests show it. The rules of
mrkdwn are those of docs.slack.dev/messaging/formatting-message-text.
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
    """Return the spans of a mrkdwn text. Anything but markup stays text."""
    spans: list[Span] = []
    for index, part in enumerate(_FENCED.split(text)):
        fenced = index % 2 == 1
        spans += _parse_code(part, frozenset({Style.PRE})) if fenced else _parse_lines(part)
    return tuple(spans)


def _parse_lines(text: str) -> Iterator[Span]:
    for line in text.splitlines(keepends=True):
        quote = _QUOTE.match(line)
        if quote:
            yield from _parse_inline(line[quote.end() :], frozenset({Style.QUOTE}))
        else:
            yield from _parse_inline(line, _NONE)


def _parse_inline(text: str, styles: frozenset[Style]) -> Iterator[Span]:
    end = 0
    for match in _INLINE.finditer(text):
        yield from _parse_plain(text[end : match.start()], styles)
        yield from _parse_match(str(match.lastgroup), str(match[str(match.lastgroup)]), styles)
        end = match.end()
    yield from _parse_plain(text[end:], styles)


def _parse_match(kind: str, inner: str, styles: frozenset[Style]) -> Iterator[Span]:
    if kind == "code":
        yield from _parse_code(inner, styles | {Style.CODE})
    elif kind == "angle":
        yield _parse_reference(inner, styles)
    elif kind == "url":
        yield Span(_unescape(inner), styles, _unescape(inner))
    else:
        yield from _parse_inline(inner, styles | {_STYLED[kind]})


def _parse_code(text: str, styles: frozenset[Style]) -> Iterator[Span]:
    """Slack resolves references in code too, but no other markup."""
    end = 0
    for match in _ANGLES_ONLY.finditer(text):
        yield Span(_unescape(text[end : match.start()]), styles)
        yield _parse_reference(match["angle"], styles)
        end = match.end()
    yield Span(_unescape(text[end:]), styles)


def _parse_reference(inner: str, styles: frozenset[Style]) -> Span:
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


def _parse_plain(text: str, styles: frozenset[Style]) -> Iterator[Span]:
    if text:
        yield Span(_unescape(replace_emoji(text)), styles)


def _unescape(text: str) -> str:
    """Undo the three escapes of Slack."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


_BLOCK_STYLES = {
    "rich_text_quote": frozenset({Style.QUOTE}),
    "rich_text_preformatted": frozenset({Style.PRE}),
}
_TEXT_STYLES = frozenset({Style.BOLD, Style.ITALIC, Style.STRIKE, Style.CODE})


def parse_rich_text(block: Json) -> tuple[Span, ...]:
    """Return the spans of a valid rich_text block, with line breaks between its paragraphs."""
    spans: list[Span] = []
    for container in block["elements"]:
        if spans:
            spans.append(Span("\n"))
        spans += _parse_container(container)
    return tuple(spans)


def _parse_container(container: Json) -> Iterator[Span]:
    if container["type"] == "rich_text_list":
        for number, item in enumerate(container["elements"], start=1):
            bullet = f"{number}. " if container.get("style") == "ordered" else "• "
            yield Span(bullet if number == 1 else f"\n{bullet}")
            yield from _parse_container(item)
        return
    styles = _BLOCK_STYLES.get(container["type"], frozenset())
    for element in container["elements"]:
        yield _parse_element(element, styles)


def _parse_element(element: Json, around: frozenset[Style]) -> Span:
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
    """Return the spans of a text object, a table cell, or a rich_text or markdown block.

    Only mrkdwn and rich text have markup. Plain text shows emoji. Raw text is literal. So is
    a markdown block, unlike in Slack.
    """
    if value["type"] == "mrkdwn":
        return parse_mrkdwn(value["text"])
    if value["type"] == "rich_text":
        return parse_rich_text(value)
    if value["type"] == "plain_text" and value.get("emoji", True):
        return (Span(replace_emoji(value["text"])),)
    return (Span(value["text"]),)
