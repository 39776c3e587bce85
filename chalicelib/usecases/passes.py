"""Who holds the lease pays for all: passes are made until nothing new is owed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from chalicelib.domain.alert import Outcome
from chalicelib.domain.debt import DebtKind
from chalicelib.domain.errors import ServiceError
from chalicelib.domain.scan_record import record_of
from chalicelib.usecases.deliver import deliver
from chalicelib.usecases.ports import OpenWork
from chalicelib.usecases.scan import scan
from chalicelib.usecases.stage import snoozes_or_none, stage_monthly, stage_scan
from chalicelib.usecases.world import Order, PassReport, Spoken, World

# The lease outlives the Lambda that holds it by this much.
LEASE_MARGIN = timedelta(seconds=30)
# A further pass is begun only with this much time left.
ANOTHER_PASS = timedelta(seconds=120)


@dataclass(frozen=True, slots=True)
class Wish:
    """What the caller wants of the pass; see `Order`."""

    full: bool = False
    accept_missing: bool = False


NO_WISH = Wish()


def new_scan_id(now: datetime) -> str:
    """Sortable by time and unique: `20261123T081500Z-1f2e3d4c`."""
    return f"{now:%Y%m%dT%H%M%SZ}-{uuid4().hex[:8]}"


def make_passes(world: World, deadline: datetime, wish: Wish = NO_WISH) -> tuple[PassReport, ...]:
    """Make a pass for everybody who is owed one; empty where another holder does so.

    After letting go the debts are looked at once more: an event that came
    while the lease was held found it taken and went away.
    """
    made: list[PassReport] = []
    while True:
        owner = uuid4().hex
        if not world.lease.acquire(owner, world.clock(), deadline + LEASE_MARGIN):
            return tuple(made)
        try:
            seen = world.work.open()
            order = Order(
                new_scan_id(world.clock()),
                deadline,
                full=wish.full,
                accept_missing=wish.accept_missing,
                braked_before=seen.told.braked,
            )
            made.append(make_pass(world, order, seen))
        finally:
            world.lease.release(owner)
        wish = NO_WISH
        if deadline - world.clock() < ANOTHER_PASS or not _owed_since(world, seen):
            return tuple(made)


def _owed_since(world: World, seen: OpenWork) -> bool:
    known = {debt.key for debt in seen.debts}
    return any(debt.key not in known for debt in world.work.open().debts)


def make_pass(world: World, order: Order, work: OpenWork) -> PassReport:
    """One pass: scan, stage, deliver.

    Where scanning fails, the monthly report and what is pending are delivered
    all the same, and the failure is in the report.
    """
    started_at = world.clock()
    outcome, spoken, failure = _scan_and_stage(world, order, work)
    monthly = [debt for debt in work.debts if debt.kind is DebtKind.MONTHLY]
    spoken_monthly = Spoken()
    if monthly:
        try:
            spoken_monthly = stage_monthly(world, monthly)
        except ServiceError as error:
            failure = failure or error
    said = [each for each in (spoken, spoken_monthly) if each.message]
    messages = {each.id: each for each in work.messages}
    messages.update({each.message.id: each.message for each in said if each.message})
    fresh = {each.message.id: each.content for each in said if each.message and each.content}
    deliveries, pending = deliver(world, tuple(messages.values()), fresh, order.deadline)
    finished_at = world.clock()
    if outcome:
        message_id = spoken.message.id if spoken.message else None
        world.journal.record(record_of(outcome, finished_at, message_id))
    return PassReport(
        order.scan_id, started_at, finished_at, outcome, spoken, deliveries, pending, failure
    )


def _scan_and_stage(
    world: World, order: Order, work: OpenWork
) -> tuple[Outcome | None, Spoken, ServiceError | None]:
    outcome: Outcome | None = None
    try:
        outcome = scan(world, order, snoozes_or_none(world))
        return outcome, stage_scan(world, outcome, work), None
    except ServiceError as error:
        return outcome, Spoken(), error
