"""Composes the monthly message: how much is stored, how bad, how old, how much is snoozed."""

from collections.abc import Iterator

from chalicelib.domain.finding import Finding
from chalicelib.domain.message import MAX_ATTACHED_ROWS, Rendered
from chalicelib.domain.monthly import SOON, MonthlyReport
from chalicelib.reports.origin import Origin
from chalicelib.reports.slack_blocks import Block, fields, header, marked, note, plain, rendered
from chalicelib.reports.visible_text import one_line
from chalicelib.reports.wording import (
    KEY_TEXT,
    NODE_TEXT,
    count,
    nodes,
    of_known,
    severities,
    worst_of,
)

TITLE_TEXT = 300


def monthly_message(report: MonthlyReport, origin: Origin) -> Rendered:
    """The message of the monthly report."""
    stored = count(report.total, "non-compliant finding", "non-compliant findings")
    headline = f"Monthly report: {stored}"
    words = severities(report.by_severity)
    affected = f"{nodes(report.affected_nodes)} affected"
    text = " · ".join(filter(None, (headline, words, affected, str(origin))))
    return rendered(text, [header(headline), *_body(report, origin)])


def _body(report: MonthlyReport, origin: Origin) -> Iterator[Block]:
    if not report.known_nodes:
        yield marked("*No node is known*, so nothing was checked.")
    yield fields(_facts(report, origin))
    if report.oldest:
        yield marked("*Oldest finding*")
        yield plain(_oldest(report.oldest, report, origin))
    if report.doubtful_nodes:
        yield marked(_doubtful(report.doubtful_nodes))
    yield note(_where(report))
    yield note(str(origin))


def _facts(report: MonthlyReport, origin: Origin) -> Iterator[tuple[str, str]]:
    yield "Stored findings", f"{report.total:,}, snoozed ones included"
    yield "By severity", severities(report.by_severity) or "none"
    yield "Affected nodes", of_known(report.affected_nodes, report.known_nodes)
    yield "As of", origin.local(report.at)
    yield (
        "Snoozed",
        f"{report.snoozed:,}, of which {report.ending_soon:,} end within {SOON.days} days",
    )


def _oldest(finding: Finding, report: MonthlyReport, origin: Origin) -> str:
    node = one_line(finding.instance_id, NODE_TEXT)
    age = count((report.at - finding.first_seen).days, "day", "days")
    since = f"since {origin.local(finding.first_seen)}, {age}"
    return (
        f"{one_line(finding.title, TITLE_TEXT)}\n{finding.severity.capitalize()} on {node} {since}"
    )


def _where(report: MonthlyReport) -> str:
    if report.total > MAX_ATTACHED_ROWS:
        return worst_of(report.total, report.csv_key)
    return f"CSV in the thread and in S3: {one_line(report.csv_key, KEY_TEXT)}"


def _doubtful(number: int) -> str:
    return (
        f"*{nodes(number)} in doubt.* Missing from SSM or not read with certainty: "
        "what is stored of them may be old."
    )
