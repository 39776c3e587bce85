"""Text from scanned hosts: harmless to show, and compared as people see it.

Titles, authors and comments may hold anything. Line breaks would forge lines of a
message or rows of a file, bidirectional controls would show text in another order,
and NUL ends a cell in some programs.
"""

import unicodedata

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"


def visible(text: str) -> str:
    """Replaces white space by spaces and controls by U+FFFD, and drops format characters.

    Every other character stays in its place.
    """
    if text.isprintable():
        return text
    return text.translate({ord(character): _replace(character) for character in set(text)})


def _replace(character: str) -> str:
    if character.isspace():
        return " "
    match unicodedata.category(character):
        case "Cc" | "Cs":  # control characters, and halves of a surrogate pair
            return REPLACEMENT
        case "Cf":  # bidirectional controls, zero-width characters, tags
            return ""
        case _:
            return character


def one_line(text: str, longest: int) -> str:
    """Returns visible text with single spaces, cut to `longest` characters; never empty."""
    return cut(" ".join(visible(text).split()) or "(blank)", longest)


def cut(text: str, longest: int) -> str:
    """Returns the text, or its beginning and an ellipsis: `longest` characters at most."""
    return text if len(text) <= longest else text[: longest - 1].rstrip() + ELLIPSIS
