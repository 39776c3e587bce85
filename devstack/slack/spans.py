"""Formatted text as spans: mrkdwn and rich text end here, page and terminal start here."""

import re
from dataclasses import dataclass
from enum import StrEnum


class Style(StrEnum):
    """The look of a span. PING is a mention that notifies more than one person."""

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
    """Unescaped text, its styles, and the target of its link."""

    text: str
    styles: frozenset[Style] = frozenset()
    url: str | None = None


_NAME = re.compile(r":([a-z0-9_+\-]{1,50}):")

# The emoji that this project uses, by their names in Slack.
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
    """Replace each known `:name:` by its emoji. Unknown names stay."""
    return _NAME.sub(lambda match: _EMOJI.get(match[1], match[0]), text)
