"""Composes the message of a pass: a headline, what it counted, what is in it, what is in doubt."""

from collections import Counter
from collections.abc import Iterator

from chalicelib.domain.alert import Alert, Topic
from chalicelib.domain.message import MAX_ATTACHED_ROWS, Rendered
from chalicelib.reports.origin import Origin
from chalicelib.reports.slack_blocks import (
    Block,
    build_message,
    fields,
    fit,
    header,
    mrkdwn_section,
    note,
)
from chalicelib.reports.slack_coverage import render_doubts, render_remarks
from chalicelib.reports.slack_ended import render_ended_snoozes
from chalicelib.reports.slack_facts import counted_findings, list_facts, new_findings
from chalicelib.reports.slack_titles import render_titles
from chalicelib.reports.visible_text import one_line
from chalicelib.reports.wording import (
    format_count,
    format_findings,
    format_nodes,
    format_severities,
    point_to_csv,
)

NAMED_TITLES = 10
# A scan id is a UUID at the longest.
SCAN_TEXT = 40

_HEADLINES = {
    Topic.NOTHING_NEW: "No new non-compliant findings",
    Topic.NO_REPORT: "No node has reported",
    Topic.INCOMPLETE: "Scan incomplete",
    Topic.COMPLETE_AGAIN: "Scan complete again",
}
_LEADS = {
    Topic.NO_REPORT: (
        "The association ran, but no node has reported since. Nothing was checked, so whether "
        "anything is new is unknown. Look at the association's executions in State Manager and "
        "at the SSM agents of its nodes."
    ),
    Topic.INCOMPLETE: (
        "This is not an all-clear. Among what could be read, nothing is new; the rest is unknown:"
    ),
    Topic.COMPLETE_AGAIN: ("Nothing is in doubt any more, and nothing new was found."),
}


def render_alert(alert: Alert, origin: Origin) -> Rendered:
    """The message of a pass."""
    headline = _headline(alert)
    text = f"{headline} · {_gist(alert)} · {origin}"

    def build(most: int) -> Rendered:
        return build_message(text, [header(headline), *_body(alert, origin, most)])

    return fit(build, NAMED_TITLES)


def _body(alert: Alert, origin: Origin, most: int) -> Iterator[Block]:
    """Findings first where there are some, else what is in doubt; `most` bounds the lists."""
    outcome = alert.outcome
    if alert.topic is Topic.NEW:
        yield fields(list_facts(alert, origin))
        yield from render_titles(counted_findings(alert), most, _where_all(alert))
        yield from render_ended_snoozes(alert.lines.announced, origin, most)
        yield from render_doubts(outcome.coverage)
    else:
        if alert.topic in _LEADS:
            yield mrkdwn_section(_LEADS[alert.topic])
        yield from render_doubts(outcome.coverage)
        yield fields(list_facts(alert, origin))
    yield from render_remarks(alert)
    yield note(f"{origin} · scan {one_line(outcome.scan_id, SCAN_TEXT)}")


def _headline(alert: Alert) -> str:
    if alert.topic is not Topic.NEW:
        return _HEADLINES[alert.topic]
    number, left = len(counted_findings(alert)), alert.outcome.coverage.deferred
    part = f" (part, {format_nodes(left)} left)" if left else ""
    if new_findings(alert):
        return (
            format_count(number, "new non-compliant finding", "new non-compliant findings") + part
        )
    still = format_count(number, "finding still fails after its", "findings still fail after their")
    return f"{still} snooze{part}"


def _where_all(alert: Alert) -> str | None:
    told = len(alert.lines.announced)
    return point_to_csv(told, alert.csv_key) if told > MAX_ATTACHED_ROWS else None


def _gist(alert: Alert) -> str:
    """The most important numbers, in one line."""
    worst = format_severities(Counter(finding.severity for finding in counted_findings(alert)))
    what = (
        worst if alert.topic is Topic.NEW else f"{format_findings(alert.outcome.open_total)} open"
    )
    known = format_nodes(alert.outcome.coverage.known)
    return f"{what} · {alert.reported:,} of {known} reported" if alert.jobs else what
