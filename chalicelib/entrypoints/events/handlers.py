"""The three event handlers: enqueue a job, run scans, report."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Protocol

from chalice.app import BaseLambdaEvent
from msgspec import Struct

from chalicelib import bootstrap
from chalicelib.domain.scan import Job
from chalicelib.entrypoints import telemetry
from chalicelib.entrypoints.events import schemas
from chalicelib.usecases.context import DEFAULT_OPTIONS, Options
from chalicelib.usecases.run import ScanReport, run_scans

# The rule's pattern lets only these through. The handler checks again.
STATUSES = ("Success", "Failed")


class RawEvent(BaseLambdaEvent):
    """An event as it arrived. Chalice's own class does not name a missing field."""

    def _extract_attributes(self, event_dict: dict[str, Any]) -> None:
        """Leaves validation to the schemas."""


class LambdaContext(Protocol):
    """The part of the Lambda context that is used."""

    invoked_function_arn: str

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends the invocation."""


def on_association(event: RawEvent) -> dict[str, Any]:
    """Handles the end of an association execution."""
    invocation = Invocation.of(event)
    runtime = invocation.runtime
    association = schemas.parse_association_event(event.to_dict())
    detail = association.detail
    documents = runtime.settings.association_documents
    if detail.document_name not in documents or detail.status not in STATUSES:
        runtime.log.info(
            "event ignored", extra={"document": detail.document_name, "status": detail.status}
        )
        return {"ignored": f"document {detail.document_name}, status {detail.status}"}
    return invocation.scan(job=schemas.build_execution_job(association, runtime.clock()))


def on_month(event: RawEvent) -> dict[str, Any]:
    """Handles the monthly schedule."""
    invocation = Invocation.of(event)
    job = schemas.build_monthly_job(event.to_dict(), invocation.runtime.clock())
    return invocation.scan(job=job)


def on_reconcile(event: RawEvent) -> dict[str, Any]:
    """Handles the 15-minute schedule, or a call by hand with `Options`."""
    return Invocation.of(event).scan(schemas.parse_options(event.to_dict()))


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
