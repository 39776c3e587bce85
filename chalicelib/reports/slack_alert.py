"""Renders the message of a scan: headline, counts, findings, what is unknown, remarks."""

from collections.abc import Iterator

from chalicelib.domain.announcement import Topic
from chalicelib.domain.history import VANISHED
from chalicelib.domain.summary import NAMED_TITLES, AlertSummary, JobSummary, is_success
from chalicelib.reports.slack_blocks import (
    Block,
    Rendered,
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
    render_silence,
    render_titles,
    render_unknown,
    render_vanished,
)
from chalicelib.reports.text import (
    MAX_ATTACHED_ROWS,
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
    Topic.UNCHECKED: (
        "They failed before. The last execution shows neither that they fail nor that they pass, "
        "so they are not counted as fixed, and are remembered."
    ),
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


def render_alert(alert: AlertSummary, origin: Origin) -> Rendered:
    """Renders the message of a scan, with lists as long as Slack accepts."""
    headline = _write_headline(alert)
    text = f"{headline} · {_write_gist(alert)} · {origin}"

    def build(most: int) -> Rendered:
        return build_message(text, [header(headline), *_render_body(alert, origin, most)])

    return fit(build, NAMED_TITLES)


def _render_body(alert: AlertSummary, origin: Origin, most: int) -> Iterator[Block]:
    """Renders findings first if there are any, else what is unknown. `most` limits the lists."""
    if alert.topic is Topic.NEW:
        yield fields(list_facts(alert, origin))
        yield from render_titles(alert.titles[:most], alert.title_count, _point_to_all(alert))
        yield from render_ended_snoozes(alert, origin, most)
        yield from render_vanished(alert, most, with_head=True)
        yield from render_unknown(alert.coverage)
        yield from render_silence(alert, origin)
    else:
        if alert.topic in _LEADS:
            yield mrkdwn_section(_LEADS[alert.topic])
        yield from render_vanished(alert, most, with_head=False)
        yield from render_unknown(alert.coverage)
        yield from render_silence(alert, origin)
        yield fields(list_facts(alert, origin))
    yield from render_remarks(alert)
    yield note(f"{origin} · scan {one_line(alert.scan_id, SCAN_TEXT)}")


def _write_headline(alert: AlertSummary) -> str:
    if alert.topic is Topic.UNCHECKED:
        vanished = alert.count(*VANISHED)
        return format_count(vanished, "finding no longer checked", "findings no longer checked")
    if alert.topic is Topic.SILENT:
        return _write_silence(alert)
    if alert.topic is not Topic.NEW:
        return _HEADLINES[alert.topic]
    number, deferred = sum(alert.counted.values()), alert.coverage.deferred
    partial = f" (partial scan, {format_nodes(deferred)} deferred)" if deferred else ""
    if alert.new:
        new = format_count(number, "new non-compliant finding", "new non-compliant findings")
        return new + partial
    if alert.worse:
        return format_count(number, "finding is worse", "findings are worse") + partial
    still = format_count(number, "finding still fails after its", "findings still fail after their")
    return f"{still} snooze ended{partial}"


def _write_silence(alert: AlertSummary) -> str:
    if alert.silent_count:
        return format_count(
            alert.silent_count, "node has fallen silent", "nodes have fallen silent"
        )
    gone = alert.gone_nodes.count
    return format_count(gone, "node has left", "nodes have left") if gone else "Nodes have left"


def _write_gist(alert: AlertSummary) -> str:
    """Returns the most important numbers, in one line."""
    if alert.topic is Topic.NEW:
        what = format_severities(alert.counted)
    else:
        what = f"{format_findings(sum(alert.open.values()))} open"
    known = format_nodes(alert.coverage.known)
    return f"{what} · {alert.reported:,} of {known} reported" if alert.jobs else what


def _point_to_all(alert: AlertSummary) -> str | None:
    number = sum(alert.announced.values())
    return point_to_csv(number, alert.csv_key) if number > MAX_ATTACHED_ROWS else None


def list_facts(alert: AlertSummary, origin: Origin) -> Iterator[tuple[str, str]]:
    """Yields the counts, and when and where they were taken, as label and value."""
    has_findings = alert.topic is Topic.NEW
    if has_findings:
        yield "New", format_total(alert.new)
    yield "Open, including snoozed", format_total(alert.open)
    yield "Fixed", f"{alert.fixed:,}"
    if has_findings or alert.muted:
        yield "New but snoozed", f"{alert.muted:,}"
    if has_findings:
        news = sum(alert.new.values()) + sum(alert.worse.values())
        ended = sum(alert.announced.values()) - news
        yield "Snooze ended, still failing", f"{ended:,}"
    else:
        last = alert.last_alert_at
        yield "Last alert", origin.local(last) if last else "no alert yet"
    yield "Scan", origin.local(alert.at)
    reported = format_share(alert.reported, alert.coverage.known)
    yield ("Nodes reported" if alert.jobs else "Nodes with new results"), reported
    if alert.jobs:
        label = "Association" if alert.job_count == 1 else "Associations"
        yield label, _list_associations(alert)


def _list_associations(alert: AlertSummary) -> str:
    """Lists how each execution went, the newest first."""
    lines = [_describe_association(job) for job in alert.jobs]
    more = alert.job_count - len(lines)
    return "\n".join([*lines, f"and {more:,} more"] if more else lines)


def _describe_association(job: JobSummary) -> str:
    short = escape(visible(job.association_id)[:ASSOCIATION_TEXT])
    status = escape(one_line(job.status, STATUS_TEXT))
    succeeded = f"{job.succeeded:,} of {format_nodes(job.targets)} succeeded"
    share = f", {succeeded}" if job.targets else ""
    return f"{short} {status if is_success(job.status) else f'*{status}*'}{share}"
