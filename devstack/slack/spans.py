"""Pieces of formatted text: what mrkdwn and rich text come to, whoever then shows them."""

from dataclasses import dataclass
from enum import StrEnum


class Style(StrEnum):
    """How a span looks; PING is a mention that notifies the whole channel."""

    BOLD = "bold"
    ITALIC = "italic"
    STRIKE = "strike"
    CODE = "code"
    PRE = "pre"
    QUOTE = "quote"
    MENTION = "mention"
    PING = "ping"


@dataclass(frozen=True, slots=True)
class Span:
    """Text as a reader sees it, unescaped, with its styles and the target of its link."""

    text: str
    styles: frozenset[Style] = frozenset()
    url: str | None = None
