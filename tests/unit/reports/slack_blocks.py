"""Reads the blocks of a rendered message."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib.domain.text import visible
from chalicelib.reports.slack_blocks import BLOCKS, Rendered
from devstack.slack.check_message import validate_blocks


def iterate_texts(value: object, kind: str | None = None) -> Iterator[str]:
    """Yields every text of some blocks, or those of one kind of text object."""
    if isinstance(value, Mapping):
        if isinstance(value.get("text"), str) and kind in (None, value["type"]):
            yield value["text"]
        for child in value.values():
            yield from iterate_texts(child, kind)
    elif isinstance(value, list | tuple):
        for child in value:
            yield from iterate_texts(child, kind)


def get_headline(message: Rendered) -> str:
    """Returns the text of the header block."""
    headline: str = message.blocks[0]["text"]["text"]
    return headline


def get_text(message: Rendered) -> str:
    """Returns every text that a message shows, one in a line."""
    return "\n".join(iterate_texts(message.blocks))


def list_rows(message: Rendered) -> list[list[str]]:
    """Lists the cells of every table row below the header row."""
    tables = [block for block in message.blocks if block["type"] == "table"]
    return [[cell["text"] for cell in row] for table in tables for row in table["rows"][1:]]


def get_field(message: Rendered, label: str) -> str:
    """Returns the value of the field with this label."""
    texts = iterate_texts(message.blocks, "mrkdwn")
    found = [text for text in texts if text.startswith(f"*{label}*\n")]
    assert len(found) == 1, (label, get_text(message))
    return found[0].split("\n", 1)[1]


def assert_slack_accepts(message: Rendered) -> None:
    """Asserts that a message keeps Slack's rules, and our own limits on its size."""
    blocks: list[dict[str, Any]] = json.loads(json.dumps(message.blocks))
    assert validate_blocks(message.text, blocks)
    assert len(json.dumps(blocks, ensure_ascii=False)) + len(message.text) < 10_000
    assert len(blocks) <= BLOCKS


def assert_harmless(message: Rendered) -> None:
    """Asserts that no text is parsed as a mention or a link, or hides characters."""
    for text in (message.text, *iterate_texts(message.blocks, "mrkdwn")):
        assert "<" not in text
        assert ">" not in text
    for text in (message.text, *iterate_texts(message.blocks)):
        assert visible(text.replace("\n", "")) == text.replace("\n", "")
