"""Checks the table block: rows of cells, and how its columns are laid out."""

from collections.abc import Iterator

from devstack.slack import limits
from devstack.slack.check_rich_text import check_rich_text
from devstack.slack.check_text import at, check_items, check_keys, check_string
from devstack.slack.model import Json

_CELL_KEYS = {
    "raw_text": frozenset({"type", "text"}),
    "rich_text": frozenset({"type", "elements", "block_id"}),
}
_SETTING_KEYS = frozenset({"align", "is_wrapped"})
_ALIGNMENTS = frozenset({"left", "center", "right"})


def check_table(block: Json, pointer: str) -> Iterator[str]:
    """Yield the problems of the rows first, then those of `column_settings`."""
    rows = block.get("rows")
    if rows is None:
        yield at(pointer, "missing required field: rows")
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
        yield at(pointer, "failed to match any allowed schemas")
        return
    problems = list(check_keys(cell, _CELL_KEYS[str(kind)], pointer))
    if kind == "raw_text":
        problems += check_string(cell, "text", pointer, limits.TABLE_TEXT)
    else:
        problems += check_rich_text(cell, pointer)
    if problems:
        yield at(pointer, "failed to match any allowed schemas")
    yield from problems


def _check_settings(settings: object, pointer: str) -> Iterator[str]:
    if settings == []:
        return
    yield from check_items(settings, pointer, limits.TABLE_COLUMNS)
    for column, setting in enumerate(settings if isinstance(settings, list) else []):
        here = f"{pointer}/{column}"
        if setting is None:  # a column left as it is
            continue
        if not isinstance(setting, dict):
            yield at(here, "must provide an object")
            continue
        yield from check_keys(setting, _SETTING_KEYS, here)
        if setting.get("align", "left") not in _ALIGNMENTS:
            yield at(f"{here}/align", "must be one of: left, center, right")
        if not isinstance(setting.get("is_wrapped", False), bool):
            yield at(f"{here}/is_wrapped", "must provide a boolean")
