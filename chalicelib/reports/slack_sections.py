"""Renders the parts of a scan's message: titles, ended snoozes, unknown, silent nodes, remarks."""

from collections.abc import Iterator, Sequence

from chalicelib.domain.announcement import Topic
from chalicelib.domain.history import EventKind
from chalicelib.domain.summary import (
    AlertSummary,
    CoverageSummary,
    EndedSnooze,
    NotedSnooze,
    TitleSummary,
    UnverifiedNodes,
    VanishedTitle,
)
from chalicelib.domain.text import one_line
from chalicelib.reports.slack_blocks import (
    NODE_TEXT,
    Block,
    Origin,
    format_count,
    format_findings,
    format_names,
    format_nodes,
    mrkdwn_section,
    note,
    plain_section,
    table,
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
SNOOZED_TITLE_TEXT = 120
# The ARN of an assumed role with its session fits.
AUTHOR_TEXT = 120
COMMENT_TEXT = 160
REASON_TEXT = 100


def render_titles(
    titles: Sequence[TitleSummary], total: int, where_all: str | None = None
) -> tuple[Block, ...]:
    """Renders a table of the worst titles of `total`, and where the others are.

    `where_all` says where, if the CSV in the thread does not have all of them.
    """
    more = total - len(titles)
    if where_all:
        where = where_all
    elif more:
        others = format_count(more, "more title is", "more titles are")
        where = f"{others} in the CSV in the thread."
    else:
        where = "The CSV in the thread has every finding."
    rows = [_render_row(title) for title in titles]
    return (table([HEAD, *rows], COLUMNS), note(where)) if rows else (note(where),)


def _render_row(title: TitleSummary) -> tuple[str, ...]:
    return (
        title.severity.capitalize(),
        one_line(title.title, TITLE_TEXT),
        f"{title.nodes:,}",
        one_line(title.first_node, NODE_TEXT),
    )


def render_ended_snoozes(alert: AlertSummary, origin: Origin, most: int) -> tuple[Block, ...]:
    """Renders each ended snooze: what it muted, who set it and why. No blocks if none ended."""
    if not alert.snoozes:
        return ()
    named, others = alert.snoozes[:most], alert.snoozes[most:]
    entries = [_describe_snooze(snooze, origin) for snooze in named]
    more = alert.more_snoozed + sum(snooze.findings for snooze in others)
    if more:
        entries.append(f"• {format_count(more, 'more finding', 'more findings')} in the CSV")
    return mrkdwn_section("*Snooze ended, still failing*"), plain_section("\n".join(entries))


def _describe_snooze(snooze: EndedSnooze, origin: Origin) -> str:
    if snooze.title is None:
        what = format_findings(snooze.findings)
    else:
        what = one_line(snooze.title, SNOOZED_TITLE_TEXT)
    one_node = snooze.nodes == 1
    where = one_line(snooze.first_node, NODE_TEXT) if one_node else format_nodes(snooze.nodes)
    until = f" until {origin.local(snooze.until)}" if snooze.until else ""
    author = one_line(snooze.created_by, AUTHOR_TEXT)
    reason = snooze.reason.replace("_", " ")
    comment = one_line(snooze.comment, COMMENT_TEXT)
    return f"• {what} on {where}\n   snoozed by {author}{until} · {reason} · {comment}"


def render_noted_snoozes(alert: AlertSummary, origin: Origin, most: int) -> Iterator[Block]:
    """Renders the snoozes that were made and those that end soon. No blocks without any."""
    for head, noted in (("Snoozed", alert.made), ("Snoozes that end soon", alert.ending)):
        if noted.count:
            lines = [_describe_noted(each, origin) for each in noted.snoozes[:most]]
            more = noted.count - len(lines)
            if more:
                lines.append(f"• {format_count(more, 'more snooze', 'more snoozes')}")
            yield mrkdwn_section(f"*{head}*")
            yield plain_section("\n".join(lines))


def _describe_noted(snooze: NotedSnooze, origin: Origin) -> str:
    until = f"until {origin.local(snooze.until)}" if snooze.until else "for ever"
    who = one_line(snooze.created_by, AUTHOR_TEXT)
    reason = snooze.reason.replace("_", " ")
    why = f"{reason} · {one_line(snooze.comment, COMMENT_TEXT)}"
    return f"• {describe_scope(snooze)} {until}\n   by {who} · {why}"


def describe_scope(snooze: NotedSnooze) -> str:
    """Returns what a snooze mutes, in words."""
    if snooze.title is not None:
        what = one_line(snooze.title, SNOOZED_TITLE_TEXT)
    elif snooze.title_pattern is not None:
        pattern = one_line(snooze.title_pattern, SNOOZED_TITLE_TEXT)
        what = f'titles like "{pattern}"'
    else:
        what = "every finding"
    if snooze.control_id is not None:
        what += f" of control {one_line(snooze.control_id, NODE_TEXT)}"
    where = "all nodes" if snooze.instance_id is None else one_line(snooze.instance_id, NODE_TEXT)
    cap = f" up to {snooze.max_severity.lower()}" if snooze.max_severity else ""
    return f"{what} on {where}{cap}"


def render_vanished(alert: AlertSummary, most: int, *, with_head: bool) -> Iterator[Block]:
    """Renders the titles that vanished without proof of a fix, a line each, and what to do."""
    if not alert.vanished:
        return
    if with_head:
        yield mrkdwn_section("*No longer checked, so not counted as fixed*")
    lines = [_describe_vanished(each) for each in alert.vanished[:most]]
    more = alert.vanished_count - len(lines)
    if more:
        others = format_count(more, "more title is", "more titles are")
        lines.append(f"• {others} in the CSV of changes in the thread.")
    yield plain_section("\n".join(lines))
    yield note(
        "Check whether the profile ran as root and to its end. If these checks are meant to be "
        'gone, invoke `reconcile` with `{"accept_unchecked": {}}`.'
    )


def _describe_vanished(vanished: VanishedTitle) -> str:
    title = vanished.title
    one_node = title.nodes == 1
    where = one_line(title.first_node, NODE_TEXT) if one_node else format_nodes(title.nodes)
    what = one_line(title.title, SNOOZED_TITLE_TEXT)
    return f"• {title.severity.capitalize()}, {vanished.kind}: {what} on {where}"


def render_unknown(coverage: CoverageSummary) -> Iterator[Block]:
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
            f"*{format_nodes(coverage.unverified_nodes)} unverified.*\n"
            "New findings may be missing there, and nothing counts as fixed until a scan verifies "
            "the results."
        )
        yield plain_section(_list_by_reason(coverage.unverified, coverage.unverified_nodes))


def _list_by_reason(unverified: Sequence[UnverifiedNodes], total: int) -> str:
    """Lists the nodes by reason, the one with the most nodes first."""
    lines = [
        f"• {one_line(each.reason, REASON_TEXT)} ({format_nodes(each.nodes.count)}): "
        f"{format_names(each.nodes)}"
        for each in unverified
    ]
    more = total - sum(each.nodes.count for each in unverified)
    return "\n".join([*lines, f"• {format_nodes(more)} for other reasons"] if more else lines)


def render_silence(alert: AlertSummary, origin: Origin) -> Iterator[Block]:
    """Renders the nodes that fell silent, and those that left with their findings."""
    if alert.silent_count:
        gave = format_count(alert.silent_count, "node has given", "nodes have given")
        yield mrkdwn_section(
            f"*{gave} no result for at least twice the usual time.*\n"
            "Since then it is unknown whether anything is new there. Check that the instance "
            "runs, its SSM agent, and its executions in State Manager."
        )
        lines = [
            f"• {one_line(each.instance_id, NODE_TEXT)}: last result {origin.local(each.since)}"
            for each in alert.silent
        ]
        more = alert.silent_count - len(lines)
        yield plain_section("\n".join([*lines, f"and {more:,} more"] if more else lines))
    if alert.gone_nodes.count or alert.gone:
        # of those that a dead scan removed, only the findings may be known
        number = alert.gone_nodes.count
        who = format_count(number, "node has left", "nodes have left") if number else "Nodes left"
        it = "it" if number == 1 else "them"
        removed = format_count(alert.gone, "finding was removed", "findings were removed")
        yield mrkdwn_section(f"*{who}: SSM no longer lists {it}. {removed} with {it}.*")
        if number:
            yield plain_section(format_names(alert.gone_nodes))


def render_remarks(alert: AlertSummary) -> Iterator[Block]:
    """Renders the targets that gave no result, then the small print."""
    if alert.without_result.count:
        yield plain_section(f"Gave no result: {format_names(alert.without_result)}.")
    partial = alert.coverage.partial
    if partial.count:
        on = f"{format_nodes(partial.count)}: {format_names(partial)}"
        yield plain_section(f"Fewer than half of the usual checks ran on {on}.")
    lines = list(_list_remarks(alert, alert.coverage))
    if lines:
        yield note("\n".join(lines))


def _list_remarks(alert: AlertSummary, coverage: CoverageSummary) -> Iterator[str]:
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
    yield from _list_changes(alert)
    if alert.returned.count:
        who = format_count(alert.returned.count, "silent node reports", "silent nodes report")
        yield f"{who} again: {format_names(alert.returned)}."
    if coverage.untitled:
        skipped = format_count(
            coverage.untitled, "item without a title was", "items without a title were"
        )
        yield f"{skipped} skipped."


def _list_changes(alert: AlertSummary) -> Iterator[str]:
    """Yields what happened to findings that were announced before, beside what is fixed or gone."""
    for number, one, many in (
        (sum(alert.worse.values()) if alert.new else 0, *_WORSE),
        (alert.count(EventKind.CHECKED_AGAIN), *_CHECKED_AGAIN),
        (alert.count(EventKind.REWORDED), *_REWORDED),
        (alert.count(EventKind.FORGOTTEN), *_FORGOTTEN),
    ):
        if number:
            yield f"{format_count(number, one, many)}."
    if alert.alternating.count:
        where = f"{format_nodes(alert.alternating.count)}: {format_names(alert.alternating)}"
        yield (
            "Two profiles report with the same compliance type, so each overwrites the results "
            f"of the other on {where}. Run one profile that includes both."
        )


_WORSE = (
    "finding is worse than it was when it was announced",
    "findings are worse than they were when they were announced",
)
_CHECKED_AGAIN = (
    "finding that was no longer checked still fails",
    "findings that were no longer checked still fail",
)
_REWORDED = (
    "finding is worded otherwise, and counts as known",
    "findings are worded otherwise, and count as known",
)
_FORGOTTEN = (
    "finding that was no longer checked is forgotten",
    "findings that were no longer checked are forgotten",
)
