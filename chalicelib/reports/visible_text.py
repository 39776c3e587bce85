"""Makes text from scanned hosts harmless to look at: one line, in its own order, of a known length.

Titles, authors and comments may hold anything. Line breaks would forge lines of a
message or rows of a file, bidirectional controls would show text in another order than
it is, and NUL ends a cell in some programs.
"""

import unicodedata

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"


def visible(text: str) -> str:
    """White space becomes spaces, other controls U+FFFD, invisible format characters go.

    Every other character stays, in its place.
    """
    if text.isprintable():
        return text
    return text.translate({ord(character): _visible(character) for character in set(text)})


def _visible(character: str) -> str:
    if character.isspace():
        return " "
    match unicodedata.category(character):
        case "Cc" | "Cs":  # control characters, and halves of a pair that UTF-8 cannot hold
            return REPLACEMENT
        case "Cf":  # bidirectional controls, zero-width characters, tags
            return ""
        case _:
            return character


def one_line(text: str, longest: int) -> str:
    """Visible text with single spaces, cut to `longest` characters; never empty."""
    return cut(" ".join(visible(text).split()) or "(blank)", longest)


def cut(text: str, longest: int) -> str:
    """The text where it fits, else its beginning and an ellipsis: `longest` characters at most."""
    return text if len(text) <= longest else text[: longest - 1].rstrip() + ELLIPSIS
