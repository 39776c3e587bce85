"""Who holds the lease pays for all: passes are made until nothing new is owed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import uuid4

from chalicelib.domain.job import JobKind
from chalicelib.domain.message import Message
from chalicelib.domain.scan_record import build_record
from chalicelib.usecases.context import Announcement, Context, CsvContent, Run, ScanReport
from chalicelib.usecases.deliver import DeliveryReport, deliver
from chalicelib.usecases.ports import OpenWork
from chalicelib.usecases.scan import sync_store
from chalicelib.usecases.stage import read_snoozes, stage_monthly, stage_scan

# The lease outlives the Lambda that holds it by this much.
LEASE_MARGIN = timedelta(seconds=30)
# A further pass is begun only with this much time left.
ANOTHER_SCAN = timedelta(seconds=120)


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Options:
    """What the caller wants of the pass; see `Order`."""

    full: bool = False
    accept_missing: bool = False


DEFAULT_OPTIONS = Options()


def new_scan_id(now: datetime) -> str:
    """Sortable by time and unique: `20261123T081500Z-1f2e3d4c`."""
    return f"{now:%Y%m%dT%H%M%SZ}-{uuid4().hex[:8]}"


def run_scans(
    context: Context, deadline: datetime, wish: Options = DEFAULT_OPTIONS
) -> tuple[ScanReport, ...]:
    """Make a pass for everybody who is owed one; empty where another holder does so.

    After letting go the jobs are looked at once more: an event that came
    while the lease was held found it taken and went away.
    """
    made: list[ScanReport] = []
    while True:
        owner = uuid4().hex
        if not context.lease.acquire(owner, context.clock(), deadline + LEASE_MARGIN):
            return tuple(made)
        try:
            seen = context.work.open()
            order = Run(
                new_scan_id(context.clock()),
                deadline,
                full=wish.full,
                accept_missing=wish.accept_missing,
                braked_before=seen.channel_state.braked,
            )
            made.append(run_scan(context, order, seen))
        finally:
            context.lease.release(owner)
        wish = DEFAULT_OPTIONS
        if deadline - context.clock() < ANOTHER_SCAN or not _new_jobs(context, seen):
            return tuple(made)


def _new_jobs(context: Context, seen: OpenWork) -> bool:
    known = {job.key for job in seen.jobs}
    return any(job.key not in known for job in context.work.open().jobs)


def run_scan(context: Context, order: Run, work: OpenWork) -> ScanReport:
    """One pass: scan, stage, deliver.

    Whatever keeps one part from being done must not keep the others: what is
    pending is delivered in any case, and the first failure is in the report.
    """
    started_at = context.clock()
    tries = FailureCollector()
    outcome = tries.make(lambda: sync_store(context, order, read_snoozes(context)))
    announcement = tries.make(lambda: stage_scan(context, outcome, work)) if outcome else None
    delivered = _deliver(context, order, work.messages, announcement)
    # A large month may take longer than there is time; what the scan says must not wait for it.
    months = [job for job in work.jobs if job.kind is JobKind.MONTHLY]
    monthly = tries.make(lambda: stage_monthly(context, months)) if months else None
    later = _deliver(context, order, (), monthly, channel_down=delivered.channel_is_down)
    finished_at = context.clock()
    if outcome:
        message_id = announcement.message.id if announcement and announcement.message else None
        record = build_record(outcome, finished_at, message_id)
        tries.make(lambda: context.journal.record(record))
    return ScanReport(
        scan_id=order.scan_id,
        started_at=started_at,
        finished_at=finished_at,
        outcome=outcome,
        announcement=announcement or Announcement(),
        deliveries=(*delivered.tried, *later.tried),
        pending=(*delivered.pending, *later.pending),
        failure=tries.failure,
    )


def _deliver(
    context: Context,
    order: Run,
    waiting: Sequence[Message],
    announcement: Announcement | None,
    *,
    channel_down: bool = False,
) -> DeliveryReport:
    """Deliver what waits, and what was just said."""
    fresh: dict[str, CsvContent] = {}
    messages = list(waiting)
    if announcement and announcement.message:
        messages.append(announcement.message)
        if announcement.content:
            fresh[announcement.message.id] = announcement.content
    return deliver(context, messages, fresh, order.deadline, channel_down=channel_down)


class FailureCollector:
    """Parts of a pass that do not stop each other; `failure` is the first that went wrong."""

    def __init__(self) -> None:
        self.failure: Exception | None = None

    def make(self, part: Callable[[], T]) -> T | None:
        """The part's result, None where it failed."""
        try:
            return part()
        except Exception as error:  # noqa: BLE001 - recorded here, raised again by the entrypoint
            self.failure = self.failure or error
            return None
