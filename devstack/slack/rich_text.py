"""Reads a rich_text block into spans, paragraphs and list items divided by line breaks."""

from collections.abc import Iterator

from devstack.slack.emoji import with_emoji
from devstack.slack.model import Json
from devstack.slack.spans import Span, Style

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
        return Span(with_emoji(f":{element.get('name')}:"), styles)
    if kind == "broadcast":
        return Span(f"@{element.get('range')}", styles | {Style.PING})
    if kind == "user":
        return Span(f"@{element.get('user_id')}", styles | {Style.MENTION})
    if kind == "channel":
        return Span(f"#{element.get('channel_id')}", styles | {Style.MENTION})
    return Span(str(element.get("text", "")), styles)
