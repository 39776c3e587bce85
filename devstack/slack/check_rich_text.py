"""Checks the rich_text block, which also serves as a table cell."""

from collections.abc import Iterator

from devstack.slack.check_text import at
from devstack.slack.model import Json

_CONTAINERS = frozenset(
    {"rich_text_section", "rich_text_list", "rich_text_preformatted", "rich_text_quote"}
)


def check_rich_text(block: Json, pointer: str) -> Iterator[str]:
    """Containers hold elements, and a text element is not empty."""
    for index, element in _elements(block):
        here = f"{pointer}/elements/{index}"
        if not isinstance(element, dict) or element.get("type") not in _CONTAINERS:
            yield at(here, "failed to match all allowed schemas")
        else:
            yield from _check_container(element, here)
    yield from _check_filled(block, pointer)


def _check_container(container: Json, pointer: str) -> Iterator[str]:
    if container["type"] == "rich_text_list":
        yield from check_rich_text(container, pointer)
        return
    yield from _check_filled(container, pointer)
    for index, element in _elements(container):
        here = f"{pointer}/elements/{index}"
        if not isinstance(element, dict) or not isinstance(element.get("type"), str):
            yield at(here, "failed to match all allowed schemas")
        elif element["type"] == "text" and not element.get("text"):
            yield at(f"{here}/text", "must be more than 0 characters")


def _check_filled(owner: Json, pointer: str) -> Iterator[str]:
    if not isinstance(owner.get("elements"), list):
        yield at(pointer, "missing required field: elements")


def _elements(owner: Json) -> Iterator[tuple[int, object]]:
    elements = owner.get("elements")
    yield from enumerate(elements if isinstance(elements, list) else [])
