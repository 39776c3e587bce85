"""Renders the monthly message: how much is stored, how bad, how old, how much is snoozed."""

from collections.abc import Iterator
from datetime import datetime

from chalicelib.domain.finding import Finding
from chalicelib.domain.monthly import OLD_RESULT, SOON, MonthlyReport
from chalicelib.domain.text import one_line
from chalicelib.reports.slack_blocks import (
    KEY_TEXT,
    MAX_ATTACHED_ROWS,
    NODE_TEXT,
    Block,
    Origin,
    Rendered,
    build_message,
    fields,
    format_count,
    format_nodes,
    format_severities,
    format_share,
    header,
    mrkdwn_section,
    note,
    plain_section,
    point_to_csv,
)

TITLE_TEXT = 300


def render_monthly(report: MonthlyReport, origin: Origin) -> Rendered:
    """Renders the message of the monthly report."""
    stored = format_count(report.total, "non-compliant finding", "non-compliant findings")
    headline = f"Monthly report: {stored}"
    words = format_severities(report.by_severity)
    affected = f"{format_nodes(report.affected_nodes)} affected"
    text = " · ".join(filter(None, (headline, words, affected, str(origin))))
    return build_message(text, [header(headline), *_render_body(report, origin)])


def _render_body(report: MonthlyReport, origin: Origin) -> Iterator[Block]:
    if not report.known_nodes:
        yield mrkdwn_section("*No nodes are known.* Nothing was checked.")
    yield fields(_list_facts(report, origin))
    if report.oldest:
        yield mrkdwn_section("*Oldest finding*")
        yield plain_section(_describe_oldest(report.oldest, report, origin))
    if report.unchecked:
        yield mrkdwn_section(_describe_unchecked(report, origin))
    if report.stale_nodes:
        yield mrkdwn_section(_describe_stale(report.stale_nodes))
    yield note(_point_to_file(report))
    yield note(str(origin))


def _list_facts(report: MonthlyReport, origin: Origin) -> Iterator[tuple[str, str]]:
    yield "Stored findings", f"{report.total:,}, including snoozed"
    yield "By severity", format_severities(report.by_severity) or "none"
    yield "Affected nodes", format_share(report.affected_nodes, report.known_nodes)
    yield "As of", origin.local(report.at)
    soon = format_count(report.ending_soon, "expires", "expire")
    if report.oldest_result:
        yield "Results", _describe_results(report.oldest_result, report, origin)
    yield "Snoozed", f"{report.snoozed:,} ({soon} within {SOON.days} days)"


def _describe_results(oldest: datetime, report: MonthlyReport, origin: Origin) -> str:
    old = f"{format_nodes(report.old_nodes)} with results older than {OLD_RESULT.days} days"
    return f"the oldest of {origin.local(oldest)}, {old}"


def _describe_oldest(finding: Finding, report: MonthlyReport, origin: Origin) -> str:
    node = one_line(finding.instance_id, NODE_TEXT)
    age = format_count((report.at - finding.first_seen).days, "day", "days")
    seen = f"first seen {origin.local(finding.first_seen)}, {age} ago"
    title = one_line(finding.title, TITLE_TEXT)
    return f"{title}\n{finding.severity.capitalize()} on {node}, {seen}"


def _point_to_file(report: MonthlyReport) -> str:
    if report.total > MAX_ATTACHED_ROWS:
        return point_to_csv(report.total, report.csv_key)
    return f"CSV in the thread and in S3: {one_line(report.csv_key, KEY_TEXT)}"


def _describe_unchecked(report: MonthlyReport, origin: Origin) -> str:
    """Describes the findings that are remembered, and are no part of the other numbers."""
    number = format_count(report.unchecked, "more finding is", "more findings are")
    since = report.unchecked_since
    oldest = f", the oldest since {origin.local(since)}" if since else ""
    return (
        f"*{number} no longer checked* on {format_nodes(report.unchecked_nodes)}{oldest}. "
        "No scan shows that they are fixed. They are at the end of the CSV."
    )


def _describe_stale(number: int) -> str:
    they_are = "It is" if number == 1 else "They are"
    return (
        f"*{format_nodes(number)} with possibly outdated results.* {they_are} missing from SSM or "
        "unverified."
    )
