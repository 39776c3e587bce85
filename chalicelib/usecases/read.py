"""Reads nodes from SSM Compliance, in parallel and until a time, and judges each reading."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.domain.compliance import FoldedItems, NodeReport, SummaryRow, fold_items
from chalicelib.domain.errors import ServiceError, Unavailable
from chalicelib.domain.proof import Doubt, drop_superseded, find_doubt, fingerprint, settle_doubt
from chalicelib.usecases.ports import Clock, Compliance

# A page of ListComplianceItems holds at most 50 items (API reference, MaxResults).
PAGE = 50
# A chunk ends at the node that fills it: about 20 s at SSM's 5 to 10 calls a second.
CHUNK_PAGES = 100
# A reading that began in time may take this much longer; then the node is left.
GRACE = timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a node shows, and what speaks against it; `doubt` None is a verified node.

    `fingerprint` lets a later pass see that it read the same again.
    """

    report: NodeReport
    folded: FoldedItems
    doubt: Doubt | None
    fingerprint: str = ""


def split_into_chunks(reports: Sequence[NodeReport]) -> Iterator[tuple[NodeReport, ...]]:
    """Nodes in order, cut at node boundaries where the pages to read come to a chunk."""
    chunk: list[NodeReport] = []
    pages = 0
    for report in reports:
        chunk.append(report)
        pages += max(1, -(-report.count // PAGE))
        if pages >= CHUNK_PAGES:
            yield tuple(chunk)
            chunk, pages = [], 0
    if chunk:
        yield tuple(chunk)


def read_node(compliance: Compliance, report: NodeReport, earlier: str = "") -> Reading:
    """Read one node, a second time where the first reading is in doubt.

    A node without non-compliant items is verified by its summary alone, unless
    no check ran. A node that cannot be read is in doubt, not an error: one
    node must not keep the others from being told. `earlier` is the fingerprint
    of what the last pass read of this node in doubt.
    """
    if report.count == 0:
        return Reading(report, FoldedItems((), 0), find_doubt(report, ()))
    try:
        items = drop_superseded(report, compliance.items(report.instance_id, report.types))
        against = find_doubt(report, items)
        if against:
            items = drop_superseded(report, compliance.items(report.instance_id, report.types))
            against = find_doubt(report, items)
    except ServiceError:
        return Reading(report, FoldedItems((), 0), Doubt.UNREADABLE)
    shown = fingerprint(items)
    against = settle_doubt(against, shown, earlier)
    return Reading(report, fold_items(report.instance_id, items), against, shown)


@dataclass(frozen=True, slots=True)
class ChunkReading:
    """A chunk of nodes that is being read: the nodes, and what waits for their readings."""

    reports: Sequence[NodeReport]
    readings: Callable[[], tuple[Reading, ...]]


class NodeReader:
    """Reads chunks of nodes with a bounded number of threads."""

    def __init__(
        self,
        compliance: Compliance,
        pool: ThreadPoolExecutor,
        clock: Clock,
        earlier: Mapping[str, str],
    ) -> None:
        self._compliance = compliance
        self._pool = pool
        self._clock = clock
        self._earlier = earlier

    def read(
        self, chunks: Iterable[Sequence[NodeReport]], until: datetime, *, ahead: bool
    ) -> Iterator[ChunkReading]:
        """Chunks whose readings begin before `until` and end soon after, in order.

        ahead: while the caller works on one chunk the next is being read.
        """
        waiting: list[ChunkReading] = []
        for chunk in chunks:
            if self._clock() >= until:
                break
            waiting.append(self._begin(chunk, until))
            if len(waiting) > ahead:
                yield waiting.pop(0)
        yield from waiting

    def _begin(self, chunk: Sequence[NodeReport], until: datetime) -> ChunkReading:
        futures = [self._pool.submit(self._read_in_time, report, until) for report in chunk]
        return ChunkReading(chunk, lambda: self._finished(futures, until))

    def _finished(
        self, futures: Sequence[Future[Reading | None]], until: datetime
    ) -> tuple[Reading, ...]:
        seconds = (until + GRACE - self._clock()).total_seconds()
        done, late = wait(futures, timeout=max(0.0, seconds))
        for future in late:
            future.cancel()
        readings = (future.result() for future in futures if future in done)
        return tuple(reading for reading in readings if reading is not None)

    def _read_in_time(self, report: NodeReport, until: datetime) -> Reading | None:
        if self._clock() >= until:
            return None
        earlier = self._earlier.get(report.instance_id, "")
        return read_node(self._compliance, report, earlier)


def list_summaries(compliance: Compliance, clock: Clock, until: datetime) -> Sequence[SummaryRow]:
    """The complete list of SSM; `Unavailable` where that takes longer than there is time.

    Half a list says nothing, and a list without end must not keep what is
    pending from being delivered.
    """
    pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="list")
    try:
        seconds = (until + GRACE - clock()).total_seconds()
        return pool.submit(compliance.summaries).result(max(0.0, seconds))
    except TimeoutError as error:
        text = "SSM has not listed the fleet within the time that a pass has"
        raise Unavailable(text) from error
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


@contextmanager
def open_reader(
    compliance: Compliance, concurrency: int, clock: Clock, earlier: Mapping[str, str]
) -> Iterator[NodeReader]:
    """A reader whose threads are let go at the end, without waiting for a hanging call.

    `earlier` maps nodes in doubt to the fingerprint of what was read of them last.
    """
    pool = ThreadPoolExecutor(max_workers=concurrency, thread_name_prefix="read")
    try:
        yield NodeReader(compliance, pool, clock, earlier)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
