"""What a CSV holds that is not at hand any more, and how much of it a thread gets."""

from collections.abc import Iterable, Iterator

from chalicelib.domain.finding import Finding
from chalicelib.domain.message import Message, Source
from chalicelib.domain.monthly import list_with_snoozes
from chalicelib.domain.snooze import Muting
from chalicelib.usecases.context import Context, CsvContent
from chalicelib.usecases.stage import find_failing, read_snoozes_or_empty


def take_first_rows(chunks: Iterable[bytes], most: int) -> tuple[bytes, bool]:
    """The header of a CSV and at most so many rows, and whether that is the whole of it."""
    taken: list[bytes] = []
    left = most + 1
    for chunk in filter(None, chunks):
        if not left:
            return b"".join(taken), False
        lines = chunk.split(b"\n", left)
        left -= len(lines) - 1
        rest = b"" if left else lines[-1]
        taken.append(chunk[: len(chunk) - len(rest)])
        if rest:
            return b"".join(taken), False
    return b"".join(taken), True


def rebuild_csv(context: Context, message: Message) -> CsvContent:
    """The CSV of a message that was never stored, of the rows that still fail."""
    muting = Muting(read_snoozes_or_empty(context), context.clock())
    everything = message.csv is not None and message.csv.source is Source.EVERYTHING
    rows = context.sorter.worst_first(
        context.findings.all() if everything else _still_failing(context, message, muting)
    )
    return lambda: context.renderer.csv(list_with_snoozes(rows, muting))


def _still_failing(context: Context, message: Message, muting: Muting) -> Iterator[Finding]:
    """What an alert told, as far as it is stored and not muted now."""
    # told by now, so no longer among those that a pass has to do with
    ended = [each for each in context.snoozes.all() if each.id in message.snooze_ids]
    found = {each.key: each for each in context.findings.all() if each.scan_id in message.scan_ids}
    found.update({row.key: row for _, rows in find_failing(context, ended) for row in rows})
    return (each for each in found.values() if muting.of(each) is None)
