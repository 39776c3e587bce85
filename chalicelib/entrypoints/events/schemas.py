"""The shapes of what comes in, and how each becomes a domain value."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final, TypeVar

import msgspec

from chalicelib.domain.errors import BadEvent
from chalicelib.domain.job import Job, JobKind, execution_key, monthly_key
from chalicelib.usecases.context import Options

T = TypeVar("T")
Aware = Annotated[datetime, msgspec.Meta(tz=True)]
Name = Annotated[str, msgspec.Meta(min_length=1)]
# more nodes than any account has; DynamoDB takes no number of over 38 digits
Count = Annotated[int, msgspec.Meta(ge=0, le=10**9)]
# Outside these years an event is none of AWS, and arithmetic on its time may fail.
YEARS: Final = range(2006, 2100)


class AssociationDetail(msgspec.Struct, frozen=True, rename="kebab"):
    """What of the detail may be assumed, and what is used where it is there."""

    association_id: Name
    document_name: Name
    status: Name
    last_execution_date: str | None = None
    association_status_aggregated_count: str | None = None


class AssociationEvent(msgspec.Struct, frozen=True):
    """An "EC2 State Manager Association State Change" of EventBridge."""

    id: Name
    time: Aware
    detail: AssociationDetail


class ScheduledEvent(msgspec.Struct, frozen=True):
    """A "Scheduled Event" of EventBridge."""

    time: Aware


class ReconcilePayload(msgspec.Struct, frozen=True):
    """What `reconcile` takes by hand; a scheduled event has neither and asks for nothing more."""

    full: bool = False
    accept_missing: bool = False


def parse_association_event(event: Any) -> AssociationEvent:
    """The event, or `BadEvent` naming the field."""
    return _converted(event, AssociationEvent)


def execution_job(event: AssociationEvent, now: datetime) -> Job:
    """What an association event makes us enqueue, or `BadEvent` for a time that none of AWS has.

    Optional parts that cannot be read are left out.
    """
    detail = event.detail
    return Job(
        key=execution_key(detail.association_id, detail.last_execution_date or "", event.id),
        kind=JobKind.EXECUTION,
        event_at=_instant(event.time),
        enqueued_at=now,
        association_id=detail.association_id,
        status=detail.status,
        executed_at=_date(detail.last_execution_date),
        nodes=_counts(detail.association_status_aggregated_count),
    )


def monthly_job(event: Any, now: datetime) -> Job:
    """What a tick of the monthly schedule makes us enqueue, or `BadEvent` naming the field."""
    at = _instant(_converted(event, ScheduledEvent).time)
    return Job(key=monthly_key(at), kind=JobKind.MONTHLY, event_at=at, enqueued_at=now)


def reconcile_options(event: Any) -> Options:
    """What `reconcile` is asked to do, or `BadEvent` naming the field."""
    payload = _converted(event, ReconcilePayload)
    return Options(full=payload.full, accept_missing=payload.accept_missing)


def _converted(event: Any, shape: type[T]) -> T:
    try:
        return msgspec.convert(_storable(event), shape)
    except msgspec.ValidationError as error:
        raise _refused(str(error)) from error


def _storable(event: Any) -> Any:
    """JSON can carry half a surrogate pair; msgspec fails on it, and nothing can keep it."""
    try:
        return json.loads(json.dumps(event, ensure_ascii=False).encode("utf-8", "replace"))
    except RecursionError as error:
        raise _refused("Expected fewer levels - at `$`") from error


def _instant(at: datetime) -> datetime:
    if at.year not in YEARS:
        raise _refused(f"Expected a year from {YEARS[0]} to {YEARS[-1]} - at `$.time`")
    return at.astimezone(UTC)


def _refused(why: str) -> BadEvent:
    return BadEvent(f"event refused, nothing was changed: {why}")


def _date(text: str | None) -> datetime | None:
    try:
        at = msgspec.convert(text, Aware)
    except msgspec.ValidationError:
        return None
    return at.astimezone(UTC) if at.year in YEARS else None


def _counts(text: str | None) -> Mapping[str, int]:
    try:
        return msgspec.json.decode(text or "{}", type=dict[Name, Count])
    except msgspec.DecodeError:
        return {}
