"""What the CSV files of messages hold, and what is left of it if a file was not stored at once."""

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime
from itertools import chain
from typing import TypeAlias

from msgspec import Struct

from chalicelib.domain.announcement import LineReason
from chalicelib.domain.finding import Finding
from chalicelib.domain.history import NAMED, NOT_CHECKED, ChangedFinding, EventKind, Receipt
from chalicelib.domain.message import CsvFile, Message, Source
from chalicelib.domain.monthly import count_nodes
from chalicelib.domain.snooze import Muting, list_unchecked, list_with_snoozes
from chalicelib.usecases.context import Context
from chalicelib.usecases.snooze_access import find_failing, read_snoozes_or_empty

# The CSV of a message, built anew for each call: it may be larger than memory.
CsvContent: TypeAlias = Callable[[], Iterator[bytes]]
# What happened in a scan, by name (`NAMED`). It can be called repeatedly.
ListChanges: TypeAlias = Callable[[], Iterator[ChangedFinding]]


class FoundChanges(Struct, frozen=True):
    """What happened to findings that were announced before, and is in no message yet.

    Facts between `after` and `before` are those of earlier scans, which announced
    nothing. This scan's follow up to `last`; `list_changes` yields them by name.
    `checked_at` maps nodes to when they were last verified.
    """

    after: Receipt
    before: Receipt
    last: Receipt
    list_changes: ListChanges
    checked_at: Mapping[str, datetime]


def list_found(
    context: Context, changes: FoundChanges, kinds: Collection[EventKind]
) -> Iterator[ChangedFinding]:
    """Yields what happened of these kinds by name."""
    yield from find_changes(context, changes.after, changes.before, kinds)
    yield from (each for each in changes.list_changes() if each.kind in kinds)


def render_changes(
    context: Context, changes: FoundChanges, kinds: Collection[EventKind]
) -> CsvContent:
    """Returns the CSV of changes of these kinds, in the order of `NAMED`, then the worst first."""
    return _render_changes(
        context, kinds, lambda each: list_found(context, changes, each), changes.checked_at
    )


def find_changes(
    context: Context, after: Receipt, until: Receipt, kinds: Collection[EventKind] = NAMED
) -> Iterator[ChangedFinding]:
    """Yields what happened between two receipts. History has the names."""
    if after.number >= until.number:
        return
    for row in context.facts.rows(after, until):
        for event in context.journal.find(row.list_keys(*kinds)):
            if event.finding:
                yield ChangedFinding(event.finding, event.kind)


def _render_changes(
    context: Context,
    kinds: Collection[EventKind],
    list_kinds: Callable[[Collection[EventKind]], Iterator[ChangedFinding]],
    checked_at: Mapping[str, datetime],
) -> CsvContent:
    ordered = [
        (kind, context.sorter.worst_first(each.finding for each in list_kinds([kind])))
        for kind in NAMED
        if kind in kinds
    ]
    return lambda: context.render_changes(
        ChangedFinding(
            finding, kind, None if kind in NOT_CHECKED else checked_at.get(finding.instance_id)
        )
        for kind, findings in ordered
        for finding in findings
    )


def rebuild_csv(context: Context, message: Message, file: CsvFile) -> CsvContent:
    """Returns what a file would hold now: an alert's loses what is fixed or muted."""
    checked_at = count_nodes(context.nodes.all()).checked_at
    if file.source is Source.CHANGES:
        return _render_changes(
            context, NAMED, lambda kinds: find_changes(context, *message.changes, kinds), checked_at
        )
    muting = Muting(read_snoozes_or_empty(context), context.clock())
    if file.source is Source.EVERYTHING:
        stored = context.sorter.worst_first(context.findings.all())
        return lambda: context.render_csv(
            chain(
                list_with_snoozes(stored, muting, checked_at),
                list_unchecked(context.unchecked.all(), muting),
            )
        )
    reasons = _find_still_failing(context, message, muting)
    rows = context.sorter.worst_first(finding for finding, _ in reasons.values())
    return lambda: context.render_announced(
        (row, reasons[row.finding.key][1]) for row in list_with_snoozes(rows, muting, checked_at)
    )


def _find_still_failing(
    context: Context, message: Message, muting: Muting
) -> dict[tuple[str, str], tuple[Finding, str]]:
    """Finds what an alert announced that is still stored and not muted now, and why it did.

    If some were new and others worse, these cannot be told apart any more.
    """
    # its snoozes are settled by now, so `unsettled` no longer lists them
    ended = [each for each in context.snoozes.all() if each.id in message.snooze_ids]
    alert = message.alert
    counted = {LineReason.NEW: alert.new, LineReason.WORSE: alert.worse} if alert else {}
    news = " or ".join(reason for reason, number in counted.items() if number)
    found = {
        each.key: (each, news)
        for each in context.findings.all()
        if each.scan_id in message.scan_ids
    }
    for _, rows in find_failing(context, ended):
        found.update({row.key: (row, str(LineReason.SNOOZE_ENDED)) for row in rows})
    return {key: each for key, each in found.items() if muting.of(each[0]) is None}
