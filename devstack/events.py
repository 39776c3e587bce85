"""The events that start the service, in exactly the shape in which EventBridge delivers them."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4


def build_association_event(  # noqa: PLR0913 - the facts of one association run
    association_id: str,
    status: str,
    executed_at: datetime | None,
    aggregated: Mapping[str, int],
    event_time: datetime,
    *,
    account: str,
    region: str,
    document_name: str = "AWS-RunInspecChecks",
) -> dict[str, Any]:
    """Return a State Manager event; `aggregated` counts nodes by status, `{"Success": 3}`.

    `status` is Pending, Success or Failed. Without `executed_at` the event names no execution
    date, as happens. Times are aware, whole seconds. Each event has an id of its own.
    """
    ran = {} if executed_at is None else {"last-execution-date": _seconds(executed_at)}
    if executed_at is not None and status == "Success":
        ran["last-successful-execution-date"] = _seconds(executed_at)
    detail = {
        "association-id": association_id,
        "document-name": document_name,
        "association-version": "1",
        "document-version": "Optional.empty",
        "targets": _inner_json([{"key": "InstanceIds", "values": ["*"]}]),
        "creation-date": "2024-02-13T17:22:54.458Z",
        **ran,
        "last-updated-date": "2024-02-13T17:22:54.458Z",
        "status": status,
        "association-status-aggregated-count": _inner_json(dict(aggregated)),
        "schedule-expression": "cron(0 */30 * * * ? *)",
        "association-cwe-version": "1.0",
    }
    return {
        **_envelope("EC2 State Manager Association State Change", "aws.ssm", event_time),
        "account": account,
        "region": region,
        "resources": [f"arn:aws:ssm:{region}::document/{document_name}"],
        "detail": detail,
    }


def build_scheduled_event(time: datetime, rule: str, account: str, region: str) -> dict[str, Any]:
    """Return what the schedule of the rule named `rule` sends at `time` (aware)."""
    return {
        **_envelope("Scheduled Event", "aws.events", time),
        "account": account,
        "region": region,
        "resources": [f"arn:aws:events:{region}:{account}:rule/{rule}"],
        "detail": {},
    }


def _envelope(detail_type: str, source: str, time: datetime) -> dict[str, Any]:
    return {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": detail_type,
        "source": source,
        "time": _seconds(time),
    }


def _seconds(moment: datetime) -> str:
    if moment.utcoffset() is None:
        raise ValueError(f"{moment} has no time zone; give an aware time.")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _inner_json(value: object) -> str:
    """State Manager puts JSON into strings, without blanks."""
    return json.dumps(value, separators=(",", ":"))
