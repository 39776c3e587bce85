"""Every event is read, or the error names the wrong field."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from boto3.dynamodb.types import TypeSerializer
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.adapters.dynamodb.tables import from_row, to_row
from chalicelib.domain.errors import BadEvent
from chalicelib.domain.scan import Coverage, Job, judge_targets
from chalicelib.entrypoints.events.handlers import (
    build_execution_job,
    build_monthly_job,
    parse_association_event,
    parse_options,
)
from chalicelib.usecases.context import Options
from devstack.events import build_association_event, build_scheduled_event
from tests.fuzz.strategies import FUZZ, INSTANTS, JSON, mutate
from tests.fuzz.values import AT

EVENT_VALUES = st.one_of(JSON, INSTANTS, JSON.map(json.dumps))
ASSOCIATION_EVENT = build_association_event(
    "6e37940a-23ba-4ab0-9b96-5d0a1a05464f",
    "Success",
    AT,
    {"Success": 3, "Failed": 1},
    AT,
    account="123456789012",
    region="eu-central-1",
)
SCHEDULED_EVENT = build_scheduled_event(AT, "monthly-alert", "123456789012", "eu-central-1")
EVENTS: st.SearchStrategy[Any] = st.one_of(
    mutate(ASSOCIATION_EVENT, EVENT_VALUES),
    mutate(SCHEDULED_EVENT | {"full": True, "accept_missing": False}, EVENT_VALUES),
    EVENT_VALUES,
)

# The place of a wrong field, the name of a missing field, or the type of something else.
NAMED = re.compile(
    r"The event is refused and nothing was changed: "
    r"(.* - at `[^`]+`|.*required field `[^`]+`|Expected `object`, got `[a-z]+`)"
)


def check_event(event: Any) -> None:
    """Each reader accepts the event or names the field. A job can be stored and used."""
    for read in (_read_execution, _read_month, _read_options):
        text = ""
        try:
            read(event)
        except BadEvent as error:
            text = str(error)
        assert not text or NAMED.fullmatch(text), text


def _read_execution(event: Any) -> None:
    job = build_execution_job(parse_association_event(event), AT)
    assert job.key.startswith(f"{job.association_id}#")
    assert len(job.key) > len(job.association_id) + 1
    assert job.association_id
    assert job.status
    _check_job(job)


def _read_month(event: Any) -> None:
    job = build_monthly_job(event, AT)
    assert re.fullmatch(r"monthly#\d{4}-\d{2}-\d{2}", job.key)
    _check_job(job)


def _read_options(event: Any) -> None:
    options = parse_options(event)
    assert options in [
        Options(full, missing) for full in (True, False) for missing in (True, False)
    ]
    assert type(options.full) is type(options.accept_missing) is bool


def _check_job(job: Job) -> None:
    row = to_row(job)
    TypeSerializer().serialize(row)
    assert from_row(row, Job) == job
    for text in (job.key, job.association_id, job.status, *job.nodes):
        text.encode()
    assert job.event_at.utcoffset() == timedelta(0)
    assert job.since.utcoffset() == timedelta(0)
    assert job.targets >= 0
    results = judge_targets(job, Coverage(1, reports={"i-1": AT}))
    assert results.targets == job.targets >= results.reported * bool(job.targets)


def build_event(**changes: Any) -> dict[str, Any]:
    """Builds the valid event with some fields changed, its own or those of its detail."""
    detail = {name.replace("_", "-"): value for name, value in changes.items() if name != "time"}
    time = changes.get("time", ASSOCIATION_EVENT["time"])
    return ASSOCIATION_EVENT | {"time": time, "detail": ASSOCIATION_EVENT["detail"] | detail}


def build_deep_event(levels: int) -> dict[str, Any]:
    """Builds the valid event with a field of many levels."""
    inner: list[Any] = []
    for _ in range(levels):
        inner = [inner]
    return ASSOCIATION_EVENT | {"more": inner}


@given(EVENTS)
@example(build_event(time="\ud800"))
@example(build_event(association_id="\ud800"))
@example(build_event(last_execution_date="\ud800"))
@example(build_event(association_status_aggregated_count="\ud800"))
@example(build_event(association_status_aggregated_count=f'{{"Success":{10**40}}}'))
@example(build_event(time="0001-01-01T00:00:00Z", last_execution_date=None))
@example(build_event(time="0001-01-01T00:00:00+01:00"))
@example(build_event(last_execution_date="0001-01-01T00:00:00+01:00"))
@example({"\ud800": 1})
@example(build_deep_event(2_000))
@FUZZ
def test_an_event_is_read_or_its_wrong_field_is_named(event: Any) -> None:
    check_event(event)


def test_the_valid_event_is_read() -> None:
    check_event(ASSOCIATION_EVENT)
    assert parse_association_event(ASSOCIATION_EVENT).detail.status == "Success"
    with pytest.raises(BadEvent, match=r"\$\.detail\.status"):
        parse_association_event(build_event(status=None))
