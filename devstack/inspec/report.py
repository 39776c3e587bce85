"""Parses the output of `inspec exec --reporter json` into compliance items for SSM.

Each result becomes one item, as in AWS-RunInspecChecks. Skipped results are dropped. If that
document would lose data silently, this raises ReportError or adds a warning.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from chalicelib.domain.text import one_line

Severity: TypeAlias = Literal["LOW", "HIGH", "CRITICAL"]
Status: TypeAlias = Literal["COMPLIANT", "NON_COMPLIANT"]

MAX_ITEMS = 10_000  # of one PutComplianceItems call
MAX_TITLE = 500  # characters; a longer title fails the whole call
HIGH_FROM, CRITICAL_FROM = 0.4, 0.7
STATUSES: Mapping[str, Status] = {"passed": "COMPLIANT", "failed": "NON_COMPLIANT"}
SKIPPED = "skipped"
LONGEST_NAME = 100
HINT = "Run inspec exec with --reporter json and leave its output as it is."


class ReportError(ValueError):
    """The report is unusable. The text says what is wrong, where, and what to do."""


@dataclass(frozen=True, slots=True)
class ReportItem:
    """One result. `severity` and `status` are SSM's, `title` has at most 500 characters."""

    id: str
    title: str
    severity: Severity
    status: Status


@dataclass(frozen=True, slots=True)
class ParsedReport:
    """The items of a report, the number of cut titles, and warnings for its reader."""

    items: tuple[ReportItem, ...]
    cut_titles: int
    warnings: tuple[str, ...]


def parse_report(report: bytes) -> ParsedReport:
    """Return the items of `report`, the bytes of InSpec's standard output.

    If nothing was checked (unsupported platform, everything skipped), there are no items and a
    warning. Raises ReportError for other input, and for more than 10,000 results.
    """
    profiles = _read_profiles(_parse_json(report))
    items: list[ReportItem] = []
    cut_titles = 0
    for control, result in _iterate_results(profiles):
        title = f"{require_text(control, 'title')} : {require_text(result, 'code_desc')}"
        cut_titles += len(title) > MAX_TITLE
        items.append(_build_item(control, result, title[:MAX_TITLE], len(items)))
    if len(items) > MAX_ITEMS:
        raise ReportError(
            f"The report has {len(items)} results, SSM accepts {MAX_ITEMS} for a node. "
            "Split the profile, or check fewer things in a loop."
        )
    return ParsedReport(tuple(items), cut_titles, tuple(_collect_warnings(profiles, len(items))))


def _parse_json(report: bytes) -> Mapping[str, Any]:
    try:
        parsed = json.loads(report)
    except (ValueError, RecursionError) as error:
        raise ReportError(_explain_bad_json(report, error)) from error
    return require_object(parsed, "The report")


def _explain_bad_json(report: bytes, error: Exception) -> str:
    lines = report.strip().splitlines()
    if not lines:
        return "The report is empty. Run inspec exec with --reporter json and keep its output."
    if not lines[0].startswith(b"{"):
        shown = lines[0][:80].decode(errors="replace")
        return (
            f"The report does not begin with JSON but with {shown!r}. "
            "Profiles and wrappers must not print anything: one stray line loses the report."
        )
    return (
        f"The report is not valid JSON ({error}). It was cut off, or something was printed after "
        "it. Run InSpec again and keep its whole output, and nothing else."
    )


def _read_profiles(report: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if "profiles" not in report:
        if "controls" in report:
            raise ReportError(
                "The report is json-min, which has no titles. Run inspec exec with --reporter json."
            )
        raise ReportError(
            "The report has no profiles, so it does not come from InSpec. "
            "Run inspec exec with --reporter json."
        )
    return require_objects(report, "profiles")


def _iterate_results(
    profiles: list[Mapping[str, Any]],
) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Yield each control with each result. An overlay repeats controls without their results."""
    for profile in profiles:
        for control in require_objects(profile, "controls"):
            for result in require_objects(control, "results"):
                if result.get("status") != SKIPPED:
                    yield control, result


def _build_item(
    control: Mapping[str, Any], result: Mapping[str, Any], title: str, index: int
) -> ReportItem:
    control_id, status = require_text(control, "id"), require_text(result, "status")
    if status not in STATUSES:
        raise ReportError(
            f"Control {control_id[:80]!r} has a result with status {status[:80]!r}. "
            "InSpec writes passed, failed or skipped. Was the report edited?"
        )
    return ReportItem(
        id=f"{control_id}-{index}",
        title=title,
        severity=_derive_severity(require_number(control, "impact")),
        status=STATUSES[status],
    )


def _derive_severity(impact: float) -> Severity:
    if impact < HIGH_FROM:
        return "LOW"
    return "HIGH" if impact < CRITICAL_FROM else "CRITICAL"


def _collect_warnings(profiles: list[Mapping[str, Any]], items: int) -> Iterator[str]:
    for profile in profiles:
        if profile.get("status", "loaded") != "loaded":
            name, reason = (require_text(profile, key) for key in ("name", "status_message"))
            yield f"Profile {name} did not run: {reason}"
    if not items:
        yield "Nothing was checked: the report has neither passed nor failed results."


def require_object(value: Any, name: str) -> Mapping[str, Any]:
    """Return `value` if it is a JSON object, or raise ReportError."""
    if not isinstance(value, Mapping):
        raise ReportError(f"{name} is not a JSON object. {HINT}")
    return value


def require_objects(parent: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """Return the list of objects under `key`, or raise ReportError. No key means no objects."""
    values = parent.get(key, [])
    if not isinstance(values, list):
        raise ReportError(f"{_find_name(parent)}: {key} is not a list. {HINT}")
    return [require_object(value, f"{_find_name(parent)}: an entry of {key}") for value in values]


def require_text(parent: Mapping[str, Any], key: str) -> str:
    """Return the text under `key`, or raise ReportError.

    null and a missing key are "", as Ruby formats nil.
    """
    value = parent.get(key)
    if not isinstance(value, str | None):
        raise ReportError(f"{_find_name(parent)}: {key} is not text. {HINT}")
    return value or ""


def require_number(parent: Mapping[str, Any], key: str) -> float:
    """Return the number under `key`, or raise ReportError."""
    value = parent.get(key)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ReportError(f"{_find_name(parent)}: {key} is not a number. {HINT}")
    return value


def _find_name(parent: Mapping[str, Any]) -> str:
    """Name an object as a person finds it in the report: by its id or name."""
    names = (parent.get("id"), parent.get("name"))
    texts = [name for name in names if isinstance(name, str) and name]
    return one_line(texts[0], LONGEST_NAME) if texts else "The report"
