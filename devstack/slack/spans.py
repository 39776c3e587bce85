"""Pieces of formatted text: what mrkdwn and rich text come to, whoever then shows them."""

import re
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


_NAMED = re.compile(r":([a-z0-9_+\-]{1,50}):")

_EMOJI = {
    "alarm_clock": "⏰",
    "arrow_down": "⬇️",
    "arrow_up": "⬆️",
    "bell": "🔔",
    "calendar": "📆",
    "checkered_flag": "🏁",
    "exclamation": "❗",
    "eyes": "👀",
    "file_folder": "📁",
    "fire": "🔥",
    "hourglass": "⌛",
    "information_source": "\N{INFORMATION SOURCE}\N{VARIATION SELECTOR-16}",
    "large_green_circle": "🟢",
    "large_orange_circle": "🟠",
    "large_red_square": "🟥",
    "large_yellow_circle": "🟡",
    "lock": "🔒",
    "mag": "🔍",
    "mute": "🔇",
    "new": "🆕",
    "no_bell": "🔕",
    "page_facing_up": "📄",
    "paperclip": "📎",
    "question": "❓",
    "red_circle": "🔴",
    "rotating_light": "🚨",
    "shield": "🛡️",
    "skull": "💀",
    "tada": "🎉",
    "warning": "⚠️",
    "white_check_mark": "✅",
    "white_circle": "⚪",
    "x": "❌",
    "zzz": "💤",
}


def replace_emoji(text: str) -> str:
    """Put the emoji in place of each known `:name:`."""
    return _NAMED.sub(lambda match: _EMOJI.get(match[1], match[0]), text)
