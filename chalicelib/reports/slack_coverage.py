"""Says what a pass did not see, and what else happened to nodes."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from chalicelib.domain.alert import Alert, Topic
from chalicelib.domain.outcome import Coverage
from chalicelib.domain.proof import Doubt
from chalicelib.reports.slack_blocks import Block, mrkdwn_section, note, plain_section
from chalicelib.reports.visible_text import one_line
from chalicelib.reports.wording import format_count, format_names, format_nodes

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
