import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from devstack.events import build_association_event, build_scheduled_event

RAN = datetime(2024, 5, 16, 23, 0, 1, tzinfo=UTC)
SENT = datetime(2024, 5, 16, 23, 1, 10, tzinfo=UTC)


def build_event(status: str = "Success", executed_at: datetime | None = RAN) -> dict[str, Any]:
    return build_association_event(
        "6e37940a-23ba-4ab0-9b96-5d0a1a05464f",
        status,
        executed_at,
        {"Success": 2, "Failed": 1},
        SENT,
        account="123456789012",
        region="us-east-2",
    )


def test_an_association_event_has_the_envelope_of_eventbridge() -> None:
    sent = build_event()
    del sent["id"], sent["detail"]
    assert sent == {
        "version": "0",
        "detail-type": "EC2 State Manager Association State Change",
        "source": "aws.ssm",
        "account": "123456789012",
        "time": "2024-05-16T23:01:10Z",
        "region": "us-east-2",
        "resources": ["arn:aws:ssm:us-east-2::document/AWS-RunInspecChecks"],
    }


def test_an_association_event_has_its_targets_and_counts_as_json_strings() -> None:
    detail = build_event()["detail"]
    assert detail["association-status-aggregated-count"] == '{"Success":2,"Failed":1}'
    assert json.loads(detail["targets"]) == [{"key": "InstanceIds", "values": ["*"]}]
    assert all(isinstance(value, str) for value in detail.values())


def test_a_successful_execution_is_also_the_last_successful_one() -> None:
    detail = build_event()["detail"]
    assert detail["last-execution-date"] == "2024-05-16T23:00:01Z"
    assert detail["last-successful-execution-date"] == "2024-05-16T23:00:01Z"


def test_a_failed_execution_has_no_last_successful_date() -> None:
    detail = build_event("Failed")["detail"]
    assert detail["status"] == "Failed"
    assert detail["last-execution-date"] == "2024-05-16T23:00:01Z"
    assert "last-successful-execution-date" not in detail


def test_an_execution_without_a_date_has_no_dates() -> None:
    detail = build_event(executed_at=None)["detail"]
    assert {"last-execution-date", "last-successful-execution-date"}.isdisjoint(detail)


def test_two_events_of_one_execution_have_different_ids() -> None:
    assert build_event()["id"] != build_event()["id"]


def test_times_are_converted_to_utc() -> None:
    berlin = timezone(timedelta(hours=2))
    assert build_event(executed_at=RAN.astimezone(berlin)) | {"id": ""} == build_event() | {
        "id": ""
    }


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        build_event(executed_at=RAN.replace(tzinfo=None))


def test_a_scheduled_event_names_its_rule_and_has_no_detail() -> None:
    sent = build_scheduled_event(SENT, "monthly-alert", "123456789012", "eu-west-1")
    del sent["id"]
    assert sent == {
        "version": "0",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "123456789012",
        "time": "2024-05-16T23:01:10Z",
        "region": "eu-west-1",
        "resources": ["arn:aws:events:eu-west-1:123456789012:rule/monthly-alert"],
        "detail": {},
    }
