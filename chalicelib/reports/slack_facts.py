"""The numbers of a pass that a message shows: what it found, when, on how many nodes."""

from collections import Counter
from collections.abc import Iterator, Sequence

from chalicelib.domain.alert import Alert, LineReason, Topic
from chalicelib.domain.finding import Finding
from chalicelib.domain.job import Job
from chalicelib.reports.origin import Origin
from chalicelib.reports.slack_blocks import escape
from chalicelib.reports.visible_text import one_line, visible
from chalicelib.reports.wording import format_nodes, format_share, format_total

NAMED_ASSOCIATIONS = 3
# The first part of a UUID tells the associations of one account apart.
ASSOCIATION_TEXT = 8
STATUS_TEXT = 40


def announced_findings(alert: Alert) -> tuple[Finding, ...]:
    """Everything that the message tells."""
    return tuple(line.finding for line in alert.lines.announced)


def new_findings(alert: Alert) -> tuple[Finding, ...]:
    """What is new of it."""
    return tuple(line.finding for line in alert.lines.announced if line.why is LineReason.NEW)


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
