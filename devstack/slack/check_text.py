"""Checks shared by all blocks: keys, counts, lengths and text objects.

Every check yields the problems it finds, in the words of Slack's schema validator.
"""

from collections.abc import Iterator

from devstack.slack.model import Json

PLAIN = frozenset({"plain_text"})
PLAIN_OR_MRKDWN = frozenset({"plain_text", "mrkdwn"})
_KEYS = {
    "plain_text": frozenset({"type", "text", "emoji"}),
    "mrkdwn": frozenset({"type", "text", "verbatim"}),
}


def at(pointer: str, problem: str) -> str:
    """Say where a problem is: `pointer` is the JSON pointer into the call's arguments."""
    return f"{problem} [json-pointer:{pointer}]"


def check_keys(value: Json, allowed: frozenset[str], pointer: str) -> Iterator[str]:
    """Slack takes no key that it does not know."""
    for key in sorted(value.keys() - allowed):
        yield at(pointer, f"invalid additional property: {key}")


def check_items(value: object, pointer: str, most: int) -> Iterator[str]:
    """A list has one item at least and `most` at most."""
    if not isinstance(value, list):
        yield at(pointer, "must provide an array")
    elif not value:
        yield at(pointer, "no fewer than 1 items allowed")
    elif len(value) > most:
        yield at(pointer, f"no more than {most} items allowed")


def check_string(owner: Json, key: str, pointer: str, longest: int) -> Iterator[str]:
    """`owner` has under `key` a string of 1 to `longest` characters."""
    value = owner.get(key)
    if key not in owner:
        yield at(pointer, f"missing required field: {key}")
    elif not isinstance(value, str):
        yield at(f"{pointer}/{key}", "must provide a string")
    elif not value:
        yield at(f"{pointer}/{key}", "must be more than 0 characters")
    elif len(value) > longest:
        yield at(f"{pointer}/{key}", f"must be less than {longest + 1} characters")


def check_text_object(
    value: object, pointer: str, longest: int, kinds: frozenset[str] = PLAIN_OR_MRKDWN
) -> Iterator[str]:
    """A text object of one of `kinds` with 1 to `longest` characters.

    Where two kinds fit, Slack first says that no schema matched.
    """
    problems = list(_problems_of_text(value, pointer, longest, kinds))
    if problems and len(kinds) > 1:
        yield at(pointer, "failed to match all allowed schemas")
    yield from problems


def _problems_of_text(
    value: object, pointer: str, longest: int, kinds: frozenset[str]
) -> Iterator[str]:
    if not isinstance(value, dict):
        yield at(pointer, "must provide an object")
        return
    kind = value.get("type")
    if kind not in kinds:
        yield at(f"{pointer}/type", f"unsupported type: {kind}")
        return
    yield from check_keys(value, _KEYS[str(kind)], pointer)
    yield from check_string(value, "text", pointer, longest)
