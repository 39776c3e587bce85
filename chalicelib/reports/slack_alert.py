"""Renders the message of a scan: headline, counts, findings, what is unknown, remarks."""

from collections.abc import Iterator

from chalicelib.domain.announcement import Topic
from chalicelib.domain.history import VANISHED
from chalicelib.domain.scan import is_success
from chalicelib.domain.summary import NAMED_TITLES, AlertSummary, JobSummary
from chalicelib.domain.text import one_line, visible
from chalicelib.reports.slack_blocks import (
    MAX_ATTACHED_ROWS,
    Block,
    Origin,
    Rendered,
    build_message,
    escape,
    fields,
    fit,
    format_count,
    format_findings,
    format_nodes,
    format_severities,
    format_share,
    format_total,
    header,
    mrkdwn_section,
    note,
    plain_section,
    point_to_csv,
)
from chalicelib.reports.slack_sections import (
    render_ended_snoozes,
    render_noted_snoozes,
    render_remarks,
    render_silence,
    render_titles,
    render_unknown,
    render_vanished,
)

# Characters. The first part of a UUID tells the associations of one account apart.
ASSOCIATION_TEXT = 8
STATUS_TEXT = 40
# A scan id is not longer than a UUID.
SCAN_TEXT = 40
FIX_TEXT = 500

_HEADLINES = {
    Topic.NOTHING_NEW: "No new non-compliant findings",
    Topic.NO_REPORT: "No node gave a result",
    Topic.INCOMPLETE: "Scan incomplete",
    Topic.COMPLETE_AGAIN: "Scan complete again",
}
_LEADS = {
    Topic.UNCHECKED: (
        "They failed before. The last execution shows neither that they fail nor that they pass, "
        "so they are not counted as fixed, and are remembered."
    ),
    Topic.NO_REPORT: (
        "The association ran, but none of its targets gave a result. Nothing was checked there, "
        "so it is unknown whether anything is new. Check the association's executions in State "
        "Manager and the SSM agents of its nodes."
    ),
    Topic.INCOMPLETE: (
        "This is not an all-clear. Nothing is new in what could be read. The rest is unknown:"
    ),
    Topic.COMPLETE_AGAIN: "Everything could be read again. Nothing new was found.",
}


_PARTLY_CHECKED = (
    "This is not an all-clear. Whether anything is new on the other nodes is unknown. Check the "
    "association's executions in State Manager and the SSM agents of its nodes."
)
_NOT_CHECKED = (
    "This is not an all-clear. These findings failed when they were last checked. The API lists "
    "them with `state=unchecked`."
)
_PERHAPS_CHECKED = (
    "This is not an all-clear. SSM did not say which nodes the association was for, so others may "
    "have given no result."
)


def render_alert(alert: AlertSummary, origin: Origin) -> Rendered:
    """Renders the message of a scan, with lists as long as Slack accepts."""
    headline = _write_headline(alert, origin)
    text = f"{headline} · {_write_gist(alert)} · {origin}"

    def build(most: int) -> Rendered:
        return build_message(text, [header(headline), *_render_body(alert, origin, most)])

    return fit(build, NAMED_TITLES)


def _render_body(alert: AlertSummary, origin: Origin, most: int) -> Iterator[Block]:
    """Renders findings first if there are any, else what is unknown. `most` limits the lists."""
    if alert.topic is Topic.NEW:
        yield fields(list_facts(alert, origin))
        yield from render_titles(alert.titles[:most], alert.title_count, _point_to_all(alert))
        if alert.fix:
            yield plain_section(f"How to mend: {one_line(alert.fix, FIX_TEXT)}")
        yield from render_ended_snoozes(alert, origin, most)
        yield from render_noted_snoozes(alert, origin, most)
        yield from render_vanished(alert, most, with_head=True)
        yield from render_unknown(alert.coverage)
        yield from render_silence(alert, origin)
    else:
        if lead := _write_lead(alert):
            yield mrkdwn_section(lead)
        yield from render_vanished(alert, most, with_head=False)
        yield from render_noted_snoozes(alert, origin, most)
        yield from render_unknown(alert.coverage)
        yield from render_silence(alert, origin)
        yield fields(list_facts(alert, origin))
    yield from render_remarks(alert)
    yield note(f"{origin} · scan {one_line(alert.scan_id, SCAN_TEXT)}")


def _write_lead(alert: AlertSummary) -> str:
    if alert.topic is Topic.PARTLY_CHECKED:
        if alert.targets > alert.reported:
            return _PARTLY_CHECKED
        return _NOT_CHECKED if alert.coverage.unchecked_since else _PERHAPS_CHECKED
    return _LEADS.get(alert.topic, "")


def _write_headline(  # noqa: PLR0911 - a flat list: one return for each topic
    alert: AlertSummary, origin: Origin
) -> str:
    match alert.topic:
        case Topic.NEW:
            return _count_news(alert)
        case Topic.UNCHECKED:
            vanished = alert.count(*VANISHED)
            return format_count(vanished, "finding no longer checked", "findings no longer checked")
        case Topic.PARTLY_CHECKED:
            return _count_checked(alert, origin)
        case Topic.SILENT:
            return _write_silence(alert)
        case Topic.SNOOZED:
            return format_count(alert.made.count, "new snooze", "new snoozes")
        case Topic.FIXED:
            return f"{format_findings(alert.fixed)} fixed"
        case _:
            return _HEADLINES[alert.topic]


def _count_checked(alert: AlertSummary, origin: Origin) -> str:
    """Says what was covered and has nothing new. It never reads as an all-clear."""
    rest, coverage = alert.targets - alert.reported, alert.coverage
    if rest > 0:
        of_all = f"{alert.reported:,} of {format_nodes(alert.targets)}"
        return f"Nothing new on {of_all}; {rest:,} gave no result"
    if coverage.unchecked_since:
        number, nodes = coverage.unchecked, coverage.unchecked_nodes
        what = f"{format_findings(number)} on {format_nodes(nodes)}"
        since = f"{'is' if number == 1 else 'are'} not checked since"
        at = origin.local(coverage.unchecked_since)
        return f"Nothing new in what was checked; {what} {since} {at}"
    noun = "node" if alert.reported == 1 else "nodes"
    return f"Nothing new on the {alert.reported:,} {noun} that reported"


def _count_news(alert: AlertSummary) -> str:
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
    if not alert.jobs:
        return what
    if not alert.targets:
        return f"{what} · {format_nodes(alert.reported)} reported"
    return f"{what} · {alert.reported:,} of {format_nodes(alert.targets)} reported"


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
    if alert.targets:
        reported = f"{alert.reported:,} of {format_count(alert.targets, 'target', 'targets')}"
    else:
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
