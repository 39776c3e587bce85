"""The three event handlers, and the types of their events: enqueue a job, run scans, report."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Protocol, TypeVar

import msgspec
from chalice.app import BaseLambdaEvent
from msgspec import Struct

from chalicelib import bootstrap
from chalicelib.domain.errors import BadEvent
from chalicelib.domain.scan import Job, JobKind, execution_key, monthly_key
from chalicelib.entrypoints import telemetry
from chalicelib.usecases.context import DEFAULT_OPTIONS, Acceptance, Options
from chalicelib.usecases.run import ScanReport, run_scans

T = TypeVar("T")
Aware = Annotated[datetime, msgspec.Meta(tz=True)]
# The longest one that AWS has is a document's name of 128 characters. A key has two.
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
# The limit exceeds the nodes of any account. DynamoDB refuses numbers of more than 38 digits.
Count = Annotated[int, msgspec.Meta(ge=0, le=10**9)]
# AWS sends no event outside these years, and arithmetic on its time could overflow.
YEARS: Final = range(2006, 2100)
# The rule's pattern lets only these through. The handler checks again.
STATUSES = ("Success", "Failed")


class RawEvent(BaseLambdaEvent):
    """An event as it arrived. Chalice's own class does not name a missing field."""

    def _extract_attributes(self, event_dict: dict[str, Any]) -> None:
        """Leaves validation to the types below."""


class LambdaContext(Protocol):
    """The part of the Lambda context that is used."""

    invoked_function_arn: str

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends the invocation."""


def on_association(event: RawEvent) -> dict[str, Any]:
    """Handles the end of an association execution."""
    invocation = Invocation.of(event)
    runtime = invocation.runtime
    association = parse_association_event(event.to_dict())
    detail = association.detail
    documents = runtime.settings.association_documents
    if detail.document_name not in documents or detail.status not in STATUSES:
        runtime.log.info(
            "event ignored", extra={"document": detail.document_name, "status": detail.status}
        )
        return {"ignored": f"document {detail.document_name}, status {detail.status}"}
    return invocation.scan(job=build_execution_job(association, runtime.clock()))


def on_month(event: RawEvent) -> dict[str, Any]:
    """Handles the monthly schedule."""
    invocation = Invocation.of(event)
    job = build_monthly_job(event.to_dict(), invocation.runtime.clock())
    return invocation.scan(job=job)


def on_reconcile(event: RawEvent) -> dict[str, Any]:
    """Handles the 15-minute schedule, or a call by hand with `Options`."""
    return Invocation.of(event).scan(parse_options(event.to_dict()))


class Invocation(Struct, frozen=True):
    """One invocation of a handler: where it runs, and its time."""

    runtime: bootstrap.Runtime
    lambda_context: LambdaContext
    account: str
    region: str

    @classmethod
    def of(cls, event: RawEvent) -> "Invocation":
        """Reads account and region from the function's ARN, or from the event if it has none."""
        lambda_context: Any = event.context
        parts = f"{lambda_context.invoked_function_arn}::::::".split(":")
        body = event.to_dict() if isinstance(event.to_dict(), dict) else {}
        account = parts[4] or str(body.get("account", "unknown"))
        region = parts[3] or str(body.get("region", "unknown"))
        return cls(bootstrap.runtime(), lambda_context, account, region)

    def scan(self, options: Options = DEFAULT_OPTIONS, job: Job | None = None) -> dict[str, Any]:
        """Enqueues the job, runs scans and reports them.

        Raises what was left undone, so that Lambda retries.
        """
        runtime = self.runtime
        context = runtime.context(self.account, self.region)
        if job:
            context.work.enqueue(job)
        time_left = timedelta(milliseconds=self.lambda_context.get_remaining_time_in_millis())
        reports = run_scans(context, runtime.clock() + time_left, options)
        calls = runtime.calls.take()
        for report in reports:
            telemetry.report_scan(runtime.log, runtime.settings.stage, report, calls)
        if not reports:
            ignored = {
                "full": options.full,
                "accept_missing": options.accept_missing,
                "accept_unchecked": options.accept_unchecked is not None,
            }
            runtime.log.info("another scan is running; these options were ignored", extra=ignored)
        raise_undone(reports)
        scans = [telemetry.summarize_scan(report, calls) for report in reports]
        return {"busy": not scans, "scans": scans}


def raise_undone(reports: Sequence[ScanReport]) -> None:
    """Raises the first failure of any scan, else what the last one could not deliver."""
    for report in reports:
        if report.failure:
            raise report.failure
    last = reports[-1] if reports else None
    if last and last.undelivered:
        error = last.undelivered[0].error
        if error:
            raise error


class AssociationDetail(msgspec.Struct, frozen=True, rename="kebab"):
    """The part of the detail that is used.

    AWS does not always send the optional fields, and promises no form of them.
    """

    association_id: Name
    document_name: Name
    status: Name
    last_execution_date: Any = None
    association_status_aggregated_count: Any = None


class AssociationEvent(msgspec.Struct, frozen=True):
    """An "EC2 State Manager Association State Change" of EventBridge."""

    id: Name
    time: Aware
    detail: AssociationDetail


class ScheduledEvent(msgspec.Struct, frozen=True):
    """A "Scheduled Event" of EventBridge."""

    time: Aware


class AcceptUnchecked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Findings that a person accepts as not checked any more. Without a field: all of them."""

    instance_id: Name | None = None
    control_id: Name | None = None


class ReconcilePayload(msgspec.Struct, frozen=True):
    """The payload of `reconcile` invoked by hand. A scheduled event has none of these fields."""

    full: bool = False
    accept_missing: bool = False
    accept_unchecked: AcceptUnchecked | None = None


def parse_association_event(event: Any) -> AssociationEvent:
    """Returns the event; `BadEvent` names the field that is wrong."""
    return _convert(event, AssociationEvent)


def build_execution_job(event: AssociationEvent, now: datetime) -> Job:
    """Builds the job of an association execution; `BadEvent` for an impossible time.

    Optional fields that are malformed count as missing.
    """
    detail = event.detail
    executed_at = _parse_date(detail.last_execution_date)
    date = detail.last_execution_date if executed_at else ""
    return Job(
        key=execution_key(detail.association_id, date, event.id),
        kind=JobKind.EXECUTION,
        event_at=_validate_time(event.time),
        enqueued_at=now,
        association_id=detail.association_id,
        status=detail.status,
        executed_at=executed_at,
        nodes=_parse_counts(detail.association_status_aggregated_count),
    )


def build_monthly_job(event: Any, now: datetime) -> Job:
    """Builds the job of the monthly schedule; `BadEvent` names the field that is wrong."""
    at = _validate_time(_convert(event, ScheduledEvent).time)
    return Job(key=monthly_key(at), kind=JobKind.MONTHLY, event_at=at, enqueued_at=now)


def parse_options(event: Any) -> Options:
    """Returns the options of `reconcile`; `BadEvent` names the field that is wrong."""
    payload = _convert(event, ReconcilePayload)
    accepted = payload.accept_unchecked
    return Options(
        full=payload.full,
        accept_missing=payload.accept_missing,
        accept_unchecked=Acceptance(accepted.instance_id, accepted.control_id)
        if accepted
        else None,
    )


def _convert(event: Any, kind: type[T]) -> T:
    try:
        return msgspec.convert(_replace_surrogates(event), kind)
    except msgspec.ValidationError as error:
        raise _refuse(str(error)) from error


def _replace_surrogates(event: Any) -> Any:
    """Replaces halves of surrogate pairs: JSON allows them, msgspec and DynamoDB do not."""
    try:
        return json.loads(json.dumps(event, ensure_ascii=False).encode("utf-8", "replace"))
    except RecursionError as error:
        raise _refuse("Expected fewer levels - at `$`") from error


def _validate_time(at: datetime) -> datetime:
    if at.year not in YEARS:
        raise _refuse(f"Expected a year from {YEARS[0]} to {YEARS[-1]} - at `$.time`")
    return at.astimezone(UTC)


def _refuse(reason: str) -> BadEvent:
    return BadEvent(f"The event is refused and nothing was changed: {reason}")


def _parse_date(date: Any) -> datetime | None:
    try:
        at = msgspec.convert(date, Aware)
    except msgspec.ValidationError:
        return None
    return at.astimezone(UTC) if at.year in YEARS else None


def _parse_counts(counts: Any) -> Mapping[str, int]:
    """Reads the nodes by status, from an object or from its JSON text; empty if it is neither."""
    try:
        value = msgspec.json.decode(counts) if isinstance(counts, str) else counts
        return msgspec.convert(value, dict[Name, Count])
    except (msgspec.DecodeError, RecursionError):
        return {}
