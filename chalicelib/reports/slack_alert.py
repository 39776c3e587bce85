"""Composes the message of a pass: a headline, what it counted, what is in it, what is in doubt."""

from collections import Counter
from collections.abc import Iterator, Sequence

from chalicelib.domain.announcement import Alert, LineReason, Topic
from chalicelib.domain.finding import Finding
from chalicelib.domain.job import Job
from chalicelib.domain.message import MAX_ATTACHED_ROWS, Rendered
from chalicelib.reports.slack_blocks import (
    Block,
    build_message,
    escape,
    fields,
    fit,
    header,
    mrkdwn_section,
    note,
)
from chalicelib.reports.slack_sections import (
    render_doubts,
    render_ended_snoozes,
    render_remarks,
    render_titles,
)
from chalicelib.reports.text import (
    Origin,
    format_count,
    format_findings,
    format_nodes,
    format_severities,
    format_share,
    format_total,
    one_line,
    point_to_csv,
    visible,
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


NAMED_ASSOCIATIONS = 3
# The first part of a UUID tells the associations of one account apart.
ASSOCIATION_TEXT = 8
STATUS_TEXT = 40


def announced_findings(alert: Alert) -> tuple[Finding, ...]:
    """Everything that the message tells."""
    return tuple(line.finding for line in alert.lines.announced)


def new_findings(alert: Alert) -> tuple[Finding, ...]:
    """What is new of it."""
    return tuple(line.finding for line in alert.lines.announced if line.reason is LineReason.NEW)


def counted_findings(alert: Alert) -> tuple[Finding, ...]:
    """What the headline counts: the new ones, else those whose snooze ended."""
    return new_findings(alert) or announced_findings(alert)


def list_facts(alert: Alert, origin: Origin) -> Iterator[tuple[str, str]]:
    """The counts, and when and where they were taken: label and value."""
    outcome, new, is_new = alert.outcome, new_findings(alert), alert.topic is Topic.NEW
    if is_new:
        yield "New", format_total(Counter(finding.severity for finding in new))
    yield "Open, snoozed included", format_total(outcome.by_severity)
    yield "Resolved", f"{outcome.fixed:,}"
    if is_new or alert.lines.muted:
        yield "New but snoozed", f"{alert.lines.muted:,}"
    if is_new:
        yield "Snooze ended, still failing", f"{len(announced_findings(alert)) - len(new):,}"
    else:
        yield "Last alert", _last_alert(alert, origin)
    newest = alert.jobs[0] if alert.jobs else None
    yield "Scan", origin.local(newest.executed_at if newest and newest.executed_at else outcome.at)
    reported = format_share(alert.reported, outcome.coverage.known)
    yield ("Nodes reported" if newest else "Nodes with new results"), reported
    if newest:
        label = "Association" if len(alert.jobs) == 1 else "Associations"
        yield label, _associations(alert.jobs)


def _last_alert(alert: Alert, origin: Origin) -> str:
    return origin.local(alert.last_alert_at) if alert.last_alert_at else "no alert yet"


def _associations(jobs: Sequence[Job]) -> str:
    """How each execution went, the newest first."""
    lines = [_association(job) for job in jobs[:NAMED_ASSOCIATIONS]]
    more = len(jobs) - len(lines)
    return "\n".join([*lines, f"and {more:,} more"] if more else lines)


def _association(job: Job) -> str:
    short = escape(visible(job.association_id)[:ASSOCIATION_TEXT])
    status = escape(one_line(job.status, STATUS_TEXT))
    succeeded = sum(number for name, number in job.nodes.items() if _is_success(name))
    share = f", {succeeded:,} of {format_nodes(job.targets)} succeeded" if job.nodes else ""
    return f"{short} {status if _is_success(job.status) else f'*{status}*'}{share}"


def _is_success(status: str) -> bool:
    return status.casefold() == "success"
