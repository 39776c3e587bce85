"""Decides whether a message's text and blocks together may be posted."""

from collections.abc import Iterator, Sequence

from devstack.slack import limits
from devstack.slack.check_blocks import check_block
from devstack.slack.check_text import at
from devstack.slack.json_text import read_json
from devstack.slack.model import Json
from devstack.slack.refusal import RefusedError


def parse_blocks(raw: object) -> list[object]:
    """Read the argument `blocks`: a list, or the JSON of one in a form; absent is empty.

    Raises `RefusedError` (invalid_blocks_format) where it is neither.
    """
    if raw is None or raw == "":
        return []
    try:
        blocks = read_json(raw) if isinstance(raw, str) else raw
    except ValueError as error:
        raise RefusedError("invalid_blocks_format") from error
    if not isinstance(blocks, list):
        raise RefusedError("invalid_blocks_format")
    return blocks


def checked_blocks(text: str, raw_blocks: object) -> tuple[Json, ...]:
    """Give the blocks of a message that Slack would take.

    Raises `RefusedError`: msg_too_long, no_text, invalid_blocks_format, invalid_blocks with
    every problem found, invalid_attachments (a second table), msg_blocks_too_long.
    """
    blocks = parse_blocks(raw_blocks)
    if len(text) > limits.MESSAGE_TEXT:
        raise RefusedError("msg_too_long")
    if not blocks and not text.strip():
        raise RefusedError("no_text")
    problems = list(_problems(blocks))
    if problems:
        raise RefusedError("invalid_blocks", *problems)
    known = tuple(block for block in blocks if isinstance(block, dict))
    _check_tables(known)
    if _characters(known) > limits.MESSAGE_BLOCKS_TEXT:
        raise RefusedError("msg_blocks_too_long")
    return known


def _problems(blocks: list[object]) -> Iterator[str]:
    if len(blocks) > limits.BLOCKS:
        yield at("/blocks", f"no more than {limits.BLOCKS} items allowed")
        return
    for index, block in enumerate(blocks):
        yield from check_block(block, f"/blocks/{index}")


def _check_tables(blocks: tuple[Json, ...]) -> None:
    tables = [(index, block) for index, block in enumerate(blocks) if block["type"] == "table"]
    if len(tables) > limits.TABLES:
        raise RefusedError("invalid_attachments", "only_one_table_allowed")
    for index, table in tables:
        if _characters(table["rows"]) > limits.TABLE_TEXT:
            problem = f"must be less than {limits.TABLE_TEXT + 1} characters"
            raise RefusedError("invalid_blocks", at(f"/blocks/{index}/rows", problem))


def _characters(value: object) -> int:
    """Count the characters of every `text` in a tree of blocks."""
    if isinstance(value, dict):
        text = value.get("text")
        own = len(text) if isinstance(text, str) else 0
        return own + sum(_characters(child) for child in value.values())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return sum(_characters(child) for child in value)
    return 0
