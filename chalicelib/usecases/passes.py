"""Who holds the lease pays for all: passes are made until nothing new is owed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import uuid4

from chalicelib.domain.debt import DebtKind
from chalicelib.domain.message import Message
from chalicelib.domain.scan_record import record_of
from chalicelib.usecases.deliver import Deliveries, deliver
from chalicelib.usecases.ports import OpenWork
from chalicelib.usecases.scan import scan
from chalicelib.usecases.stage import snoozes_or_none, stage_monthly, stage_scan
from chalicelib.usecases.world import Content, Order, PassReport, Spoken, World

# The lease outlives the Lambda that holds it by this much.
LEASE_MARGIN = timedelta(seconds=30)
# A further pass is begun only with this much time left.
ANOTHER_PASS = timedelta(seconds=120)


T = TypeVar("T")


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

    Whatever keeps one part from being done must not keep the others: what is
    pending is delivered in any case, and the first failure is in the report.
    """
    started_at = world.clock()
    tries = Tries()
    outcome = tries.make(lambda: scan(world, order, snoozes_or_none(world)))
    spoken = tries.make(lambda: stage_scan(world, outcome, work)) if outcome else None
    delivered = _deliver(world, order, work.messages, spoken)
    # A large month may take longer than there is time; what the scan says must not wait for it.
    months = [debt for debt in work.debts if debt.kind is DebtKind.MONTHLY]
    monthly = tries.make(lambda: stage_monthly(world, months)) if months else None
    later = _deliver(world, order, (), monthly, channel_down=delivered.channel_is_down)
    finished_at = world.clock()
    if outcome:
        message_id = spoken.message.id if spoken and spoken.message else None
        record = record_of(outcome, finished_at, message_id)
        tries.make(lambda: world.journal.record(record))
    return PassReport(
        scan_id=order.scan_id,
        started_at=started_at,
        finished_at=finished_at,
        outcome=outcome,
        spoken=spoken or Spoken(),
        deliveries=(*delivered.tried, *later.tried),
        pending=(*delivered.pending, *later.pending),
        failure=tries.failure,
    )


def _deliver(
    world: World,
    order: Order,
    waiting: Sequence[Message],
    spoken: Spoken | None,
    *,
    channel_down: bool = False,
) -> Deliveries:
    """Deliver what waits, and what was just said."""
    fresh: dict[str, Content] = {}
    messages = list(waiting)
    if spoken and spoken.message:
        messages.append(spoken.message)
        if spoken.content:
            fresh[spoken.message.id] = spoken.content
    return deliver(world, messages, fresh, order.deadline, channel_down=channel_down)


class Tries:
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
