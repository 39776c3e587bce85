"""Text from scanned hosts: harmless to show, and compared as people see it.

Titles, authors and comments may hold anything. Line breaks would forge lines of a
message or rows of a file, bidirectional controls would show text in another order,
NUL ends a cell in some programs, and a title can quote a password.
"""

import re
import unicodedata
from functools import lru_cache

from msgspec import Struct

from chalicelib.domain.secrets import HINTS, mask_secrets

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"


def visible(text: str) -> str:
    """Returns text as people see it. Visible text stays as it is.

    White space becomes spaces, controls become U+FFFD, format characters are dropped, and
    passwords and tokens are masked. Every other character stays in its place; a text with
    anything to mask gets single spaces, because runs of them must not hide it.
    """
    shown = _show_controls(text)
    folded = " ".join(shown.split()) if "  " in shown else shown
    if not HINTS.search(folded.lower()):
        return shown
    masked = mask_secrets(folded)
    return shown if masked == folded else masked


def _show_controls(text: str) -> str:
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
    """Returns the text, or its beginning and an ellipsis: `longest` characters at most.

    No accent is cut from its letter.
    """
    if len(text) <= longest:
        return text
    end = longest - 1
    while end and unicodedata.combining(text[end]):
        end -= 1
    return text[:end].rstrip() + ELLIPSIS


# Our CSV puts an apostrophe before a formula, at the start of a cell or after a semicolon.
_GUARDS = re.compile(r"(^|;)'+")
# Titles to remember: more than a large fleet has.
_KNOWN_TITLES = 32_768
_KNOWN_PATTERNS = 1_024


@lru_cache(maxsize=_KNOWN_TITLES)
def match_key(text: str) -> str:
    """Returns the form by which titles are compared: what people take for one title has one key.

    It is the visible text without the apostrophes that our CSV adds, in Unicode NFC, case
    folded, with single spaces and no space at its ends. The key of a key is itself.
    """
    return _fold(visible(text))


def cut_key(text: str) -> str | None:
    """Returns the key of the beginning that a cut text shows; None if it does not end as one.

    What is left of a mask, or of a word that is no secret, is not masked again.
    """
    shown = _show_controls(text).rstrip()
    return _fold(shown.rstrip(ELLIPSIS)) if shown.endswith(ELLIPSIS) else None


def has_part(text: str, part: str) -> bool:
    """Whether a text contains another one, compared by keys. A part that was cut is a beginning."""
    key = cut_key(part)
    return (match_key(part) if key is None else key) in match_key(text)


def _fold(text: str) -> str:
    before, key = None, " ".join(_fold_case(text).split())
    while key != before:
        before, key = key, _GUARDS.sub(r"\1", key).strip()
    return key


def _fold_case(text: str) -> str:
    """Folds case as in Unicode's canonical caseless matching (D145), and composes."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFD", text).casefold()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", decomposed).casefold())


class TextPattern(Struct, frozen=True):
    """A text in which `*` stands for any text, also none. It is matched part by part.

    parts: what is between the stars, as keys; one part is the whole text · longest: the
    longest of them, which a text must contain.
    """

    parts: tuple[str, ...]
    longest: str

    @classmethod
    @lru_cache(maxsize=_KNOWN_PATTERNS)
    def of(cls, text: str) -> "TextPattern":
        """Reads a pattern. Stars that follow each other are one. Nothing in it is masked."""
        first, *rest = _fold(_show_controls(text)).split("*")
        if not rest:
            return cls((first,), first)
        *middle, last = rest
        parts = (first, *filter(None, middle), last)
        return cls(parts, max(parts, key=len))

    @classmethod
    def of_prefix(cls, key: str) -> "TextPattern":
        """Returns the pattern of everything that begins with a key (`cut_key`)."""
        return cls((key, ""), key)

    def matches(self, key: str) -> bool:
        """Whether it matches a text with this match key, in time linear to its length."""
        first, last = self.parts[0], self.parts[-1]
        if len(self.parts) == 1:
            return key == first
        at, end = len(first), len(key) - len(last)
        if at > end or not (key.startswith(first) and key.endswith(last)):
            return False
        for part in self.parts[1:-1]:
            at = key.find(part, at, end)
            if at < 0:
                return False
            at += len(part)
        return True
