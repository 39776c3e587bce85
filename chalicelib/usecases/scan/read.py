"""Reads nodes from SSM Compliance in parallel until a given time, and verifies each reading."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from datetime import datetime, timedelta

from msgspec import Struct, field
from msgspec.structs import replace

from chalicelib.domain.compliance import (
    SETTLED_BY_REPETITION,
    Doubt,
    FoldedItems,
    Item,
    ItemList,
    NodeReport,
    SummaryRow,
    compute_fingerprint,
    find_doubt,
    find_doubt_about_passed,
    fold_items,
    select_items,
    settle_doubt,
)
from chalicelib.domain.diff import (
    TypeEvidence,
    find_types_to_prove,
    find_vanished,
    show_types,
)
from chalicelib.domain.errors import ServiceError, Unavailable
from chalicelib.domain.finding import Entry, finding_id, unpack_list
from chalicelib.domain.node import Node, find_settled_fingerprint
from chalicelib.domain.scan import Job, Targets
from chalicelib.usecases.ports import Clock, Compliance, Executions

# A page of ListComplianceItems holds at most 50 items (API reference, MaxResults).
PAGE = 50
# A reading that began in time may take this much longer. Then the node is deferred.
GRACE = timedelta(seconds=20)
# The targets of all executions that wait take no longer. Without them an answer relies on counts.
TARGETS_TIME = timedelta(seconds=30)


NO_ITEMS = FoldedItems((), 0)


class Reading(Struct, frozen=True):
    """What a node shows. `doubt` is None if that is verified.

    `doubt` is about the whole node: none of its findings may leave while any type is in
    doubt. `report` says which types were left
    out (`uncounted`). `fingerprint` lets a later scan recognize the same reading. `shown`
    has what each type shows beside what fails, if the reading is verified.
    """

    report: NodeReport
    folded: FoldedItems
    doubt: Doubt | None
    fingerprint: str = ""
    shown: Mapping[str, TypeEvidence] = field(default_factory=dict)


def split_into_chunks(
    reports: Sequence[NodeReport], chunk_pages: int
) -> Iterator[tuple[NodeReport, ...]]:
    """Yields the nodes in chunks of about `chunk_pages` pages, in order. Each has one or more."""
    chunk: list[NodeReport] = []
    pages = 0
    for report in reports:
        chunk.append(report)
        pages += max(1, -(-report.count // PAGE))
        if pages >= chunk_pages:
            yield tuple(chunk)
            chunk, pages = [], 0
    if chunk:
        yield tuple(chunk)


def read_node(
    compliance: Compliance, report: NodeReport, node: Node | None, now: datetime
) -> Reading:
    """Reads one node, a second time if there is a doubt about the first reading.

    The summary alone verifies a node without non-compliant items, unless no
    check ran. Passed items are read only if a listed finding does not fail any more. A
    node that cannot be read is unverified, not an error: it must not
    stop the others. `node` is its stored row: its list, and the fingerprint of the
    unverified reading of an earlier scan.
    """
    listed = unpack_list((node and node.open_list) or b"")
    try:
        reading = _read_once(compliance, report, listed)
        if reading.doubt and not report.doubt:
            reading = _read_once(compliance, report, listed)
    except ServiceError:
        return Reading(report, NO_ITEMS, report.doubt or Doubt.UNREADABLE)
    earlier = find_settled_fingerprint(node, now)
    doubt = settle_doubt(reading.doubt, reading.fingerprint, earlier)
    return replace(reading, doubt=doubt, shown={} if doubt else reading.shown)


def _read_once(compliance: Compliance, report: NodeReport, listed: Mapping[str, Entry]) -> Reading:
    """Reads what fails, and if that may be verified, what passed instead of failing."""
    found = ItemList(())
    if report.has_items:
        found = compliance.items(report.instance_id, report.types)
    failed = select_items(report, found.items)
    folded = fold_items(report.instance_id, failed)
    vanished = find_vanished(folded.observations, listed)
    doubt = find_doubt(report, failed)
    missing = {each.finding_id for each in vanished if not each.is_unchecked}
    if not doubt and found.may_hide_items and missing:
        doubt = Doubt.LISTED_TWICE
    passed: tuple[Item, ...] = ()
    types = find_types_to_prove(report, vanished)
    if types and (doubt is None or doubt in SETTLED_BY_REPETITION):
        listing = compliance.passed_items(report.instance_id, types)
        passed = select_items(report, listing.items)
        doubt = doubt or find_doubt_about_passed(report, types, passed)
        shown = {finding_id(report.instance_id, each.title) for each in passed if each.title}
        if not doubt and listing.may_hide_items and missing - shown:
            doubt = Doubt.LISTED_TWICE
    return Reading(
        report,
        folded,
        doubt,
        # none if the items that must be there are not
        compute_fingerprint((*failed, *passed)) if failed or not report.has_items else "",
        show_types(report, failed, passed, vanished),
    )


class NodeReader:
    """Reads chunks of nodes with a bounded number of threads."""

    def __init__(
        self,
        compliance: Compliance,
        pool: ThreadPoolExecutor,
        clock: Clock,
        nodes: Mapping[str, Node],
    ) -> None:
        self._compliance = compliance
        self._pool = pool
        self._clock = clock
        self._nodes = nodes

    def read(
        self, chunks: Iterable[Sequence[NodeReport]], until: datetime, *, ahead: bool
    ) -> Iterator[Callable[[], tuple[Reading, ...]]]:
        """Yields a function for each chunk whose readings begin before `until`, in order.

        It waits for the readings and returns them. `ahead` reads the next chunk
        while the caller works on this one.
        """
        waiting: list[Callable[[], tuple[Reading, ...]]] = []
        for chunk in chunks:
            if self._clock() >= until:
                break
            waiting.append(self._begin(chunk, until))
            if len(waiting) > ahead:
                yield waiting.pop(0)
        yield from waiting

    def _begin(
        self, chunk: Sequence[NodeReport], until: datetime
    ) -> Callable[[], tuple[Reading, ...]]:
        futures = [self._pool.submit(self._read_in_time, report, until) for report in chunk]
        return lambda: self._collect(futures, until)

    def _collect(
        self, futures: Sequence[Future[Reading | None]], until: datetime
    ) -> tuple[Reading, ...]:
        seconds = (until + GRACE - self._clock()).total_seconds()
        done, late = wait(futures, timeout=max(0.0, seconds))
        for future in late:
            future.cancel()
        readings = (future.result() for future in futures if future in done)
        return tuple(reading for reading in readings if reading is not None)

    def _read_in_time(self, report: NodeReport, until: datetime) -> Reading | None:
        now = self._clock()
        if now >= until:
            return None
        return read_node(self._compliance, report, self._nodes.get(report.instance_id), now)


def list_summaries(compliance: Compliance, clock: Clock, until: datetime) -> Sequence[SummaryRow]:
    """Returns the complete list of SSM; `Unavailable` if that takes too long.

    An incomplete list proves nothing. A list without end must not delay pending
    messages.
    """
    pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="list")
    try:
        seconds = (until + GRACE - clock()).total_seconds()
        return pool.submit(compliance.summaries).result(max(0.0, seconds))
    except TimeoutError as error:
        text = "SSM did not list the fleet within the time of a scan"
        raise Unavailable(text) from error
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


class TargetReading(Struct, frozen=True):
    """The targets of executions by the key of their job, and why others could not be read."""

    by_job: Mapping[str, Targets]
    errors: tuple[ServiceError, ...] = ()


def read_targets(
    executions: Executions, jobs: Iterable[Job], patience: timedelta = TARGETS_TIME
) -> TargetReading:
    """Reads the targets of the executions that wait, each once, one after the other.

    An execution whose targets cannot be read, or not in time, is answered by the
    count of its event. One without a date cannot be found.
    """
    waiting: dict[tuple[str, datetime], list[Job]] = {}
    for job in jobs:
        if job.executed_at:
            waiting.setdefault((job.association_id, job.executed_at), []).append(job)
    pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="targets")
    try:
        asked = [(pool.submit(executions.targets, *key), waiting[key]) for key in waiting]
        wait([future for future, _ in asked], timeout=patience.total_seconds())
        return _collect_targets(asked)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _collect_targets(
    asked: Iterable[tuple[Future[Targets | None], Sequence[Job]]],
) -> TargetReading:
    by_job: dict[str, Targets] = {}
    errors: list[ServiceError] = []
    for future, jobs in asked:
        try:
            targets = future.result(timeout=0)
        except ServiceError as error:
            errors.append(error)
        except TimeoutError:
            errors.append(Unavailable("SSM did not list the targets of an execution in time"))
        else:
            by_job |= {job.key: targets for job in jobs if targets}
    return TargetReading(by_job, tuple(errors))


@contextmanager
def open_reader(
    compliance: Compliance, concurrency: int, clock: Clock, nodes: Mapping[str, Node]
) -> Iterator[NodeReader]:
    """Opens a reader. Its threads are released at the end, without waiting for hanging calls.

    `nodes` are the stored rows.
    """
    pool = ThreadPoolExecutor(max_workers=concurrency, thread_name_prefix="read")
    try:
        yield NodeReader(compliance, pool, clock, nodes)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
