"""Events: read, or refused with the field that is wrong."""

import re
from datetime import timedelta
from typing import Any

import pytest
from boto3.dynamodb.types import TypeSerializer
from hypothesis import HealthCheck, example, given, settings

from chalicelib.adapters.dynamodb.tables import from_row, to_row
from chalicelib.domain.errors import BadEvent
from chalicelib.domain.job import Job
from chalicelib.entrypoints.events.schemas import (
    build_execution_job,
    build_monthly_job,
    parse_association_event,
    parse_options,
)
from chalicelib.usecases.context import Options
from tests.effort import examples
from tests.fuzz.inputs import ASSOCIATION_EVENT, AT, EVENTS

# The place of the field, or its name where it is missing, or what came instead of an event.
NAMED = re.compile(
    r"The event is refused and nothing was changed: "
    r"(.* - at `[^`]+`|.*required field `[^`]+`|Expected `object`, got `[a-z]+`)"
)


def check_event(event: Any) -> None:
    """Each handler's reader takes the event or names the field; a job can be kept and used."""
    for read in (_execution, _month, _wish):
        said = ""
        try:
            read(event)
        except BadEvent as refused:
            said = str(refused)
        assert not said or NAMED.fullmatch(said), said


def _execution(event: Any) -> None:
    happened = parse_association_event(event)
    job = build_execution_job(happened, AT)
    assert job.key.startswith(f"{job.association_id}#")
    assert len(job.key) > len(job.association_id) + 1
    assert job.association_id
    assert job.status
    _check_debt(job)


def _month(event: Any) -> None:
    job = build_monthly_job(event, AT)
    assert re.fullmatch(r"monthly#\d{4}-\d{2}-\d{2}", job.key)
    _check_debt(job)


def _wish(event: Any) -> None:
    wish = parse_options(event)
    assert wish in [Options(full, missing) for full in (True, False) for missing in (True, False)]
    assert type(wish.full) is type(wish.accept_missing) is bool


def _check_debt(job: Job) -> None:
    row = to_row(job)
    TypeSerializer().serialize(row)
    assert from_row(row, Job) == job
    for text in (job.key, job.association_id, job.status, *job.nodes):
        text.encode()
    assert job.event_at.utcoffset() == timedelta(0)
    assert job.since.utcoffset() == timedelta(0)
    assert job.targets >= 0
    assert isinstance(job.covers_half(1), bool)
    assert isinstance(job.is_answerable([AT], AT), bool)


def event(**changes: Any) -> dict[str, Any]:
    """The valid event with some fields, of itself or of its detail, replaced."""
    detail = {name.replace("_", "-"): value for name, value in changes.items() if name != "time"}
    time = changes.get("time", ASSOCIATION_EVENT["time"])
    return ASSOCIATION_EVENT | {"time": time, "detail": ASSOCIATION_EVENT["detail"] | detail}


def deep(levels: int) -> dict[str, Any]:
    """The valid event with a field of many levels."""
    inner: list[Any] = []
    for _ in range(levels):
        inner = [inner]
    return ASSOCIATION_EVENT | {"more": inner}


@given(EVENTS)
@example(event(time="\ud800"))
@example(event(association_id="\ud800"))
@example(event(last_execution_date="\ud800"))
@example(event(association_status_aggregated_count="\ud800"))
@example(event(association_status_aggregated_count=f'{{"Success":{10**40}}}'))
@example(event(time="0001-01-01T00:00:00Z", last_execution_date=None))
@example(event(time="0001-01-01T00:00:00+01:00"))
@example(event(last_execution_date="0001-01-01T00:00:00+01:00"))
@example({"\ud800": 1})
@example(deep(2_000))
@settings(
    max_examples=examples(300, soak=10_000),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_an_event_is_read_or_refused_with_its_field(event: Any) -> None:
    check_event(event)


def test_the_valid_event_is_read() -> None:
    check_event(ASSOCIATION_EVENT)
    assert parse_association_event(ASSOCIATION_EVENT).detail.status == "Success"
    with pytest.raises(BadEvent, match=r"\$\.detail\.status"):
        parse_association_event(event(status=None))
