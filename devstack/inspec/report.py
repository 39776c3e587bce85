"""Turn a report of `inspec exec --reporter json` into the compliance items that SSM gets.

One item for each result, as the reporter of AWS-RunInspecChecks writes them; skipped results
are dropped. What that reporter would lose without a word is a ReportError or a warning here.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from chalicelib.reports.visible_text import one_line

Severity: TypeAlias = Literal["LOW", "HIGH", "CRITICAL"]
Status: TypeAlias = Literal["COMPLIANT", "NON_COMPLIANT"]

MAX_ITEMS = 10_000  # of one PutComplianceItems call
MAX_TITLE = 500  # characters; a longer title fails the whole call
HIGH_FROM, CRITICAL_FROM = 0.4, 0.7
STATUSES: Mapping[str, Status] = {"passed": "COMPLIANT", "failed": "NON_COMPLIANT"}
SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class ReportItem:
    """One result: `severity` and `status` in the words of SSM, `title` at most 500 characters."""

    id: str
    title: str
    severity: Severity
    status: Status


@dataclass(frozen=True, slots=True)
class ParsedReport:
    """The items of a report, how many titles were cut, and what its reader should know."""

    items: tuple[ReportItem, ...]
    cut_titles: int
    warnings: tuple[str, ...]


def parse_report(report: bytes) -> ParsedReport:
    """Return the items of `report`, the bytes that InSpec wrote to its standard output.

    A report in which nothing was checked (unsupported platform, all skipped) has no items and
    a warning. Raises ReportError for anything that is no such report, or has over 10,000 results.
    """
    profiles = _profiles(_json(report))
    items: list[ReportItem] = []
    cut_titles = 0
    for control, result in _results(profiles):
        title = f"{require_text(control, 'title')} : {require_text(result, 'code_desc')}"
        cut_titles += len(title) > MAX_TITLE
        items.append(_item(control, result, title[:MAX_TITLE], len(items)))
    if len(items) > MAX_ITEMS:
        raise ReportError(
            f"The report has {len(items)} results, SSM takes {MAX_ITEMS} of a node. "
            "Split the profile, or check fewer things in a loop."
        )
    return ParsedReport(tuple(items), cut_titles, tuple(_warnings(profiles, len(items))))


def _json(report: bytes) -> Mapping[str, Any]:
    try:
        parsed = json.loads(report)
    except (ValueError, RecursionError) as error:
        raise ReportError(_why_not_json(report, error)) from error
    return require_object(parsed, "The report")


def _why_not_json(report: bytes, error: Exception) -> str:
    lines = report.strip().splitlines()
    if not lines:
        return "The report is empty. Run inspec exec with --reporter json and keep its output."
    if not lines[0].startswith(b"{"):
        shown = lines[0][:80].decode(errors="replace")
        return (
            f"The report does not begin with JSON but with {shown!r}. "
            "Keep profiles and wrappers from printing: one stray line loses a report."
        )
    return (
        f"The report is broken JSON ({error}): cut off, or something was printed after it. "
        "Run the scan again and keep the whole output of InSpec, and nothing else."
    )


def _profiles(report: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if "profiles" not in report:
        if "controls" in report:
            raise ReportError(
                "The report is json-min, which has no titles. Run inspec exec with --reporter json."
            )
        raise ReportError(
            "The report has no profiles, so InSpec did not write it. "
            "Run inspec exec with --reporter json."
        )
    return require_objects(report, "profiles")


def _results(
    profiles: list[Mapping[str, Any]],
) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Yield (control, result); an overlay repeats the controls of its base without results."""
    for profile in profiles:
        for control in require_objects(profile, "controls"):
            for result in require_objects(control, "results"):
                if result.get("status") != SKIPPED:
                    yield control, result


def _item(
    control: Mapping[str, Any], result: Mapping[str, Any], title: str, index: int
) -> ReportItem:
    control_id, status = require_text(control, "id"), require_text(result, "status")
    if status not in STATUSES:
        raise ReportError(
            f"Control {control_id[:80]!r} has a result with status {status[:80]!r}, "
            "InSpec writes passed, failed or skipped. Was the report edited?"
        )
    return ReportItem(
        id=f"{control_id}-{index}",
        title=title,
        severity=_severity(require_number(control, "impact")),
        status=STATUSES[status],
    )


def _severity(impact: float) -> Severity:
    if impact < HIGH_FROM:
        return "LOW"
    return "HIGH" if impact < CRITICAL_FROM else "CRITICAL"


def _warnings(profiles: list[Mapping[str, Any]], items: int) -> Iterator[str]:
    for profile in profiles:
        if profile.get("status", "loaded") != "loaded":
            name, reason = (require_text(profile, key) for key in ("name", "status_message"))
            yield f"Profile {name} did not run: {reason}"
    if not items:
        yield "Nothing was checked: the report has no passed and no failed result."


LONGEST_NAME = 100
FOREIGN = "Run inspec exec with --reporter json and leave its output as it is."


class ReportError(ValueError):
    """A report that cannot be loaded: what is wrong, where, and what to do about it."""


def require_object(value: Any, where: str) -> Mapping[str, Any]:
    """Return `value`, which must be a JSON object."""
    if not isinstance(value, Mapping):
        raise ReportError(f"{where} is not a JSON object. {FOREIGN}")
    return value


def require_objects(parent: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """Return the objects under `key`; InSpec leaves out the key where it has none."""
    values = parent.get(key, [])
    if not isinstance(values, list):
        raise ReportError(f"{_name(parent)}: {key} is not a list. {FOREIGN}")
    return [require_object(value, f"{_name(parent)}: an entry of {key}") for value in values]


def require_text(parent: Mapping[str, Any], key: str) -> str:
    """Return the text under `key`; null and missing are "", as Ruby puts nil into a string."""
    value = parent.get(key)
    if not isinstance(value, str | None):
        raise ReportError(f"{_name(parent)}: {key} is not a text. {FOREIGN}")
    return value or ""


def require_number(parent: Mapping[str, Any], key: str) -> float:
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
