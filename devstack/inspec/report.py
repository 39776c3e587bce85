"""Turns the output of `inspec exec --reporter json` into compliance items for SSM.

Each result becomes one item, as in AWS-RunInspecChecks. Skipped results are dropped. If that
document would fail, this raises ReportError. If it would lose data silently, this adds a warning.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from chalicelib.domain.text import one_line
from chalicelib.reports.slack_blocks import format_count
from devstack.inspec.report_json import (
    HINT,
    ReportError,
    find_name,
    iterate_controls,
    quote,
    read_profiles,
    require_number,
    require_objects,
    require_text,
)

Severity: TypeAlias = Literal["LOW", "HIGH", "CRITICAL"]
Status: TypeAlias = Literal["COMPLIANT", "NON_COMPLIANT"]

MAX_ITEMS = 10_000  # of one PutComplianceItems call
MAX_TITLE = 500  # characters; a longer title fails the whole call
HIGH_FROM, CRITICAL_FROM = 0.4, 0.7
STATUSES: Mapping[str, Status] = {"passed": "COMPLIANT", "failed": "NON_COMPLIANT"}
SKIPPED = "skipped"
LONGEST_REASON = 300
REFUSED = (
    "AWS-RunInspecChecks would fail, and the node would keep its old items. Nothing was loaded."
)


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


def parse_report(report: bytes, *, cut_titles: bool = False) -> ParsedReport:
    """Return the items of `report`, the bytes of InSpec's standard output.

    If nothing was checked (unsupported platform, everything skipped), there are no items and a
    warning. Raises ReportError for other input, for more than 10,000 results, and, unless
    `cut_titles`, for a title of more than 500 characters.
    """
    profiles = read_profiles(report)
    items: list[ReportItem] = []
    too_long: list[str] = []
    for control, result in _iterate_results(profiles):
        item = _build_item(control, result, len(items))
        if len(item.title) > MAX_TITLE:
            too_long.append(find_name(control))
            item = replace(item, title=item.title[:MAX_TITLE])
        items.append(item)
    if len(items) > MAX_ITEMS:
        raise ReportError(
            f"The report has {len(items):,} results, SSM accepts {MAX_ITEMS:,} for a node. "
            f"{REFUSED} Split the profile, or check fewer things in a loop."
        )
    if too_long and not cut_titles:
        raise ReportError(_explain_long_titles(too_long))
    warnings = _collect_warnings(profiles, len(items))
    return ParsedReport(tuple(items), len(too_long), tuple(dict.fromkeys(warnings)))


def _iterate_results(
    profiles: list[Mapping[str, Any]],
) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Yield each control with each result. An overlay repeats controls without their results."""
    for control in iterate_controls(profiles):
        for result in require_objects(control, "results"):
            if result.get("status") != SKIPPED:
                yield control, result


def _build_item(control: Mapping[str, Any], result: Mapping[str, Any], index: int) -> ReportItem:
    if "impact" not in control and "title" not in control:
        raise ReportError(
            f"Control {find_name(control)} has neither title nor impact: this is the reduced "
            f"report that Chef Automate gets. {HINT}"
        )
    title, description = require_text(control, "title"), require_text(result, "code_desc", control)
    return ReportItem(
        id=f"{require_text(control, 'id')}-{index}",
        title=f"{title} : {description}",
        severity=_derive_severity(require_number(control, "impact")),
        status=_read_status(control, result),
    )


def _read_status(control: Mapping[str, Any], result: Mapping[str, Any]) -> Status:
    status = require_text(result, "status", control)
    if status not in STATUSES:
        shown = f"with status {quote(status)}" if status else "without a status"
        raise ReportError(
            f"Control {find_name(control)} has a result {shown}. "
            "InSpec writes passed, failed or skipped. Was the report edited?"
        )
    return STATUSES[status]


def _derive_severity(impact: float) -> Severity:
    if 0 <= impact < HIGH_FROM:
        return "LOW"
    return "HIGH" if HIGH_FROM <= impact < CRITICAL_FROM else "CRITICAL"


def _explain_long_titles(controls: list[str]) -> str:
    titles = format_count(len(controls), "title is", "titles are")
    which = "" if len(controls) == 1 else "the first "
    return (
        f"{titles} over SSM's limit of {MAX_TITLE} characters, {which}in control {controls[0]}. "
        f"{REFUSED} Shorten the title of the control or the text of its check, "
        "or add --cut-titles to load cut titles."
    )


def _collect_warnings(profiles: list[Mapping[str, Any]], items: int) -> Iterator[str]:
    for profile in profiles:
        for each in (profile, *require_objects(profile, "depends")):
            reason = require_text(each, "status_message") or require_text(each, "skip_message")
            # old versions write no status
            status = require_text(each, "status") or ("skipped" if reason else "loaded")
            if status != "loaded":
                shown = one_line(reason or "InSpec gave no reason.", LONGEST_REASON)
                yield f"Profile {find_name(each, 'without a name')} did not run: {shown}"
    if any("removed_results_counts" in control for control in iterate_controls(profiles)):
        yield f"Results are missing: the report was shortened for Chef Automate. {HINT}"
    if not items:
        yield "Nothing was checked: the report has neither passed nor failed results."
