"""Checks one block of each type that this stand-in knows; any other type is invalid."""

from collections.abc import Callable, Iterator

from devstack.slack import limits
from devstack.slack.check_rich_text import check_rich_text
from devstack.slack.check_table import check_table
from devstack.slack.check_text import (
    PLAIN,
    at,
    check_items,
    check_keys,
    check_string,
    check_text_object,
)
from devstack.slack.model import Json

Check = Callable[[Json, str], Iterator[str]]


def check_block(block: object, pointer: str) -> Iterator[str]:
    """Yield every problem of a block at `pointer`, which is `/blocks/<index>`."""
    if not isinstance(block, dict):
        yield at(pointer, "must provide an object")
        return
    kind = block.get("type")
    if not isinstance(kind, str) or kind not in _CHECKS:
        yield at(f"{pointer}/type", f"unsupported type: {kind}")
        return
    keys, check = _CHECKS[kind]
    yield from check_keys(block, keys | {"type", "block_id"}, pointer)
    if "block_id" in block:
        yield from check_string(block, "block_id", pointer, limits.BLOCK_ID)
    yield from check(block, pointer)


def _header(block: Json, pointer: str) -> Iterator[str]:
    if "text" not in block:
        yield at(pointer, "missing required field: text")
    else:
        yield from check_text_object(block["text"], f"{pointer}/text", limits.HEADER_TEXT, PLAIN)


def _section(block: Json, pointer: str) -> Iterator[str]:
    if "text" not in block and "fields" not in block:
        yield at(f"{pointer}/type", "must define either `text` or `fields`")
    if "text" in block:
        yield from check_text_object(block["text"], f"{pointer}/text", limits.SECTION_TEXT)
    if "fields" in block:
        here = f"{pointer}/fields"
        yield from check_items(block["fields"], here, limits.SECTION_FIELDS)
        for index, field in _items(block, "fields"):
            yield from check_text_object(field, f"{here}/{index}", limits.SECTION_FIELD_TEXT)


def _context(block: Json, pointer: str) -> Iterator[str]:
    here = f"{pointer}/elements"
    yield from check_items(block.get("elements"), here, limits.CONTEXT_ELEMENTS)
    for index, element in _items(block, "elements"):
        yield from check_text_object(element, f"{here}/{index}", limits.TEXT_OBJECT)


def _actions(block: Json, pointer: str) -> Iterator[str]:
    here = f"{pointer}/elements"
    yield from check_items(block.get("elements"), here, limits.ACTIONS_ELEMENTS)
    for index, element in _items(block, "elements"):
        if not isinstance(element, dict) or element.get("type") != "button":
            yield at(f"{here}/{index}", "failed to match all allowed schemas")
        else:
            text = element.get("text")
            yield from check_text_object(text, f"{here}/{index}/text", limits.BUTTON_TEXT, PLAIN)


def _markdown(block: Json, pointer: str) -> Iterator[str]:
    yield from check_string(block, "text", pointer, limits.MARKDOWN_TEXT)


def _divider(_block: Json, _pointer: str) -> Iterator[str]:
    yield from ()


def _items(block: Json, key: str) -> Iterator[tuple[int, object]]:
    items = block.get(key)
    yield from enumerate(items if isinstance(items, list) else [])


_CHECKS: dict[str, tuple[frozenset[str], Check]] = {
    "header": (frozenset({"text"}), _header),
    "section": (frozenset({"text", "fields", "expand"}), _section),
    "context": (frozenset({"elements"}), _context),
    "actions": (frozenset({"elements"}), _actions),
    "table": (frozenset({"rows", "column_settings"}), check_table),
    "rich_text": (frozenset({"elements"}), check_rich_text),
    "markdown": (frozenset({"text"}), _markdown),
    "divider": (frozenset(), _divider),
}
