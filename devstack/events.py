"""The events that start the functions, in the exact shape that EventBridge delivers."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4


def build_association_event(  # noqa: PLR0913 - the values of one association execution
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
    """Return a State Manager event. `aggregated` counts nodes by status: `{"Success": 3}`.

    `status` is Pending, Success or Failed. `executed_at` None leaves out the execution dates,
    as AWS sometimes does. Times are aware and in whole seconds. Every event has a new id.
    """
    executed = {} if executed_at is None else {"last-execution-date": _format_time(executed_at)}
    if executed_at is not None and status == "Success":
        executed["last-successful-execution-date"] = _format_time(executed_at)
    detail = {
        "association-id": association_id,
        "document-name": document_name,
        "association-version": "1",
        "document-version": "Optional.empty",
        "targets": _encode([{"key": "InstanceIds", "values": ["*"]}]),
        "creation-date": "2024-02-13T17:22:54.458Z",
        **executed,
        "last-updated-date": "2024-02-13T17:22:54.458Z",
        "status": status,
        "association-status-aggregated-count": _encode(dict(aggregated)),
        "schedule-expression": "cron(0 */30 * * * ? *)",
        "association-cwe-version": "1.0",
    }
    return {
        **_build_envelope("EC2 State Manager Association State Change", "aws.ssm", event_time),
        "account": account,
        "region": region,
        "resources": [f"arn:aws:ssm:{region}::document/{document_name}"],
        "detail": detail,
    }


def build_scheduled_event(time: datetime, rule: str, account: str, region: str) -> dict[str, Any]:
    """Return the event that the schedule of `rule` sends at `time` (aware)."""
    return {
        **_build_envelope("Scheduled Event", "aws.events", time),
        "account": account,
        "region": region,
        "resources": [f"arn:aws:events:{region}:{account}:rule/{rule}"],
        "detail": {},
    }


def _build_envelope(detail_type: str, source: str, time: datetime) -> dict[str, Any]:
    return {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": detail_type,
        "source": source,
        "time": _format_time(time),
    }


def _format_time(moment: datetime) -> str:
    if moment.utcoffset() is None:
        raise ValueError(f"{moment} has no time zone. Use an aware time.")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _encode(value: object) -> str:
    """Encode JSON as State Manager does, for use in a string: without spaces."""
    return json.dumps(value, separators=(",", ":"))
