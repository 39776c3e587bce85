"""Estimates what a stage costs a month, so that the bill surprises nobody."""

from dataclasses import dataclass

# US dollars in us-east-1, from the AWS price pages of November 2026, without free tiers.
LAMBDA_GB_SECOND = 0.0000133334  # arm64
LAMBDA_REQUEST = 0.20 / 1_000_000
DYNAMODB_WRITE = 0.625 / 1_000_000
DYNAMODB_READ = 0.125 / 1_000_000
DYNAMODB_GB = 0.25 + 0.20  # storage and point-in-time recovery
METRIC = 0.30
ALARM = 0.10
DASHBOARD = 3.00
LOG_GB = 0.50
API_CALL = 3.50 / 1_000_000

DAYS = 30
RECONCILES = DAYS * 24 * 4
# Measured by bench/: a scan that finds nothing changed, and a scan that reads 100 nodes.
IDLE_SECONDS, SCAN_SECONDS = 0.5, 15.0
IDLE_READS, IDLE_WRITES = 30, 8
# The row of a finding, its two index rows, and a line of history.
WRITES_PER_FINDING = 4
BYTES_PER_FINDING = 2_000
LOG_BYTES_PER_SCAN = 2_500


@dataclass(frozen=True, slots=True)
class Fleet:
    """The fleet of an estimate. `changing` is the share of findings that change in a scan."""

    nodes: int = 100
    findings: int = 2_000
    scans_a_day: int = 1
    changing: float = 0.02
    api_calls: int = 10_000


@dataclass(frozen=True, slots=True)
class Cost:
    """One line of the estimate, in dollars a month."""

    label: str
    dollars: float


def estimate_costs(fleet: Fleet, *, metrics: int, alarms: int) -> tuple[Cost, ...]:
    """Estimate the monthly costs of a stage with this many custom metrics and alarms."""
    reading = fleet.scans_a_day * DAYS
    scans = RECONCILES + reading
    seconds = RECONCILES * IDLE_SECONDS + reading * SCAN_SECONDS
    changed = reading * fleet.findings * fleet.changing
    # A scan that reads nodes writes the row of each, and reads the findings table once.
    writes = scans * IDLE_WRITES + reading * fleet.nodes + changed * WRITES_PER_FINDING
    reads = scans * IDLE_READS + reading * fleet.findings
    stored = fleet.findings * BYTES_PER_FINDING / 1e9
    return (
        Cost("Lambda", seconds * LAMBDA_GB_SECOND + scans * LAMBDA_REQUEST),
        Cost(
            "DynamoDB",
            writes * DYNAMODB_WRITE + reads * DYNAMODB_READ + stored * DYNAMODB_GB,
        ),
        Cost(f"CloudWatch metrics ({metrics})", metrics * METRIC),
        Cost(f"CloudWatch alarms ({alarms})", alarms * ALARM),
        Cost("CloudWatch dashboard (the first three of an account are free)", DASHBOARD),
        Cost("Logs", scans * LOG_BYTES_PER_SCAN / 1e9 * LOG_GB),
        Cost(f"API, {fleet.api_calls:,} calls", fleet.api_calls * API_CALL),
    )
