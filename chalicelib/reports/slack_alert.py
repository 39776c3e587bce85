"""Renders the message of a scan: headline, counts, findings, what is unknown, remarks."""

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
    render_ended_snoozes,
    render_remarks,
    render_titles,
    render_unknown,
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
NAMED_ASSOCIATIONS = 3
# Characters. The first part of a UUID tells the associations of one account apart.
ASSOCIATION_TEXT = 8
STATUS_TEXT = 40
# A scan id is not longer than a UUID.
SCAN_TEXT = 40

_HEADLINES = {
    Topic.NOTHING_NEW: "No new non-compliant findings",
    Topic.NO_REPORT: "No node has reported",
    Topic.INCOMPLETE: "Scan incomplete",
    Topic.COMPLETE_AGAIN: "Scan complete again",
}
_LEADS = {
    Topic.NO_REPORT: (
        "The association ran, but no node has reported since. Nothing was checked, so it is "
        "unknown whether anything is new. Check the association's executions in State Manager "
        "and the SSM agents of its nodes."
    ),
    Topic.INCOMPLETE: (
        "This is not an all-clear. Nothing is new in what could be read. The rest is unknown:"
    ),
    Topic.COMPLETE_AGAIN: "Everything could be read again. Nothing new was found.",
}


def render_alert(alert: Alert, origin: Origin) -> Rendered:
    """Renders the message of a scan, with lists as long as Slack accepts."""
    headline = _write_headline(alert)
    text = f"{headline} · {_write_gist(alert)} · {origin}"

    def build(most: int) -> Rendered:
        return build_message(text, [header(headline), *_render_body(alert, origin, most)])

    return fit(build, NAMED_TITLES)


def _render_body(alert: Alert, origin: Origin, most: int) -> Iterator[Block]:
    """Renders findings first if there are any, else what is unknown. `most` limits the lists."""
    outcome = alert.outcome
    if alert.topic is Topic.NEW:
        yield fields(list_facts(alert, origin))
        yield from render_titles(_select_counted(alert), most, _point_to_all(alert))
        yield from render_ended_snoozes(alert.lines.announced, origin, most)
        yield from render_unknown(outcome.coverage)
    else:
        if alert.topic in _LEADS:
            yield mrkdwn_section(_LEADS[alert.topic])
        yield from render_unknown(outcome.coverage)
        yield fields(list_facts(alert, origin))
    yield from render_remarks(alert)
    yield note(f"{origin} · scan {one_line(outcome.scan_id, SCAN_TEXT)}")


def _write_headline(alert: Alert) -> str:
    if alert.topic is not Topic.NEW:
        return _HEADLINES[alert.topic]
    number, deferred = len(_select_counted(alert)), alert.outcome.coverage.deferred
    partial = f" (partial scan, {format_nodes(deferred)} deferred)" if deferred else ""
    if _select_new(alert):
        new = format_count(number, "new non-compliant finding", "new non-compliant findings")
        return new + partial
    still = format_count(number, "finding still fails after its", "findings still fail after their")
    return f"{still} snooze ended{partial}"


def _write_gist(alert: Alert) -> str:
    """Returns the most important numbers, in one line."""
    if alert.topic is Topic.NEW:
        counted = Counter(finding.severity for finding in _select_counted(alert))
        what = format_severities(counted)
    else:
        what = f"{format_findings(alert.outcome.open_total)} open"
    known = format_nodes(alert.outcome.coverage.known)
    return f"{what} · {alert.reported:,} of {known} reported" if alert.jobs else what


def _point_to_all(alert: Alert) -> str | None:
    number = len(alert.lines.announced)
    return point_to_csv(number, alert.csv_key) if number > MAX_ATTACHED_ROWS else None


def _select_new(alert: Alert) -> tuple[Finding, ...]:
    return tuple(line.finding for line in alert.lines.announced if line.reason is LineReason.NEW)


def _select_counted(alert: Alert) -> tuple[Finding, ...]:
    """Selects what the headline counts: new findings, else those whose snooze ended."""
    return _select_new(alert) or tuple(line.finding for line in alert.lines.announced)


def list_facts(alert: Alert, origin: Origin) -> Iterator[tuple[str, str]]:
    """Yields the counts, and when and where they were taken, as label and value."""
    outcome, new, has_findings = alert.outcome, _select_new(alert), alert.topic is Topic.NEW
    if has_findings:
        yield "New", format_total(Counter(finding.severity for finding in new))
    yield "Open, including snoozed", format_total(outcome.by_severity)
    yield "Fixed", f"{outcome.fixed:,}"
    if has_findings or alert.lines.muted:
        yield "New but snoozed", f"{alert.lines.muted:,}"
    if has_findings:
        yield "Snooze ended, still failing", f"{len(alert.lines.announced) - len(new):,}"
    else:
        last = alert.last_alert_at
        yield "Last alert", origin.local(last) if last else "no alert yet"
    newest = alert.jobs[0] if alert.jobs else None
    yield "Scan", origin.local(newest.executed_at if newest and newest.executed_at else outcome.at)
    reported = format_share(alert.reported, outcome.coverage.known)
    yield ("Nodes reported" if newest else "Nodes with new results"), reported
    if newest:
        label = "Association" if len(alert.jobs) == 1 else "Associations"
        yield label, _list_associations(alert.jobs)


def _list_associations(jobs: Sequence[Job]) -> str:
    """Lists how each execution went, the newest first."""
    lines = [_describe_association(job) for job in jobs[:NAMED_ASSOCIATIONS]]
    more = len(jobs) - len(lines)
    return "\n".join([*lines, f"and {more:,} more"] if more else lines)


def _describe_association(job: Job) -> str:
    short = escape(visible(job.association_id)[:ASSOCIATION_TEXT])
    status = escape(one_line(job.status, STATUS_TEXT))
    succeeded = sum(number for name, number in job.nodes.items() if _is_success(name))
    share = f", {succeeded:,} of {format_nodes(job.targets)} succeeded" if job.nodes else ""
    return f"{short} {status if _is_success(job.status) else f'*{status}*'}{share}"


def _is_success(status: str) -> bool:
    return status.casefold() == "success"
