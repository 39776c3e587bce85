"""Writes spans as rich text for a terminal, from which no hostile character escapes."""

import unicodedata
from collections.abc import Iterable

from rich.text import Text

from devstack.slack.spans import Span, Style

# Control characters, invisible format characters (bidi overrides among them), halves of
# surrogate pairs, line and paragraph separators
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
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


def printable(text: str) -> str:
    r"""Name each character that a terminal would obey, such as <U+001B>; \n stays."""
    return "".join(
        f"<U+{ord(each):04X}>"
        if unicodedata.category(each) in _UNPRINTABLE and each != "\n"
        else each
        for each in text
    )


def to_text(spans: Iterable[Span]) -> Text:
    """Give the spans as one text, the target of a link after its words."""
    text = Text()
    for span in spans:
        style = " ".join(_LOOKS[style] for style in sorted(span.styles))
        text.append(printable(span.text), style)
        if span.url is not None and span.url != span.text:
            text.append(f" ({printable(span.url)})", "dim")
    return text
