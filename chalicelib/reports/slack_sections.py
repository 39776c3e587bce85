"""The table of the worst titles among the findings that a message tells."""

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

# Of at most 500 characters this many show what is wrong, and ten of them leave room.
TITLE_TEXT = 160
HEAD = ("Severity", "Finding", "Nodes", "First node")
COLUMNS: tuple[Block, ...] = (
    {"align": "left"},
    {"align": "left", "is_wrapped": True},
    {"align": "right"},
    {"align": "left"},
)


def render_titles(
    findings: Iterable[Finding], most: int, where_all: str | None = None
) -> tuple[Block, ...]:
    """The worst titles, `most` at most, and where the others are.

    `where_all` says where, unless the CSV in the thread has them all.
    """
    groups = _group_by_title(findings)
    rows = [_row(group) for group in groups[:most]]
    more = len(groups) - len(rows)
    rest = f"+{format_count(more, 'more title', 'more titles')} in the CSV in the thread."
    every = rest if more else "The CSV in the thread has every finding."
    where = note(where_all or every)
    return (table([HEAD, *rows], COLUMNS), where) if rows else (where,)


def _group_by_title(findings: Iterable[Finding]) -> list[Sequence[Finding]]:
    """The findings by title: the worst severity first, then the most nodes."""
    by_title: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        by_title[finding.title].append(finding)
    groups = [
        sorted(group, key=lambda finding: (finding.severity.rank, finding.instance_id))
        for group in by_title.values()
    ]
    return sorted(groups, key=lambda group: (group[0].severity.rank, -len(group), group[0].title))


def _row(group: Sequence[Finding]) -> tuple[str, ...]:
    worst = group[0]
    return (
        worst.severity.capitalize(),
        one_line(worst.title, TITLE_TEXT),
        f"{len(group):,}",
        one_line(worst.instance_id, NODE_TEXT),
    )


NAMED_SNOOZES = 5
SNOOZED_TITLE_TEXT = 120
# The ARN of an assumed role with its session fits.
AUTHOR_TEXT = 120
COMMENT_TEXT = 160


def render_ended_snoozes(lines: Iterable[Line], origin: Origin, most: int) -> tuple[Block, ...]:
    """Each snooze with what it muted, who set it and why; no block where none ended."""
    groups = _group_by_snooze(lines)
    if not groups:
        return ()
    named = groups[: min(most, NAMED_SNOOZES)]
    entries = [_entry(snooze, muted, origin) for snooze, muted in named]
    more = sum(len(muted) for _, muted in groups[len(named) :])
    rest = (
        [f"• and {format_count(more, 'more finding', 'more findings')} in the CSV"] if more else []
    )
    return mrkdwn_section("*Snooze ended, still failing*"), plain_section(
        "\n".join([*entries, *rest])
    )


def _group_by_snooze(lines: Iterable[Line]) -> list[tuple[Snooze, Sequence[Line]]]:
    """The lines by snooze: the worst severity first, then the most findings."""
    snoozes: dict[str, Snooze] = {}
    muted: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        if line.snooze:
            snoozes[line.snooze.id] = line.snooze
            muted[line.snooze.id].append(line)

    def order(snooze_id: str) -> tuple[int, int, str]:
        worst = min(line.finding.severity.rank for line in muted[snooze_id])
        return worst, -len(muted[snooze_id]), snooze_id

    return [(snoozes[snooze_id], muted[snooze_id]) for snooze_id in sorted(muted, key=order)]


def _entry(snooze: Snooze, muted: Sequence[Line], origin: Origin) -> str:
    titles = {line.finding.title for line in muted}
    on = {line.finding.instance_id for line in muted}
    what = (
        one_line(min(titles), SNOOZED_TITLE_TEXT)
        if len(titles) == 1
        else format_findings(len(muted))
    )
    where = one_line(min(on), NODE_TEXT) if len(on) == 1 else format_nodes(len(on))
    until = f" until {origin.local(snooze.end)}" if snooze.end else ""
    author = one_line(snooze.created_by, AUTHOR_TEXT)
    reason = snooze.reason.replace("_", " ")
    comment = one_line(snooze.comment, COMMENT_TEXT)
    return f"• {what} on {where}\n   snoozed by {author}{until} · {reason} · {comment}"


# Every reason there is; any more would be summed up.
NAMED_REASONS = len(Doubt)
REASON_TEXT = 100


def render_doubts(coverage: Coverage) -> Iterator[Block]:
    """What was not read or cannot be trusted, the gravest first, and what to do about it."""
    if coverage.braked:
        yield mrkdwn_section(
            f"*{coverage.missing:,} of {coverage.known:,} known nodes are missing from SSM; "
            "nothing was removed.*\n"
            "Check the SSM agents and the permissions of this service first. If the nodes are "
            'really gone, invoke `reconcile` with `{"accept_missing": true}`.'
        )
    if coverage.deferred:
        yield mrkdwn_section(
            f"*{format_nodes(coverage.deferred)} left to read.*\n"
            "There was no time for more. The next pass goes on with them; no action is needed."
        )
    if coverage.unverified:
        yield mrkdwn_section(
            f"*{format_nodes(len(coverage.unverified))} could not be read with certainty.*\n"
            "New findings may be missing, and nothing on them counts as resolved until they can."
        )
        yield plain_section(_by_reason(coverage.unverified))


def render_remarks(alert: Alert) -> Iterator[Block]:
    """What else is worth knowing, the nodes that were not scanned before the small print."""
    if alert.not_scanned:
        yield plain_section(f"Not scanned: {format_names(alert.not_scanned)}.")
    lines = list(_remarks(alert, alert.outcome.coverage))
    if lines:
        yield note("\n".join(lines))


def _remarks(alert: Alert, coverage: Coverage) -> Iterator[str]:
    if alert.recovered and alert.topic is not Topic.COMPLETE_AGAIN:
        yield "Nothing is in doubt any more."
    absent = coverage.missing - coverage.gone
    if absent > 0 and not coverage.braked:
        stay = "it stays away, its" if absent == 1 else "they stay away, their"
        yield f"{format_nodes(absent)} missing from SSM: if {stay} findings go after an hour."
    if coverage.gone:
        who = format_count(
            coverage.gone, "node no longer reports; its", "nodes no longer report; their"
        )
        yield f"{who} findings were removed."
    if coverage.untitled:
        yield f"{format_count(coverage.untitled, 'item', 'items')} without a title left out."


def _by_reason(unverified: Mapping[str, str]) -> str:
    """A line for each reason, the one with the most nodes first."""
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
