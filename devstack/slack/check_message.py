"""Checks a message against Block Kit: its text, its blocks, and both together.

A block type that the stand-in does not know is invalid.
"""

from collections.abc import Callable, Iterator, Sequence

from devstack.slack import limits
from devstack.slack.call import RefusedError, parse_json
from devstack.slack.check_elements import (
    PLAIN,
    check_items,
    check_keys,
    check_rich_text,
    check_string,
    check_table,
    check_text_object,
    locate_problem,
)
from devstack.slack.model import Json

Check = Callable[[Json, str], Iterator[str]]


def validate_blocks(text: str, raw_blocks: object) -> tuple[Json, ...]:
    """Return the blocks of a message that Slack would accept.

    Raises `RefusedError`: msg_too_long, no_text, invalid_blocks_format, invalid_blocks with
    every problem, invalid_attachments (a second table), msg_blocks_too_long.
    """
    blocks = parse_blocks(raw_blocks)
    if len(text) > limits.MESSAGE_TEXT:
        raise RefusedError("msg_too_long")
    if not blocks and not text.strip():
        raise RefusedError("no_text")
    problems = list(_find_problems(blocks))
    if problems:
        raise RefusedError("invalid_blocks", *problems)
    known = tuple(block for block in blocks if isinstance(block, dict))
    _check_tables(known)
    if _count_characters(known) > limits.MESSAGE_BLOCKS_TEXT:
        raise RefusedError("msg_blocks_too_long")
    return known


def parse_blocks(raw: object) -> list[object]:
    """Read the argument `blocks`, a list or the JSON of a list. No argument means no blocks.

    Raises `RefusedError` (invalid_blocks_format) for anything else.
    """
    if raw is None or raw == "":
        return []
    try:
        blocks = parse_json(raw) if isinstance(raw, str) else raw
    except ValueError as error:
        raise RefusedError("invalid_blocks_format") from error
    if not isinstance(blocks, list):
        raise RefusedError("invalid_blocks_format")
    return blocks


def check_block(block: object, pointer: str) -> Iterator[str]:
    """Yield every problem of the block at `pointer`, for example `/blocks/0`."""
    if not isinstance(block, dict):
        yield locate_problem(pointer, "must provide an object")
        return
    kind = block.get("type")
    if not isinstance(kind, str) or kind not in _CHECKS:
        yield locate_problem(f"{pointer}/type", f"unsupported type: {kind}")
        return
    keys, check = _CHECKS[kind]
    yield from check_keys(block, keys | {"type", "block_id"}, pointer)
    if "block_id" in block:
        yield from check_string(block, "block_id", pointer, limits.BLOCK_ID)
    yield from check(block, pointer)


def _find_problems(blocks: list[object]) -> Iterator[str]:
    if len(blocks) > limits.BLOCKS:
        yield locate_problem("/blocks", f"no more than {limits.BLOCKS} items allowed")
        return
    for index, block in enumerate(blocks):
        yield from check_block(block, f"/blocks/{index}")


def _check_tables(blocks: tuple[Json, ...]) -> None:
    tables = [(index, block) for index, block in enumerate(blocks) if block["type"] == "table"]
    if len(tables) > limits.TABLES:
        raise RefusedError("invalid_attachments", "only_one_table_allowed")
    for index, table in tables:
        if _count_characters(table["rows"]) > limits.TABLE_TEXT:
            problem = f"must be less than {limits.TABLE_TEXT + 1} characters"
            raise RefusedError("invalid_blocks", locate_problem(f"/blocks/{index}/rows", problem))


def _count_characters(value: object) -> int:
    """Count the characters of every `text` in a tree of blocks."""
    if isinstance(value, dict):
        text = value.get("text")
        own = len(text) if isinstance(text, str) else 0
        return own + sum(_count_characters(child) for child in value.values())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return sum(_count_characters(child) for child in value)
    return 0


def _check_header(block: Json, pointer: str) -> Iterator[str]:
    if "text" not in block:
        yield locate_problem(pointer, "missing required field: text")
    else:
        yield from check_text_object(block["text"], f"{pointer}/text", limits.HEADER_TEXT, PLAIN)


def _check_section(block: Json, pointer: str) -> Iterator[str]:
    if "text" not in block and "fields" not in block:
        yield locate_problem(f"{pointer}/type", "must define either `text` or `fields`")
    if "text" in block:
        yield from check_text_object(block["text"], f"{pointer}/text", limits.SECTION_TEXT)
    if "fields" in block:
        here = f"{pointer}/fields"
        yield from check_items(block["fields"], here, limits.SECTION_FIELDS)
        for index, field in _enumerate_list(block, "fields"):
            yield from check_text_object(field, f"{here}/{index}", limits.SECTION_FIELD_TEXT)


def _check_context(block: Json, pointer: str) -> Iterator[str]:
    here = f"{pointer}/elements"
    yield from check_items(block.get("elements"), here, limits.CONTEXT_ELEMENTS)
    for index, element in _enumerate_list(block, "elements"):
        yield from check_text_object(element, f"{here}/{index}", limits.TEXT_OBJECT)


def _check_actions(block: Json, pointer: str) -> Iterator[str]:
    here = f"{pointer}/elements"
    yield from check_items(block.get("elements"), here, limits.ACTIONS_ELEMENTS)
    for index, element in _enumerate_list(block, "elements"):
        if not isinstance(element, dict) or element.get("type") != "button":
            yield locate_problem(f"{here}/{index}", "failed to match all allowed schemas")
        else:
            text = element.get("text")
            yield from check_text_object(text, f"{here}/{index}/text", limits.BUTTON_TEXT, PLAIN)


def _check_markdown(block: Json, pointer: str) -> Iterator[str]:
    yield from check_string(block, "text", pointer, limits.MARKDOWN_TEXT)


def _check_divider(_block: Json, _pointer: str) -> Iterator[str]:
    yield from ()


def _enumerate_list(block: Json, key: str) -> Iterator[tuple[int, object]]:
    items = block.get(key)
    yield from enumerate(items if isinstance(items, list) else [])


# Type of block: its keys besides `type` and `block_id`, and its check.
_CHECKS: dict[str, tuple[frozenset[str], Check]] = {
    "header": (frozenset({"text"}), _check_header),
    "section": (frozenset({"text", "fields", "expand"}), _check_section),
    "context": (frozenset({"elements"}), _check_context),
    "actions": (frozenset({"elements"}), _check_actions),
    "table": (frozenset({"rows", "column_settings"}), check_table),
    "rich_text": (frozenset({"elements"}), check_rich_text),
    "markdown": (frozenset({"text"}), _check_markdown),
    "divider": (frozenset(), _check_divider),
}
