"""Runs scans under the lease until no job is waiting: sync, announce, deliver, record."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import uuid4

from msgspec import Struct

from chalicelib.domain.announcement import NEVER_ANSWERED
from chalicelib.domain.decision import is_small
from chalicelib.domain.errors import ServiceError
from chalicelib.domain.message import Message
from chalicelib.domain.scan import (
    Job,
    JobKind,
    Outcome,
    build_record,
    combine_targets,
    judge_targets,
)
from chalicelib.usecases.announce.deliver import Delivery, StepResult
from chalicelib.usecases.announce.follow import follow_facts
from chalicelib.usecases.announce.stage import (
    NO_ANNOUNCEMENT,
    Announcement,
    stage_monthly,
    stage_scan,
)
from chalicelib.usecases.context import DEFAULT_OPTIONS, Context, Options, Run
from chalicelib.usecases.ports import OpenWork
from chalicelib.usecases.scan.scan import sync_store
from chalicelib.usecases.snooze_access import read_snoozes

# The lease outlives the Lambda that holds it by this time, because clocks differ.
LEASE_MARGIN = timedelta(seconds=30)
# Reading stops this long before the deadline: what it found must still be announced.
ANNOUNCING_TIME = timedelta(seconds=60)
# Another scan starts only with this much time left.
ANOTHER_SCAN = timedelta(seconds=120)

T = TypeVar("T")


class ScanReport(Struct, frozen=True):
    """What one scan did.

    monthly: what was announced of a month · pending: messages with a step left, oldest
    first · executions: those that waited, without small ones · target_errors: why the
    targets of some could not be read · failure: the first error
    that kept the scan from reading or announcing, None if nothing did.
    """

    scan_id: str
    started_at: datetime
    finished_at: datetime
    outcome: Outcome | None
    announcement: Announcement
    monthly: Announcement
    deliveries: tuple[StepResult, ...]
    pending: tuple[Message, ...]
    executions: tuple[Job, ...] = ()
    target_errors: tuple[ServiceError, ...] = ()
    failure: Exception | None = None

    @property
    def undelivered(self) -> tuple[StepResult, ...]:
        """The delivery steps that failed."""
        return tuple(each for each in self.deliveries if each.error)

    @property
    def refused(self) -> tuple[StepResult, ...]:
        """The delivery steps that were settled in another way, because of a refusal."""
        return tuple(each for each in self.deliveries if each.refusal)

    @property
    def pending_age(self) -> timedelta:
        """How long the oldest pending message has waited; zero if none does."""
        if not self.pending:
            return timedelta()
        return self.finished_at - self.pending[0].created_at

    @property
    def targets_reported(self) -> int | None:
        """The share of targets that gave a result, in percent; None if none is known."""
        if self.outcome is None or not self.executions:
            return None
        results = combine_targets(self.executions, self.outcome.coverage)
        return int(100 * results.share) if results.targets else None

    @property
    def finished_a_scan(self) -> bool:
        """Whether nodes had reported again, and the scan reached the end of all of them.

        At least half of the targets of an execution must have reported, and be
        verified. If no number of targets is known, it is half of the fleet, in this scan. So
        one that found nothing changed does not count: it cannot know whether the
        nodes are still being scanned. Neither does one that only read unverified
        nodes again, which every scan does.
        """
        if self.outcome is None or self.failure is not None or self.outcome.coverage.deferred:
            return False
        coverage = self.outcome.coverage
        judged = [judge_targets(job, coverage) for job in self.executions]
        counted = [(each.verified, each.targets) for each in judged if each.targets]
        return any(
            verified > 0 and 2 * verified >= number
            for verified, number in counted or [(coverage.verified, coverage.known)]
        )


def run_scans(
    context: Context, deadline: datetime, options: Options = DEFAULT_OPTIONS
) -> tuple[ScanReport, ...]:
    """Runs scans until no job is waiting. Returns no report if somebody else holds the lease.

    An event that arrives while the lease is held only enqueues its job, and leaves
    word on the lease. So the holder scans again.
    """
    reports: list[ScanReport] = []
    while True:
        owner = uuid4().hex
        if not context.lease.acquire(owner, context.clock(), deadline + LEASE_MARGIN):
            return tuple(reports)
        try:
            work = context.work.open()
            run = Run(
                new_scan_id(context.clock()),
                deadline,
                read_until=deadline - ANNOUNCING_TIME,
                options=options,
                braked_before=work.channel_state.braked,
            )
            reports.append(run_scan(context, run, work))
        finally:
            is_wanted = context.lease.release(owner)
        options = DEFAULT_OPTIONS
        if not is_wanted or deadline - context.clock() < ANOTHER_SCAN:
            return tuple(reports)


def new_scan_id(now: datetime) -> str:
    """Returns an id that is unique and sorts by time: `20261123T081500Z-1f2e3d4c`.

    Five digits are microseconds: a scan of a small fleet may follow within the second.
    """
    return f"{now:%Y%m%dT%H%M%SZ}-{now.microsecond:05x}{uuid4().hex[:3]}"


def run_scan(context: Context, run: Run, work: OpenWork) -> ScanReport:
    """Runs one scan: sync the store, stage the announcement, deliver.

    A part that fails does not stop the others. Pending messages are delivered in
    any case, and the first failure is in the report.
    """
    started_at = context.clock()
    parts = IsolatedParts()
    snoozes = parts.run(lambda: read_snoozes(context))
    synced = parts.run(lambda: sync_store(context, run, work, snoozes))
    announcement = (
        parts.run(
            lambda: stage_scan(context, synced.outcome, work, snoozes or (), synced.list_changes)
        )
        if synced
        else None
    )
    outcome = synced.outcome if synced else None
    delivery = Delivery(context, work.outputs, run.deadline, end_pauses=run.options.full)
    parts.run(lambda: _deliver(delivery, work.messages, announcement))
    last_fact = outcome.last if outcome else work.last_fact
    if context.fact_outputs:
        parts.run(lambda: follow_facts(delivery, context, work, last_fact))
    # A large month may take longer than there is time. The announcement must not wait for it.
    months = [job for job in work.jobs if job.kind is JobKind.MONTHLY]
    monthly = parts.run(lambda: stage_monthly(context, months)) if months else None
    parts.run(lambda: _deliver(delivery, (), monthly))
    finished_at = context.clock()
    if outcome and not announcement:
        # else the announcement has recorded it
        record = build_record(outcome, finished_at, message_id=None)
        parts.run(lambda: context.journal.record(record))
    return ScanReport(
        scan_id=run.scan_id,
        started_at=started_at,
        finished_at=finished_at,
        outcome=outcome,
        announcement=announcement or NO_ANNOUNCEMENT,
        monthly=monthly or NO_ANNOUNCEMENT,
        deliveries=tuple(delivery.results),
        pending=tuple(delivery.pending),
        executions=_list_executions(outcome, work) if outcome else (),
        target_errors=synced.target_errors if synced else (),
        failure=parts.failure,
    )


def _list_executions(outcome: Outcome, work: OpenWork) -> tuple[Job, ...]:
    """Lists the executions that waited, without those that are small for their association."""
    associations = work.channel_state.associations
    return tuple(
        job
        for job in work.jobs
        if job.kind is JobKind.EXECUTION
        and not is_small(
            judge_targets(job, outcome.coverage).targets,
            associations.get(job.association_id, NEVER_ANSWERED),
        )
    )


def _deliver(
    delivery: Delivery, waiting: Sequence[Message], announcement: Announcement | None
) -> None:
    """Delivers the messages that wait, and the announcement that was just staged."""
    staged = announcement or NO_ANNOUNCEMENT
    messages = (*waiting, staged.message) if staged.message else waiting
    delivery.deliver(messages, staged.contents)


class IsolatedParts:
    """Runs parts of a scan so that none stops the next. `failure` is the first error."""

    def __init__(self) -> None:
        self.failure: Exception | None = None

    def run(self, part: Callable[[], T]) -> T | None:
        """Returns the part's result, None if it failed."""
        try:
            return part()
        except Exception as error:  # noqa: BLE001 - recorded here, raised by the entry point
            self.failure = self.failure or error
            return None
