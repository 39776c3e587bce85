"""Rebuilds the CSV of a message from the findings that are still stored."""

from collections.abc import Iterator

from chalicelib.domain.finding import Finding
from chalicelib.domain.message import CsvFile, Message, Source
from chalicelib.domain.snooze import Muting, list_with_snoozes
from chalicelib.usecases.announce.stage import CsvContent
from chalicelib.usecases.context import Context
from chalicelib.usecases.snooze_access import find_failing, read_snoozes_or_empty


def rebuild_csv(context: Context, message: Message, file: CsvFile) -> CsvContent:
    """Returns what a file would hold now: an alert's loses what is fixed or muted."""
    muting = Muting(read_snoozes_or_empty(context), context.clock())
    if file.source is Source.EVERYTHING:
        findings = context.findings.all()
    else:
        findings = _find_still_failing(context, message, muting)
    rows = context.sorter.worst_first(findings)
    return lambda: context.render_csv(list_with_snoozes(rows, muting))


def _find_still_failing(context: Context, message: Message, muting: Muting) -> Iterator[Finding]:
    """Finds what an alert announced that is still stored and not muted now."""
    # its snoozes are settled by now, so `unsettled` no longer lists them
    ended = [each for each in context.snoozes.all() if each.id in message.snooze_ids]
    found = {each.key: each for each in context.findings.all() if each.scan_id in message.scan_ids}
    found.update({row.key: row for _, rows in find_failing(context, ended) for row in rows})
    return (each for each in found.values() if muting.of(each) is None)
