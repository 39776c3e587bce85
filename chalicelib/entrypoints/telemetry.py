"""What operators see: for each scan one structured log line and one set of EMF metrics.

No line carries a token, a signed URL or a title: titles come from scanned hosts.
"""

from collections.abc import Mapping

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from chalicelib.bootstrap import SERVICE
from chalicelib.domain.errors import DeliveryError, ServiceError
from chalicelib.domain.history import AWAY, BACK, EventKind
from chalicelib.usecases.announce.deliver import StepResult
from chalicelib.usecases.run import ScanReport

# CloudWatch bills each of them for each stage. So only the numbers that alarms and dashboards need
# are metrics; the log line has all.
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
    "targets_reported",
)
MEND = "invoke reconcile with full"
UNITS = {
    "seconds": MetricUnit.Seconds,
    "pending_age": MetricUnit.Seconds,
    "targets_reported": MetricUnit.Percent,
}


def summarize_scan(report: ScanReport, calls: Mapping[str, int]) -> dict[str, object]:
    """Returns a scan in numbers, for the log line and for the response to an invocation.

    `calls` maps AWS calls to their number. The fields of an outcome are missing if
    the scan failed, and the share of targets if none is known.
    """
    seconds = (report.finished_at - report.started_at).total_seconds()
    fields: dict[str, object] = {
        "scan_id": report.scan_id,
        "seconds": round(seconds, 3),
        "api_calls": sum(calls.values()),
        "calls": dict(sorted(calls.items())),
        "topic": report.announcement.topic,
        "reason": report.announcement.reason,
        "announced": report.announcement.announced,
        "snoozed": report.announcement.muted,
        "delivered": sum(each.error is None for each in report.deliveries),
        "undelivered": len(report.undelivered),
        "pending_messages": len(report.pending),
        "pending_age": round(report.pending_age.total_seconds()),
        "scans_finished": int(report.finished_a_scan),
    }
    if report.targets_reported is not None:
        fields["targets_reported"] = report.targets_reported
    if report.outcome:
        coverage = report.outcome.coverage
        fields |= {
            "nodes_known": coverage.known,
            "nodes_changed": coverage.read + coverage.deferred,
            "nodes_deferred": coverage.deferred,
            "nodes_unverified": len(coverage.unverified),
            "nodes_missing": coverage.missing,
            "nodes_gone": coverage.gone,
            "nodes_silent": len(coverage.silence.since),
            "nodes_partial": len(coverage.partial),
            "braked": coverage.braked,
            "untitled_items": coverage.untitled,
            "findings_new": len(report.outcome.new),
            "findings_worse": report.outcome.count(EventKind.WORSE),
            "findings_reworded": report.outcome.count(EventKind.REWORDED),
            "findings_fixed": report.outcome.fixed,
            "findings_unchecked": report.outcome.count(*AWAY),
            "findings_checked_again": report.outcome.count(*BACK),
            "findings_forgotten": report.outcome.count(EventKind.FORGOTTEN),
            "findings_gone": report.outcome.gone,
            "findings_repaired": report.outcome.repaired,
            "open": report.outcome.open_total,
        }
    return fields


def report_scan(log: Logger, stage: str, report: ScanReport, calls: Mapping[str, int]) -> None:
    """Writes the log lines and the metrics of one scan."""
    fields = summarize_scan(report, calls)
    log.info("scan ended", extra=fields)
    for delivery in report.undelivered:
        log.error("message not delivered", extra=_describe_step(delivery, delivery.error))
    for delivery in report.refused:
        log.error("step settled otherwise", extra=_describe_step(delivery, delivery.refusal))
    for error in report.target_errors:
        log.warning("targets not read", extra={"scan_id": report.scan_id, "why": str(error)})
    if report.announcement.lost_facts:
        lost = [f"{each[0]} to {each[-1]}" for each in report.announcement.lost_facts]
        log.error("facts lost", extra={"scan_id": report.scan_id, "facts": lost})
    if report.monthly.differing:
        differing = {"scan_id": report.scan_id, "findings": report.monthly.differing, "mend": MEND}
        log.error("the tables differ", extra=differing)
    if report.failure:
        why = _describe_error(report.failure)
        log.error("scan failed", extra={"scan_id": report.scan_id, "why": why})
    metrics = EphemeralMetrics(namespace=SERVICE, service=SERVICE)
    metrics.add_dimension("stage", stage)
    metrics.add_metadata("scan_id", report.scan_id)
    metrics.add_metric("scans_failed", MetricUnit.Count, 1 if report.failure else 0)
    for name in METRICS:
        value = fields.get(name)
        if isinstance(value, int | float):
            metrics.add_metric(name, UNITS.get(name, MetricUnit.Count), value)
    metrics.flush_metrics()


def report_request(request_id: str, error: ServiceError) -> None:
    """Logs the details that the API's response leaves out. Works also without settings."""
    extra = {"request_id": request_id, "why": str(error)}
    Logger(service=SERVICE).error("request failed", extra=extra)


def _describe_error(error: Exception) -> str:
    """Describes an error for the log. An error of a library may quote a title in its text."""
    return str(error) if isinstance(error, ServiceError) else type(error).__name__


def _describe_step(delivery: StepResult, error: ServiceError | None) -> dict[str, object]:
    fields: dict[str, object] = {
        "message_id": delivery.message_id,
        "step": delivery.step,
        "why": str(error),
    }
    if isinstance(error, DeliveryError):
        fields |= {"code": error.code, "retryable": error.retryable, "mend": error.hint or "wait"}
    return fields
