"""Checks the parts of blocks: keys, lists, strings, text objects, rich text and tables.

Every check yields the problems that it finds, in the words of Slack's schema validator.
"""

from collections.abc import Iterator

from devstack.slack import limits
from devstack.slack.model import Json

PLAIN = frozenset({"plain_text"})
PLAIN_OR_MRKDWN = frozenset({"plain_text", "mrkdwn"})
_KEYS = {
    "plain_text": frozenset({"type", "text", "emoji"}),
    "mrkdwn": frozenset({"type", "text", "verbatim"}),
}


def locate_problem(pointer: str, problem: str) -> str:
    """Add the place to a problem: `pointer` is a JSON pointer into the arguments of the call."""
    return f"{problem} [json-pointer:{pointer}]"


def check_keys(value: Json, allowed: frozenset[str], pointer: str) -> Iterator[str]:
    """Slack refuses unknown keys."""
    for key in sorted(value.keys() - allowed):
        yield locate_problem(pointer, f"invalid additional property: {key}")


def check_items(value: object, pointer: str, most: int) -> Iterator[str]:
    """A list has 1 to `most` items."""
    if not isinstance(value, list):
        yield locate_problem(pointer, "must provide an array")
    elif not value:
        yield locate_problem(pointer, "no fewer than 1 items allowed")
    elif len(value) > most:
        yield locate_problem(pointer, f"no more than {most} items allowed")


def check_string(owner: Json, key: str, pointer: str, longest: int) -> Iterator[str]:
    """`owner[key]` is a string of 1 to `longest` characters."""
    value = owner.get(key)
    if key not in owner:
        yield locate_problem(pointer, f"missing required field: {key}")
    elif not isinstance(value, str):
        yield locate_problem(f"{pointer}/{key}", "must provide a string")
    elif not value:
        yield locate_problem(f"{pointer}/{key}", "must be more than 0 characters")
    elif len(value) > longest:
        yield locate_problem(f"{pointer}/{key}", f"must be less than {longest + 1} characters")


def check_text_object(
    value: object, pointer: str, longest: int, kinds: frozenset[str] = PLAIN_OR_MRKDWN
) -> Iterator[str]:
    """A text object is of one of `kinds` and has 1 to `longest` characters.

    If two kinds are allowed, Slack first reports that no schema matched.
    """
    problems = list(_find_text_problems(value, pointer, longest, kinds))
    if problems and len(kinds) > 1:
        yield locate_problem(pointer, "failed to match all allowed schemas")
    yield from problems


def _find_text_problems(
    value: object, pointer: str, longest: int, kinds: frozenset[str]
) -> Iterator[str]:
    if not isinstance(value, dict):
        yield locate_problem(pointer, "must provide an object")
        return
    kind = value.get("type")
    if kind not in kinds:
        yield locate_problem(f"{pointer}/type", f"unsupported type: {kind}")
        return
    yield from check_keys(value, _KEYS[str(kind)], pointer)
    yield from check_string(value, "text", pointer, longest)


_CONTAINERS = frozenset(
    {"rich_text_section", "rich_text_list", "rich_text_preformatted", "rich_text_quote"}
)


def check_rich_text(block: Json, pointer: str) -> Iterator[str]:
    """A container has elements, and a text element is not empty.

    A rich_text block is also a table cell.
    """
    for index, element in _enumerate_elements(block):
        here = f"{pointer}/elements/{index}"
        if not isinstance(element, dict) or element.get("type") not in _CONTAINERS:
            yield locate_problem(here, "failed to match all allowed schemas")
        else:
            yield from _check_container(element, here)
    yield from _check_has_elements(block, pointer)


def _check_container(container: Json, pointer: str) -> Iterator[str]:
    if container["type"] == "rich_text_list":
        yield from check_rich_text(container, pointer)
        return
    yield from _check_has_elements(container, pointer)
    for index, element in _enumerate_elements(container):
        here = f"{pointer}/elements/{index}"
        if not isinstance(element, dict) or not isinstance(element.get("type"), str):
            yield locate_problem(here, "failed to match all allowed schemas")
        elif element["type"] == "text" and not element.get("text"):
            yield locate_problem(f"{here}/text", "must be more than 0 characters")


def _check_has_elements(owner: Json, pointer: str) -> Iterator[str]:
    if not isinstance(owner.get("elements"), list):
        yield locate_problem(pointer, "missing required field: elements")


def _enumerate_elements(owner: Json) -> Iterator[tuple[int, object]]:
    elements = owner.get("elements")
    yield from enumerate(elements if isinstance(elements, list) else [])


_CELL_KEYS = {
    "raw_text": frozenset({"type", "text"}),
    "rich_text": frozenset({"type", "elements", "block_id"}),
}
_SETTING_KEYS = frozenset({"align", "is_wrapped"})
_ALIGNMENTS = frozenset({"left", "center", "right"})


def check_table(block: Json, pointer: str) -> Iterator[str]:
    """Yield the problems of the rows, then those of `column_settings`."""
    rows = block.get("rows")
    if rows is None:
        yield locate_problem(pointer, "missing required field: rows")
        return
    yield from check_items(rows, f"{pointer}/rows", limits.TABLE_ROWS)
    for number, row in enumerate(rows if isinstance(rows, list) else []):
        here = f"{pointer}/rows/{number}"
        yield from check_items(row, here, limits.TABLE_COLUMNS)
        for column, cell in enumerate(row if isinstance(row, list) else []):
            yield from _check_cell(cell, f"{here}/{column}")
    yield from _check_settings(block.get("column_settings", []), f"{pointer}/column_settings")


def _check_cell(cell: object, pointer: str) -> Iterator[str]:
    kind = cell.get("type") if isinstance(cell, dict) else None
    if not isinstance(cell, dict) or kind not in _CELL_KEYS:
        yield locate_problem(pointer, "failed to match any allowed schemas")
        return
    problems = list(check_keys(cell, _CELL_KEYS[str(kind)], pointer))
    if kind == "raw_text":
        problems += check_string(cell, "text", pointer, limits.TABLE_TEXT)
    else:
        problems += check_rich_text(cell, pointer)
    if problems:
        yield locate_problem(pointer, "failed to match any allowed schemas")
    yield from problems


def _check_settings(settings: object, pointer: str) -> Iterator[str]:
    if settings == []:
        return
    yield from check_items(settings, pointer, limits.TABLE_COLUMNS)
    for column, setting in enumerate(settings if isinstance(settings, list) else []):
        here = f"{pointer}/{column}"
        if setting is None:  # the default for this column
            continue
        if not isinstance(setting, dict):
            yield locate_problem(here, "must provide an object")
            continue
        yield from check_keys(setting, _SETTING_KEYS, here)
        if setting.get("align", "left") not in _ALIGNMENTS:
            yield locate_problem(f"{here}/align", "must be one of: left, center, right")
        if not isinstance(setting.get("is_wrapped", False), bool):
            yield locate_problem(f"{here}/is_wrapped", "must provide a boolean")
