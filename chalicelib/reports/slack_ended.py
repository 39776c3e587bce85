"""The list of snoozes that ended while their findings still fail."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from chalicelib.domain.alert import Line
from chalicelib.domain.snooze import Snooze
from chalicelib.reports.origin import Origin
from chalicelib.reports.slack_blocks import Block, mrkdwn_section, plain_section
from chalicelib.reports.visible_text import one_line
from chalicelib.reports.wording import NODE_TEXT, format_count, format_findings, format_nodes

NAMED_SNOOZES = 5
TITLE_TEXT = 120
# The ARN of an assumed role with its session fits.
AUTHOR_TEXT = 120
COMMENT_TEXT = 160


def render_ended_snoozes(lines: Iterable[Line], origin: Origin, most: int) -> tuple[Block, ...]:
    """Each snooze with what it muted, who set it and why; no block where none ended."""
    groups = _worst_first(lines)
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


def _worst_first(lines: Iterable[Line]) -> list[tuple[Snooze, Sequence[Line]]]:
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
    what = one_line(min(titles), TITLE_TEXT) if len(titles) == 1 else format_findings(len(muted))
    where = one_line(min(on), NODE_TEXT) if len(on) == 1 else format_nodes(len(on))
    until = f" until {origin.local(snooze.end)}" if snooze.end else ""
    author = one_line(snooze.created_by, AUTHOR_TEXT)
    reason = snooze.reason.replace("_", " ")
    comment = one_line(snooze.comment, COMMENT_TEXT)
    return f"• {what} on {where}\n   snoozed by {author}{until} · {reason} · {comment}"
