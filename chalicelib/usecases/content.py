"""What a CSV holds that is not at hand any more, and how much of it a thread gets."""

from collections.abc import Iterable, Iterator

from chalicelib.domain.finding import Finding
from chalicelib.domain.message import Message, Source
from chalicelib.domain.monthly import listed
from chalicelib.domain.snooze import Muting
from chalicelib.usecases.stage import audible, failing
from chalicelib.usecases.world import Content, World


def first_rows(chunks: Iterable[bytes], most: int) -> tuple[bytes, bool]:
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


def made_again(world: World, message: Message) -> Content:
    """The CSV of a message that was never stored, of the rows that still fail."""
    muting = Muting(audible(world), world.clock())
    everything = message.csv is not None and message.csv.source is Source.EVERYTHING
    rows = world.sorter.worst_first(
        world.findings.all() if everything else _still_failing(world, message, muting)
    )
    return lambda: world.renderer.csv(listed(rows, muting))


def _still_failing(world: World, message: Message, muting: Muting) -> Iterator[Finding]:
    """What an alert told, as far as it is stored and not muted now."""
    # told by now, so no longer among those that a pass has to do with
    ended = [each for each in world.snoozes.all() if each.id in message.snooze_ids]
    found = {each.key: each for each in world.findings.all() if each.scan_id in message.scan_ids}
    found.update({row.key: row for _, rows in failing(world, ended) for row in rows})
    return (each for each in found.values() if muting.of(each) is None)
