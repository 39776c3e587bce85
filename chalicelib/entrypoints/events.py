"""The three event handlers: write down what is owed, make passes, report."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from chalice.app import BaseLambdaEvent

from chalicelib import bootstrap
from chalicelib.domain.job import Job
from chalicelib.entrypoints import schemas, telemetry
from chalicelib.usecases.context import ScanReport
from chalicelib.usecases.passes import DEFAULT_OPTIONS, Options, run_scans

# The pattern lets only these through; the handler checks again.
STATUSES = ("Success", "Failed")


class RawEvent(BaseLambdaEvent):
    """An event as it came: Chalice's own class fails on a missing field without naming it."""

    def _extract_attributes(self, event_dict: dict[str, Any]) -> None:
        """Leave the reading to the schemas."""


class LambdaContext(Protocol):
    """What is used of the Lambda context."""

    invoked_function_arn: str

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends the invocation."""


def on_association(event: RawEvent) -> dict[str, Any]:
    """An association execution ended: enqueue it an answer and make a pass."""
    call = Invocation.of(event)
    happened = schemas.parse_association_event(event.to_dict())
    documents = call.runtime.settings.association_documents
    detail = happened.detail
    if detail.document_name not in documents or detail.status not in STATUSES:
        call.runtime.log.info(
            "event ignored", extra={"document": detail.document_name, "status": detail.status}
        )
        return {"ignored": f"document {detail.document_name}, status {detail.status}"}
    return call.pay(schemas.execution_job(happened, call.runtime.clock()))


def on_month(event: RawEvent) -> dict[str, Any]:
    """The monthly schedule ticked: enqueue the report and make a pass."""
    call = Invocation.of(event)
    return call.pay(schemas.monthly_job(event.to_dict(), call.runtime.clock()))


def on_reconcile(event: RawEvent) -> dict[str, Any]:
    """Repair what events left behind; by hand also `full` and `accept_missing`."""
    call = Invocation.of(event)
    return call.make(schemas.reconcile_options(event.to_dict()))


@dataclass(frozen=True, slots=True)
class Invocation:
    """One invocation of a handler: where it runs and how long it may."""

    runtime: bootstrap.Runtime
    context: LambdaContext
    account: str
    region: str

    @classmethod
    def of(cls, event: RawEvent) -> "Invocation":
        """Read where we run from the function's ARN, or from the event where there is none."""
        context: Any = event.context
        parts = f"{context.invoked_function_arn}::::::".split(":")
        body = event.to_dict() if isinstance(event.to_dict(), dict) else {}
        return cls(
            runtime=bootstrap.runtime(),
            context=context,
            account=parts[4] or str(body.get("account", "unknown")),
            region=parts[3] or str(body.get("region", "unknown")),
        )

    def pay(self, job: Job) -> dict[str, Any]:
        """Write the job down, then make passes."""
        self.runtime.context(self.account, self.region).work.enqueue(job)
        return self.make(DEFAULT_OPTIONS)

    def make(self, wish: Options) -> dict[str, Any]:
        """Make passes and report them; raise what was left undone, so that Lambda tries again."""
        runtime = self.runtime
        left = timedelta(milliseconds=self.context.get_remaining_time_in_millis())
        context = runtime.context(self.account, self.region)
        reports = run_scans(context, runtime.clock() + left, wish)
        calls = runtime.calls.take()
        for report in reports:
            telemetry.report_scan(runtime.log, runtime.settings.stage, report, calls)
        if not reports:
            wished = {"full": wish.full, "accept_missing": wish.accept_missing}
            runtime.log.info(
                "another pass is under way; invoke again what you wished", extra=wished
            )
        _raise_left_undone(reports)
        made = [telemetry.facts(report, calls) for report in reports]
        return {"busy": not made, "scans": made}


def _raise_left_undone(reports: Sequence[ScanReport]) -> None:
    for report in reports:
        if report.failure:
            raise report.failure
    last = reports[-1] if reports else None
    if last and last.undelivered:
        error = last.undelivered[0].error
        if error:
            raise error
