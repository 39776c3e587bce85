"""Reads the output of `inspec exec --reporter json` as JSON, and names what is something else.

The checks are those of AWS-RunInspecChecks, whose JSON parser knows no NaN. Unlike it, this also
reads a file that a shell or an editor has saved with a byte order mark or in UTF-16.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib.domain.text import cut, one_line

HINT = "Run inspec exec with --reporter json and leave its output as it is."
LONGEST_NAME = 100
LONGEST_QUOTE = 80

# How the output of InSpec's other reporters begins.
_TEXTS = (
    (re.compile(r"<(\?xml|testsuite)", re.IGNORECASE), "the XML of the junit reporter"),
    (re.compile(r"<(!doctype html|html)", re.IGNORECASE), "the HTML of the html reporter"),
    (re.compile(r"---\s|:?platform:"), "the YAML of the yaml reporter"),
    (re.compile(r"Profile( Summary)?: "), "the text of the cli reporter"),
)
_OBJECT = re.compile(r'\{\s*"[^"\n]*"\s*:')
# Not the "[" before the time in a line of a log.
_JSON_START = re.compile(r'\{|\[\s*(["{[\]]|$)')


class ReportError(ValueError):
    """The report is unusable. The text says what is wrong, where, and what to do."""


def read_profiles(report: bytes) -> list[Mapping[str, Any]]:
    """Return the profiles of `report`, or raise ReportError if it is no InSpec report."""
    text = _decode(report)
    constants: list[str] = []

    def read_constant(name: str) -> float:
        constants.append(name)
        return float(name)

    try:
        parsed = json.loads(text, parse_constant=read_constant)
    except json.JSONDecodeError as error:
        raise ReportError(_explain_bad_json(text, error)) from error
    except (ValueError, RecursionError) as error:
        raise ReportError(
            "The report is not valid JSON of InSpec: it is nested too deeply, or has a number of "
            f"thousands of digits. {HINT}"
        ) from error
    if not isinstance(parsed, Mapping) or parsed.get("profiles") is None:
        raise ReportError(f"The report {_name_kind(parsed)}. {HINT}")
    profiles = require_objects(parsed, "profiles")
    if constants:
        _refuse_constant(constants[0], profiles)
    return profiles


def _decode(report: bytes) -> str:
    coding = json.detect_encoding(report)
    try:
        text = report.decode(coding)
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode(coding, errors="replace")[-20:]
        at = len(report) - len(error.object) + error.start + 1  # counts a byte order mark, too
        name = coding.removesuffix("-sig").upper()
        raise ReportError(
            f"The report is not {name} text: byte {at:,}, after {before!r}, is wrong. "
            "InSpec writes UTF-8. Run it again and keep its output as it is."
        ) from error
    if not text.strip():
        raise ReportError(
            "The report is empty. If InSpec failed, its standard error says why. "
            "Run inspec exec with --reporter json and keep its output."
        )
    return text


def _explain_bad_json(text: str, error: json.JSONDecodeError) -> str:
    first = text.strip().splitlines()[0]
    if not _JSON_START.match(first):
        return _explain_text(text, first)
    if error.msg == "Extra data":
        return (
            f"Something was printed after the JSON of the report: {quote(text[error.pos :])}. "
            "Keep the output of one run of InSpec, and nothing else."
        )
    if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string"):
        return (
            "The report was cut off: its JSON does not end. "
            "Run InSpec again and keep its whole output."
        )
    return (
        f"The report is not valid JSON: {error.msg}, line {error.lineno:,}, column "
        f"{error.colno:,}. It was edited, cut off, or mixed with other output. {HINT}"
    )


def _explain_text(text: str, first: str) -> str:
    for pattern, kind in _TEXTS:
        if pattern.match(f"{first}\n"):
            return f"The report is {kind}, not JSON. Run inspec exec with --reporter json."
    begins = f"The report does not begin with JSON but with {quote(first)}."
    if _OBJECT.search(text):
        return (
            f"{begins} Profiles and wrappers must not print anything: "
            "one stray line loses the report."
        )
    return f"{begins} If InSpec failed, solve that first. Run inspec exec with --reporter json."


def _name_kind(parsed: object) -> str:
    """Say what JSON without profiles is instead."""
    match parsed:
        case {"controls": list(), "statistics": _} | {"controls": [{"status": _}, *_]}:
            kind = "comes from the json-min reporter, whose output has no titles"
        case {"controls": [{"results": _}, *_]}:
            kind = "is one profile cut out of a report"
        case {"controls": list() | dict()}:
            kind = "is an exported profile (inspec json), which has no results"
        case {"examples": _}:
            kind = "comes from the json-rspec reporter, whose output has no controls"
        case {"summary": _, "errors": _}:
            kind = "is the output of inspec check, which has no results"
        case {"ComplianceItems": _} | {"Items": _} | [{"Severity": _, "Status": _}, *_]:
            kind = "is a list of SSM compliance items, not the output of InSpec"
        case [{"profiles": _}, *_]:
            kind = "is a list of reports. Load one report at a time"
        case list():
            kind = "is a JSON list, not a JSON object"
        case {}:
            kind = "has no profiles, so it does not come from InSpec"
        case _:
            kind = "is not a JSON object"
    return kind


def _refuse_constant(constant: str, profiles: list[Mapping[str, Any]]) -> None:
    for control in iterate_controls(profiles):
        if isinstance(control.get("impact"), float):
            require_number(control, "impact")
    raise ReportError(f"The report holds {constant}, which is not JSON. {HINT}")


def iterate_controls(profiles: list[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield the controls of all profiles in the order of the report."""
    for profile in profiles:
        yield from require_objects(profile, "controls")


def require_objects(parent: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """Return the objects under `key`, or raise ReportError. null and no key are no objects."""
    values = parent.get(key)
    if values is None:
        return []
    if not isinstance(values, list):
        raise ReportError(f"{find_name(parent)}: {key} is not a list. {HINT}")
    for value in values:
        if not isinstance(value, Mapping):
            raise ReportError(
                f"{find_name(parent)}: an entry of {key} is not a JSON object. {HINT}"
            )
    return values


def require_text(
    parent: Mapping[str, Any], key: str, owner: Mapping[str, Any] | None = None
) -> str:
    """Return the text under `key`, or raise ReportError, which names `owner`.

    null and a missing key are "", as Ruby formats nil.
    """
    value = parent.get(key)
    if not isinstance(value, str | None):
        raise ReportError(f"{find_name(owner or parent)}: {key} is not text. {HINT}")
    return value or ""


def require_number(parent: Mapping[str, Any], key: str) -> float:
    """Return the number under `key`, or raise ReportError. NaN and infinity are no numbers."""
    value = parent.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < math.inf:
        what = "missing" if value is None else "not a number"
        shown = f", it is {json.dumps(value)}" if isinstance(value, float) else ""
        raise ReportError(f"{find_name(parent)}: {key} is {what}{shown}. {HINT}")
    return value


def find_name(parent: Mapping[str, Any], unnamed: str = "The report") -> str:
    """Name an object as a person finds it in the report: by its id, name or title."""
    names = (parent.get("id"), parent.get("name"), parent.get("title"))
    texts = [name for name in names if isinstance(name, str) and name]
    return one_line(texts[0], LONGEST_NAME) if texts else unnamed


def quote(text: str) -> str:
    """Quote the beginning of the first line, with escapes for what a terminal does not show."""
    return cut(repr(cut(text.splitlines()[0], LONGEST_QUOTE)), 2 * LONGEST_QUOTE)
