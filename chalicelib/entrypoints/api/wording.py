"""Says what a field takes, and which right value somebody may have meant.

Every text follows from the type of the field: its members, limits and description. So a new enum or
a new limit needs no text of its own.
"""

import difflib
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct, inspect

from chalicelib.domain.text import ELLIPSIS, visible
from chalicelib.entrypoints.api.durations import explain_duration
from chalicelib.entrypoints.api.requests import Duration, describe_duration

# Characters of a caller's value that a text quotes.
LONGEST_QUOTE = 60
# How alike a wrong and a right word must be: difflib's ratio, whose default suggests too much.
CLOSE = 0.7
_NOUNS = (
    (inspect.BoolType, "true or false"),
    (inspect.StructType, "a JSON object"),
    (inspect.DictType, "a JSON object"),
)


class Wanted(Struct, frozen=True):
    """What a field takes: its type without null and metadata, and what its metadata say."""

    core: inspect.Type
    description: str = ""
    example: Any = None
    hint: str = ""

    @property
    def choices(self) -> tuple[str, ...]:
        """The texts that the field takes, in the order of the type; none if there is no list."""
        match self.core:
            case inspect.EnumType(cls=cls) if issubclass(cls, StrEnum):
                return tuple(each.value for each in cls)
            case inspect.LiteralType(values=values):
                return tuple(each for each in values if isinstance(each, str))
        return ()


def find_wanted(kind: inspect.Type) -> Wanted:
    """Returns what a field of this type takes."""
    match kind:
        case inspect.Metadata(type=inner, extra_json_schema=schema, extra=extra):
            wanted = find_wanted(inner)
            found = {"description": wanted.description, **(schema or {}), **(extra or {})}
            example = next(iter(found.get("examples", ())), wanted.example)
            hint = found.get("hint", wanted.hint)
            return Wanted(wanted.core, found["description"], example, hint)
        case inspect.UnionType(types=types):
            left = [each for each in types if not isinstance(each, inspect.NoneType)]
            return find_wanted(left[0]) if len(left) == 1 else Wanted(kind)
        case inspect.CustomType(cls=cls):
            schema = describe_duration(cls)
            return Wanted(kind, schema["description"], schema["examples"][0])
    return Wanted(kind, example=_make_example(kind))


def describe_fault(name: str, given: object, wanted: Wanted) -> str:
    """Says why a field refuses a value, and what it takes."""
    match wanted.core, given:
        case inspect.CustomType(cls=cls), str() if cls is Duration:
            explained = explain_duration(_shorten(given))
            return explained or f"{quote(given)} is not {describe(wanted)}."
        case (inspect.StrType() as core, str(given)) | (
            inspect.CollectionType() as core,
            list(given),
        ):
            shortest, longest = core.min_length or 0, core.max_length
            if len(given) < shortest or (longest is not None and len(given) > longest):
                return f"{name} has {_describe_length(core)}, not {len(given)}."
    texts = [f"{name} is {describe(wanted)}.", _suggest(given, wanted), wanted.hint]
    return " ".join(filter(None, texts))


def describe_missing(name: str, wanted: Wanted) -> str:
    """Says that a field is missing, and what it takes."""
    return f"{name} is missing. It is {describe(wanted)}."


def describe_unknown(name: str, known: Iterable[str], what: str, where: str) -> str:
    """Says that a `what`, a field or a parameter, is unknown, and names the known ones."""
    names = list(known)
    text = f"{quote(name)} is not a {what} of this {where}."
    listed = f"The {what}s are {', '.join(names)}." if names else f"This {where} has no {what}s."
    return " ".join(filter(None, [text, _ask(name, names), listed]))


def describe(wanted: Wanted) -> str:
    """Says what a field takes, as a noun: "one of open, snoozed"."""
    if wanted.description:
        return wanted.description
    text = next((text for kind, text in _NOUNS if isinstance(wanted.core, kind)), "of another type")
    match wanted.core:
        case inspect.EnumType() | inspect.LiteralType() if wanted.choices:
            text = f"one of {', '.join(wanted.choices)}"
        case inspect.StrType(pattern=str(pattern)):
            text = f"a text that matches {pattern}"
        case inspect.StrType() as core:
            text = f"a text of {_describe_length(core)}"
        case inspect.CollectionType() as core:
            text = f"a list of {_describe_length(core)}"
        case inspect.IntType() as core:
            text = f"a whole number{_describe_range(core)}"
    return text


def quote(text: str) -> str:
    """Quotes a caller's text: harmless to show, and not too long."""
    return f'"{_shorten(text)}"'


def _shorten(text: str) -> str:
    shown = visible(text)
    return shown if len(shown) <= LONGEST_QUOTE else shown[:LONGEST_QUOTE] + ELLIPSIS


def _make_example(kind: inspect.Type) -> Any:
    """Makes JSON that a type without an example takes; None if that is not easy."""
    match kind:
        case inspect.BoolType():
            return False
        case inspect.IntType(ge=lowest, le=highest):
            return next((each for each in (lowest, highest) if each is not None), 0)
        case inspect.StrType(min_length=shortest, pattern=None):
            return "x" * max(shortest or 0, 1)
        case inspect.LiteralType(values=values):
            return values[0]
    return next(iter(Wanted(kind).choices), None)


def _describe_length(kind: inspect.StrType | inspect.CollectionType) -> str:
    noun = "characters" if isinstance(kind, inspect.StrType) else "items"
    match kind.min_length, kind.max_length:
        case None, None:
            return f"any number of {noun}"
        case shortest, None:
            return f"{shortest} {noun} or more"
        case None, longest:
            return f"{longest:,} {noun} at most"
        case shortest, longest:
            return f"{shortest} to {longest:,} {noun}"


def _describe_range(kind: inspect.IntType) -> str:
    if kind.ge is None:
        return "" if kind.le is None else f" of {kind.le} at most"
    return f" of {kind.ge} or more" if kind.le is None else f" from {kind.ge} to {kind.le}"


def _suggest(given: object, wanted: Wanted) -> str:
    if not isinstance(given, str):
        return ""
    if isinstance(wanted.core, inspect.DateTimeType):
        zoned = _add_zone(given)
        return f"Write {zoned}." if zoned else ""
    return _ask(given, wanted.choices)


def _ask(given: str, choices: Iterable[str]) -> str:
    by_folded = {each.casefold(): each for each in choices}
    close = difflib.get_close_matches(given.casefold()[:LONGEST_QUOTE], by_folded, 1, CLOSE)
    return f"Did you mean {by_folded[close[0]]}?" if close else ""


def _add_zone(text: str) -> str | None:
    """Returns a date, or a time without a zone, as a time of UTC; None if it is neither."""
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return f"{at.isoformat()}Z" if at.tzinfo is None else None
