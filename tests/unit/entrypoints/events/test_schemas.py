"""Events become jobs and options, or are refused with the name of the wrong field."""

from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.domain.errors import BadEvent
from chalicelib.domain.scan import JobKind
from chalicelib.entrypoints.events.handlers import (
    build_execution_job,
    build_monthly_job,
    parse_association_event,
    parse_options,
)
from chalicelib.usecases.context import Options

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
EVENT: dict[str, Any] = {
    "id": "db839caf-6f6c-40af-9a48-25b2ae2b7774",
    "time": "2026-11-23T07:59:10Z",
    "detail": {
        "association-id": "6e37940a",
        "document-name": "AWS-RunInspecChecks",
        "status": "Success",
        "last-execution-date": "2026-11-23T07:58:01Z",
        "association-status-aggregated-count": '{"Success":3,"Failed":1}',
    },
}


def change_event(path: str, value: object) -> dict[str, Any]:
    """Returns the event with another value at this path; None removes the field."""
    event = deepcopy(EVENT)
    *parents, last = path.split(".")
    place = event
    for parent in parents:
        place = place[parent]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return event


def test_an_event_becomes_the_job_of_its_execution() -> None:
    job = build_execution_job(parse_association_event(EVENT), NOW)

    assert job.key == "6e37940a#2026-11-23T07:58:01Z"
    assert job.kind is JobKind.EXECUTION
    assert job.executed_at == datetime(2026, 11, 23, 7, 58, 1, tzinfo=UTC)
    assert job.nodes == {"Success": 3, "Failed": 1}
    assert (job.status, job.enqueued_at) == ("Success", NOW)


def test_without_a_date_the_event_id_is_in_the_key() -> None:
    job = build_execution_job(
        parse_association_event(change_event("detail.last-execution-date", None)), NOW
    )

    assert job.key == "6e37940a#db839caf-6f6c-40af-9a48-25b2ae2b7774"
    assert job.executed_at is None


@pytest.mark.parametrize(
    "count",
    [
        *["", "{", "[]", "3", "null", '{"Success":"three"}', '{"Success":-1}', '{"":1}'],
        *[3, 1.5, True, [], ["Success"], {"Success": None}, {"Success": [1]}, {"": 1}],
    ],
)
def test_a_malformed_count_counts_as_missing(count: object) -> None:
    event = change_event("detail.association-status-aggregated-count", count)

    assert build_execution_job(parse_association_event(event), NOW).nodes == {}


def test_a_count_may_be_an_object() -> None:
    event = change_event("detail.association-status-aggregated-count", {"Success": 2, "Failed": 1})

    assert build_execution_job(parse_association_event(event), NOW).nodes == {
        "Success": 2,
        "Failed": 1,
    }


@pytest.mark.parametrize(
    "date",
    [
        *["yesterday", "2026-11-23T07:58:01", "", "0001-01-01T00:00:00Z", "9" * 2_000],
        *[7, 1.5, True, [], ["2026-11-23T07:58:01Z"], {"at": 7}],
    ],
)
def test_a_malformed_date_counts_as_missing(date: object) -> None:
    event = change_event("detail.last-execution-date", date)
    job = build_execution_job(parse_association_event(event), NOW)

    assert (job.executed_at, job.key) == (None, "6e37940a#db839caf-6f6c-40af-9a48-25b2ae2b7774")


@pytest.mark.parametrize("targets", [7, None, "[", "[]", {}, [{"key": 1}], True])
def test_the_targets_of_an_event_may_have_any_shape(targets: object) -> None:
    event = deepcopy(EVENT)
    event["detail"]["targets"] = targets

    assert build_execution_job(parse_association_event(event), NOW).nodes


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        ("detail", None, "`detail`"),
        ("detail", [], r"\$\.detail"),
        ("detail.status", None, "`status`"),
        ("detail.status", 7, r"\$\.detail\.status"),
        ("detail.association-id", None, "`association-id`"),
        ("detail.association-id", "", r"\$\.detail\.association-id"),
        ("detail.association-id", "a" * 257, r"\$\.detail\.association-id"),
        ("detail.document-name", None, "`document-name`"),
        ("time", "2026-11-23T07:59:10", r"\$\.time"),
        ("id", None, "`id`"),
    ],
)
def test_a_wrong_type_is_refused_and_its_field_is_named(
    path: str, value: object, named: str
) -> None:
    with pytest.raises(BadEvent, match=named):
        parse_association_event(change_event(path, value))


@pytest.mark.parametrize("event", [None, [], "text", 7])
def test_an_event_that_is_not_an_object_is_refused(event: object) -> None:
    for parse in (parse_association_event, parse_options):
        with pytest.raises(BadEvent, match="Expected `object`"):
            parse(event)


def test_a_monthly_report_has_one_job_a_utc_day() -> None:
    job = build_monthly_job({"time": "2026-12-01T00:30:00+01:00"}, NOW)

    assert (job.key, job.kind) == ("monthly#2026-11-30", JobKind.MONTHLY)
    with pytest.raises(BadEvent, match="`time`"):
        build_monthly_job({}, NOW)


def test_reconcile_takes_a_scheduled_event_or_options() -> None:
    assert parse_options({"time": "2026-11-23T07:59:10Z", "detail": {}}) == Options()
    assert parse_options({"full": True}) == Options(full=True)
    assert parse_options({"accept_missing": True}) == Options(accept_missing=True)
    with pytest.raises(BadEvent, match=r"\$\.accept_missing"):
        parse_options({"accept_missing": "yes"})
