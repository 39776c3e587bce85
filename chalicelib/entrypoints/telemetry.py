"""What operators see: one structured log line and one set of EMF metrics a pass.

No line carries a token, a signed URL or a title: titles come from scanned hosts.
"""

from collections.abc import Mapping

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from chalicelib.bootstrap import SERVICE
from chalicelib.domain.errors import DeliveryError, ServiceError
from chalicelib.usecases.announce.deliver import StepResult
from chalicelib.usecases.run import ScanReport

# Each is billed by CloudWatch once a month and stage, so only what alarms and dashboards
# need is a metric; the log line has everything.
METRICS = (
    "seconds",
    "api_calls",
    "nodes_known",
    "nodes_changed",
    "nodes_deferred",
    "nodes_unverified",
    "nodes_gone",
    "findings_new",
    "findings_fixed",
    "snoozed",
    "undelivered",
    "pending_messages",
    "pending_age",
    "scans_finished",
)
IN_SECONDS = ("seconds", "pending_age")


def facts(report: ScanReport, calls: Mapping[str, int]) -> dict[str, object]:
    """A pass in numbers, for the log line and for whoever invoked it by hand."""
    seconds = (report.finished_at - report.started_at).total_seconds()
    found: dict[str, object] = {
        "scan_id": report.scan_id,
        "seconds": round(seconds, 3),
        "api_calls": sum(calls.values()),
        "calls": dict(sorted(calls.items())),
        "topic": report.announcement.topic,
        "announced": report.announcement.announced,
        "snoozed": report.announcement.muted,
        "delivered": sum(each.error is None for each in report.deliveries),
        "undelivered": len(report.undelivered),
        "pending_messages": len(report.pending),
        "pending_age": round(report.pending_age.total_seconds()),
        "scans_finished": int(report.finished_a_scan),
    }
    if report.outcome:
        coverage = report.outcome.coverage
        found |= {
            "nodes_known": coverage.known,
            "nodes_changed": coverage.read + coverage.deferred,
            "nodes_deferred": coverage.deferred,
            "nodes_unverified": len(coverage.unverified),
            "nodes_missing": coverage.missing,
            "nodes_gone": coverage.gone,
            "braked": coverage.braked,
            "untitled_items": coverage.untitled,
            "findings_new": len(report.outcome.new),
            "findings_fixed": report.outcome.fixed,
            "findings_gone": report.outcome.gone,
            "open": report.outcome.open_total,
        }
    return found


def report_scan(log: Logger, stage: str, report: ScanReport, calls: Mapping[str, int]) -> None:
    """Write the log lines and the metrics of one pass."""
    numbers = facts(report, calls)
    log.info("scan finished", extra=numbers)
    for delivery in report.undelivered:
        log.error("message not delivered", extra=_undelivered(delivery))
    if report.failure:
        log.error("scan failed", extra={"scan_id": report.scan_id, "why": _reason(report.failure)})
    metrics = EphemeralMetrics(namespace=SERVICE, service=SERVICE)
    metrics.add_dimension("stage", stage)
    metrics.add_metadata("scan_id", report.scan_id)
    metrics.add_metric("scans_failed", MetricUnit.Count, 1 if report.failure else 0)
    for name in METRICS:
        value = numbers.get(name)
        if isinstance(value, int | float):
            unit = MetricUnit.Seconds if name in IN_SECONDS else MetricUnit.Count
            metrics.add_metric(name, unit, value)
    metrics.flush_metrics()


def _reason(error: Exception) -> str:
    """An error for the log; the text of one that is not ours may quote what it worked on."""
    return str(error) if isinstance(error, ServiceError) else type(error).__name__


def report_request(request_id: str, error: ServiceError) -> None:
    """Write what the caller of the API is not told; the logger needs no settings to do so."""
    extra = {"request_id": request_id, "why": str(error)}
    Logger(service=SERVICE).error("request failed", extra=extra)


def _undelivered(delivery: StepResult) -> dict[str, object]:
    error = delivery.error
    found: dict[str, object] = {
        "message_id": delivery.message_id,
        "step": delivery.step,
        "why": str(error),
    }
    if isinstance(error, DeliveryError):
        found |= {"code": error.code, "retryable": error.retryable, "mend": error.hint or "wait"}
    return found
