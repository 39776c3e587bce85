"""Roughly what a stage costs a month, so that nobody is surprised by the bill."""

from dataclasses import dataclass

# US dollars in us-east-1, as on AWS's price pages in November 2026, free tiers left out.
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
# What was measured: a pass that finds nothing changed, and one that reads 100 nodes.
IDLE_SECONDS, SCAN_SECONDS = 0.5, 15.0
IDLE_READS, IDLE_WRITES = 30, 8
# A finding's row with its two index rows, and a line of history.
WRITES_PER_FINDING = 4
BYTES_PER_FINDING = 2_000
BYTES_PER_PASS_LOG = 2_500


@dataclass(frozen=True, slots=True)
class Fleet:
    """A fleet to reckon with: nodes, findings, and the part of them that changes in a day."""

    nodes: int = 100
    findings: int = 2_000
    scans_a_day: int = 1
    changing: float = 0.02
    api_calls: int = 10_000


@dataclass(frozen=True, slots=True)
class Cost:
    """One line of the estimate, in dollars a month."""

    what: str
    dollars: float


def monthly(fleet: Fleet, *, metrics: int, alarms: int) -> tuple[Cost, ...]:
    """The lines of the estimate; pure.

    `metrics` are the custom metrics of a stage, `alarms` its alarms.
    """
    scans = fleet.scans_a_day * DAYS
    passes = RECONCILES + scans
    seconds = RECONCILES * IDLE_SECONDS + scans * SCAN_SECONDS
    changed = scans * fleet.findings * fleet.changing
    # Each scan writes every node's row anew; the table is read once for the comparison.
    writes = passes * IDLE_WRITES + scans * fleet.nodes + changed * WRITES_PER_FINDING
    reads = passes * IDLE_READS + scans * fleet.findings
    stored = fleet.findings * BYTES_PER_FINDING / 1e9
    return (
        Cost("Lambda", seconds * LAMBDA_GB_SECOND + passes * LAMBDA_REQUEST),
        Cost(
            "DynamoDB",
            writes * DYNAMODB_WRITE + reads * DYNAMODB_READ + stored * DYNAMODB_GB,
        ),
        Cost(f"CloudWatch metrics ({metrics})", metrics * METRIC),
        Cost(f"CloudWatch alarms ({alarms})", alarms * ALARM),
        Cost("CloudWatch dashboard (the first three of an account are free)", DASHBOARD),
        Cost("Logs", passes * BYTES_PER_PASS_LOG / 1e9 * LOG_GB),
        Cost(f"API, {fleet.api_calls:,} calls", fleet.api_calls * API_CALL),
    )
