"""Take values of a known shape out of parsed JSON, or say in a sentence what was found."""

from collections.abc import Mapping
from typing import Any

from chalicelib.reports.visible_text import one_line

LONGEST_NAME = 100
FOREIGN = "Run inspec exec with --reporter json and leave its output as it is."


class ReportError(ValueError):
    """A report that cannot be loaded: what is wrong, where, and what to do about it."""


def mapped(value: Any, where: str) -> Mapping[str, Any]:
    """Return `value`, which must be a JSON object."""
    if not isinstance(value, Mapping):
        raise ReportError(f"{where} is not a JSON object. {FOREIGN}")
    return value


def listed(parent: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """Return the objects under `key`; InSpec leaves out the key where it has none."""
    values = parent.get(key, [])
    if not isinstance(values, list):
        raise ReportError(f"{_name(parent)}: {key} is not a list. {FOREIGN}")
    return [mapped(value, f"{_name(parent)}: an entry of {key}") for value in values]


def text(parent: Mapping[str, Any], key: str) -> str:
    """Return the text under `key`; null and missing are "", as Ruby puts nil into a string."""
    value = parent.get(key)
    if not isinstance(value, str | None):
        raise ReportError(f"{_name(parent)}: {key} is not a text. {FOREIGN}")
    return value or ""


def number(parent: Mapping[str, Any], key: str) -> float:
    """Return the number under `key`."""
    value = parent.get(key)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ReportError(f"{_name(parent)}: {key} is not a number. {FOREIGN}")
    return value


def _name(parent: Mapping[str, Any]) -> str:
    """Name an object as people find it in a report: by its id or name."""
    names = (parent.get("id"), parent.get("name"))
    texts = [name for name in names if isinstance(name, str) and name]
    return one_line(texts[0], LONGEST_NAME) if texts else "The report"
