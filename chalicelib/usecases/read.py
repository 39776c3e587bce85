"""Reads nodes from SSM Compliance, in parallel and until a time, and judges each reading."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.domain.compliance import Folded, Report, SummaryRow, fold
from chalicelib.domain.errors import ServiceError, Unavailable
from chalicelib.domain.proof import Doubt, doubt, fingerprint, relevant, settled
from chalicelib.usecases.ports import Clock, Compliance

# A page of ListComplianceItems holds at most 50 items (API reference, MaxResults).
PAGE = 50
# A chunk ends at the node that fills it: about 20 s at SSM's 5 to 10 calls a second.
CHUNK_PAGES = 100
# A reading that began in time may take this much longer; then the node is left.
GRACE = timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a node shows, and what speaks against it; `doubt` None is a proven node.

    `fingerprint` lets a later pass see that it read the same again.
    """

    report: Report
    folded: Folded
    doubt: Doubt | None
    fingerprint: str = ""


def chunks(reports: Sequence[Report]) -> Iterator[tuple[Report, ...]]:
    """Nodes in order, cut at node boundaries where the pages to read come to a chunk."""
    chunk: list[Report] = []
    pages = 0
    for report in reports:
        chunk.append(report)
        pages += max(1, -(-report.count // PAGE))
        if pages >= CHUNK_PAGES:
            yield tuple(chunk)
            chunk, pages = [], 0
    if chunk:
        yield tuple(chunk)


def read_node(compliance: Compliance, report: Report, earlier: str = "") -> Reading:
    """Read one node, a second time where the first reading is in doubt.

    A node without non-compliant items is proven by its summary alone, unless
    no check ran. A node that cannot be read is in doubt, not an error: one
    node must not keep the others from being told. `earlier` is the fingerprint
    of what the last pass read of this node in doubt.
    """
    if report.count == 0:
        return Reading(report, Folded((), 0), doubt(report, ()))
    try:
        items = relevant(report, compliance.items(report.instance_id, report.types))
        against = doubt(report, items)
        if against:
            items = relevant(report, compliance.items(report.instance_id, report.types))
            against = doubt(report, items)
    except ServiceError:
        return Reading(report, Folded((), 0), Doubt.UNREADABLE)
    shown = fingerprint(items)
    against = settled(against, shown, earlier)
    return Reading(report, fold(report.instance_id, items), against, shown)


@dataclass(frozen=True, slots=True)
class Begun:
    """A chunk of nodes that is being read: the nodes, and what waits for their readings."""

    reports: Sequence[Report]
    readings: Callable[[], tuple[Reading, ...]]


class Reader:
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
        self, chunks: Iterable[Sequence[Report]], until: datetime, *, ahead: bool
    ) -> Iterator[Begun]:
        """Chunks whose readings begin before `until` and end soon after, in order.

        ahead: while the caller works on one chunk the next is being read.
        """
        waiting: list[Begun] = []
        for chunk in chunks:
            if self._clock() >= until:
                break
            waiting.append(self._begin(chunk, until))
            if len(waiting) > ahead:
                yield waiting.pop(0)
        yield from waiting

    def _begin(self, chunk: Sequence[Report], until: datetime) -> Begun:
        futures = [self._pool.submit(self._read_in_time, report, until) for report in chunk]
        return Begun(chunk, lambda: self._finished(futures, until))

    def _finished(
        self, futures: Sequence[Future[Reading | None]], until: datetime
    ) -> tuple[Reading, ...]:
        seconds = (until + GRACE - self._clock()).total_seconds()
        done, late = wait(futures, timeout=max(0.0, seconds))
        for future in late:
            future.cancel()
        readings = (future.result() for future in futures if future in done)
        return tuple(reading for reading in readings if reading is not None)

    def _read_in_time(self, report: Report, until: datetime) -> Reading | None:
        if self._clock() >= until:
            return None
        earlier = self._earlier.get(report.instance_id, "")
        return read_node(self._compliance, report, earlier)


def rows_in_time(compliance: Compliance, clock: Clock, until: datetime) -> Sequence[SummaryRow]:
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
def reader(
    compliance: Compliance, concurrency: int, clock: Clock, earlier: Mapping[str, str]
) -> Iterator[Reader]:
    """A reader whose threads are let go at the end, without waiting for a hanging call.

    `earlier` maps nodes in doubt to the fingerprint of what was read of them last.
    """
    pool = ThreadPoolExecutor(max_workers=concurrency, thread_name_prefix="read")
    try:
        yield Reader(compliance, pool, clock, earlier)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
