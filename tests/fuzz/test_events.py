"""Events: read, or refused with the field that is wrong."""

import re
from datetime import timedelta
from typing import Any

import pytest
from boto3.dynamodb.types import TypeSerializer
from hypothesis import HealthCheck, example, given, settings

from chalicelib.aws.work_rows import debt_of, debt_row
from chalicelib.domain.debt import Debt
from chalicelib.domain.errors import BadEvent
from chalicelib.entrypoints.schemas import (
    association_event,
    execution_debt,
    monthly_debt,
    reconcile_wish,
)
from chalicelib.usecases.passes import Wish
from tests.effort import examples
from tests.fuzz.inputs import ASSOCIATION_EVENT, AT, EVENTS

# The place of the field, or its name where it is missing, or what came instead of an event.
NAMED = re.compile(
    r"event refused, nothing was changed: "
    r"(.* - at `[^`]+`|.*required field `[^`]+`|Expected `object`, got `[a-z]+`)"
)


def check_event(event: Any) -> None:
    """Each handler's reader takes the event or names the field; a debt can be kept and used."""
    for read in (_execution, _month, _wish):
        said = ""
        try:
            read(event)
        except BadEvent as refused:
            said = str(refused)
        assert not said or NAMED.fullmatch(said), said


def _execution(event: Any) -> None:
    happened = association_event(event)
    debt = execution_debt(happened, AT)
    assert debt.key.startswith(f"{debt.association_id}#")
    assert len(debt.key) > len(debt.association_id) + 1
    assert debt.association_id
    assert debt.status
    _check_debt(debt)


def _month(event: Any) -> None:
    debt = monthly_debt(event, AT)
    assert re.fullmatch(r"monthly#\d{4}-\d{2}-\d{2}", debt.key)
    _check_debt(debt)


def _wish(event: Any) -> None:
    wish = reconcile_wish(event)
    assert wish in [Wish(full, missing) for full in (True, False) for missing in (True, False)]
    assert type(wish.full) is type(wish.accept_missing) is bool


def _check_debt(debt: Debt) -> None:
    row = debt_row(debt)
    TypeSerializer().serialize(row)
    assert debt_of(row) == debt
    for text in (debt.key, debt.association_id, debt.status, *debt.nodes):
        text.encode()
    assert debt.event_at.utcoffset() == timedelta(0)
    assert debt.since.utcoffset() == timedelta(0)
    assert debt.targets >= 0
    assert isinstance(debt.covers_half(1), bool)
    assert isinstance(debt.answerable([AT], AT), bool)


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
    assert association_event(ASSOCIATION_EVENT).detail.status == "Success"
    with pytest.raises(BadEvent, match=r"\$\.detail\.status"):
        association_event(event(status=None))
