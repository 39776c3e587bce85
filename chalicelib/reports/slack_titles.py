"""The table of the worst titles among the findings that a message tells."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from chalicelib.domain.finding import Finding
from chalicelib.reports.slack_blocks import Block, note, table
from chalicelib.reports.visible_text import one_line
from chalicelib.reports.wording import NODE_TEXT, format_count

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
    groups = _worst_first(findings)
    rows = [_row(group) for group in groups[:most]]
    more = len(groups) - len(rows)
    rest = f"+{format_count(more, 'more title', 'more titles')} in the CSV in the thread."
    every = rest if more else "The CSV in the thread has every finding."
    where = note(where_all or every)
    return (table([HEAD, *rows], COLUMNS), where) if rows else (where,)


def _worst_first(findings: Iterable[Finding]) -> list[Sequence[Finding]]:
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
