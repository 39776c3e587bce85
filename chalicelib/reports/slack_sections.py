"""Renders the parts of a scan's message: titles, ended snoozes, what is unknown, remarks."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from chalicelib.domain.announcement import Alert, Line, Topic
from chalicelib.domain.compliance import Doubt
from chalicelib.domain.finding import Finding
from chalicelib.domain.scan import Coverage
from chalicelib.domain.snooze import Snooze
from chalicelib.reports.slack_blocks import Block, mrkdwn_section, note, plain_section, table
from chalicelib.reports.text import (
    NODE_TEXT,
    Origin,
    format_count,
    format_findings,
    format_names,
    format_nodes,
    one_line,
)

# Characters. Titles have up to 500; these show what is wrong, and ten of them fit a message.
TITLE_TEXT = 160
HEAD = ("Severity", "Finding", "Nodes", "First node")
COLUMNS: tuple[Block, ...] = (
    {"align": "left"},
    {"align": "left", "is_wrapped": True},
    {"align": "right"},
    {"align": "left"},
)
NAMED_SNOOZES = 5
SNOOZED_TITLE_TEXT = 120
# The ARN of an assumed role with its session fits.
AUTHOR_TEXT = 120
COMMENT_TEXT = 160
# All reasons that exist.
NAMED_REASONS = len(Doubt)
REASON_TEXT = 100


def render_titles(
    findings: Iterable[Finding], most: int, where_all: str | None = None
) -> tuple[Block, ...]:
    """Renders a table of the worst titles, at most `most`, and where the others are.

    `where_all` says where, if the CSV in the thread does not have all of them.
    """
    groups = _group_by_title(findings)
    rows = [_render_row(group) for group in groups[:most]]
    more = len(groups) - len(rows)
    if where_all:
        where = where_all
    elif more:
        titles = format_count(more, "more title is", "more titles are")
        where = f"{titles} in the CSV in the thread."
    else:
        where = "The CSV in the thread has every finding."
    return (table([HEAD, *rows], COLUMNS), note(where)) if rows else (note(where),)


def _group_by_title(findings: Iterable[Finding]) -> list[Sequence[Finding]]:
    """Groups by title: the worst severity first, then the most nodes."""
    by_title: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        by_title[finding.title].append(finding)
    groups = [
        sorted(group, key=lambda finding: (finding.severity.rank, finding.instance_id))
        for group in by_title.values()
    ]
    return sorted(groups, key=lambda group: (group[0].severity.rank, -len(group), group[0].title))


def _render_row(group: Sequence[Finding]) -> tuple[str, ...]:
    worst = group[0]
    return (
        worst.severity.capitalize(),
        one_line(worst.title, TITLE_TEXT),
        f"{len(group):,}",
        one_line(worst.instance_id, NODE_TEXT),
    )


def render_ended_snoozes(lines: Iterable[Line], origin: Origin, most: int) -> tuple[Block, ...]:
    """Renders each ended snooze: what it muted, who set it and why. No blocks if none ended."""
    groups = _group_by_snooze(lines)
    if not groups:
        return ()
    named = groups[: min(most, NAMED_SNOOZES)]
    entries = [_describe_snooze(snooze, muted, origin) for snooze, muted in named]
    more = sum(len(muted) for _, muted in groups[len(named) :])
    if more:
        entries.append(f"• {format_count(more, 'more finding', 'more findings')} in the CSV")
    return mrkdwn_section("*Snooze ended, still failing*"), plain_section("\n".join(entries))


def _group_by_snooze(lines: Iterable[Line]) -> list[tuple[Snooze, Sequence[Line]]]:
    """Groups by snooze: the worst severity first, then the most findings."""
    snoozes: dict[str, Snooze] = {}
    muted: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        if line.snooze:
            snoozes[line.snooze.id] = line.snooze
            muted[line.snooze.id].append(line)

    def rank(snooze_id: str) -> tuple[int, int, str]:
        worst = min(line.finding.severity.rank for line in muted[snooze_id])
        return worst, -len(muted[snooze_id]), snooze_id

    return [(snoozes[snooze_id], muted[snooze_id]) for snooze_id in sorted(muted, key=rank)]


def _describe_snooze(snooze: Snooze, muted: Sequence[Line], origin: Origin) -> str:
    titles = {line.finding.title for line in muted}
    nodes = {line.finding.instance_id for line in muted}
    if len(titles) == 1:
        what = one_line(min(titles), SNOOZED_TITLE_TEXT)
    else:
        what = format_findings(len(muted))
    where = one_line(min(nodes), NODE_TEXT) if len(nodes) == 1 else format_nodes(len(nodes))
    until = f" until {origin.local(snooze.end)}" if snooze.end else ""
    author = one_line(snooze.created_by, AUTHOR_TEXT)
    reason = snooze.reason.replace("_", " ")
    comment = one_line(snooze.comment, COMMENT_TEXT)
    return f"• {what} on {where}\n   snoozed by {author}{until} · {reason} · {comment}"


def render_unknown(coverage: Coverage) -> Iterator[Block]:
    """Renders what was not read or not verified, the gravest first, and what to do."""
    if coverage.braked:
        yield mrkdwn_section(
            f"*{coverage.missing:,} of {coverage.known:,} known nodes are missing from SSM. "
            "Nothing was removed.*\n"
            "First check the SSM agents and this service's permissions. If the nodes are really "
            'gone, invoke `reconcile` with `{"accept_missing": true}`.'
        )
    if coverage.deferred:
        yield mrkdwn_section(
            f"*{format_nodes(coverage.deferred)} deferred.*\n"
            "The scan ran out of time. The next scan continues with them. No action is needed."
        )
    if coverage.unverified:
        yield mrkdwn_section(
            f"*{format_nodes(len(coverage.unverified))} unverified.*\n"
            "New findings may be missing there, and nothing counts as fixed until a scan verifies "
            "the results."
        )
        yield plain_section(_list_by_reason(coverage.unverified))


def _list_by_reason(unverified: Mapping[str, str]) -> str:
    """Lists the nodes by reason, the one with the most nodes first."""
    groups: dict[str, list[str]] = defaultdict(list)
    for instance_id, reason in sorted(unverified.items()):
        groups[reason].append(instance_id)
    ranked = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    lines = [
        f"• {one_line(reason, REASON_TEXT)} ({format_nodes(len(ids))}): {format_names(ids)}"
        for reason, ids in ranked[:NAMED_REASONS]
    ]
    more = sum(len(ids) for _, ids in ranked[NAMED_REASONS:])
    return "\n".join([*lines, f"• {format_nodes(more)} for other reasons"] if more else lines)


def render_remarks(alert: Alert) -> Iterator[Block]:
    """Renders the nodes that were not scanned, then the small print."""
    if alert.not_scanned:
        yield plain_section(f"Not scanned: {format_names(alert.not_scanned)}.")
    lines = list(_list_remarks(alert, alert.outcome.coverage))
    if lines:
        yield note("\n".join(lines))


def _list_remarks(alert: Alert, coverage: Coverage) -> Iterator[str]:
    if alert.recovered and alert.topic is not Topic.COMPLETE_AGAIN:
        yield "Everything could be read again."
    absent = coverage.missing - coverage.gone
    if absent > 0 and not coverage.braked:
        stay = (
            "If it stays missing for an hour, its"
            if absent == 1
            else "If they stay missing for an hour, their"
        )
        yield f"{format_nodes(absent)} missing from SSM. {stay} findings are removed."
    if coverage.gone:
        who = format_count(coverage.gone, "node no longer reports", "nodes no longer report")
        removed = format_count(alert.outcome.gone, "finding was removed", "findings were removed")
        yield f"{who}: {removed}."
    if coverage.untitled:
        skipped = format_count(
            coverage.untitled, "item without a title was", "items without a title were"
        )
        yield f"{skipped} skipped."
