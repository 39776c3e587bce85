"""A list as CSV: everything, or a refusal that says what to do."""

from dataclasses import replace

import msgspec
import pytest

from chalicelib.domain.errors import RuleBroken
from chalicelib.entrypoints.api.call import ApiRequest
from chalicelib.entrypoints.api.findings import LARGEST_CSV, list_findings
from chalicelib.entrypoints.api.requests import FindingQuery
from chalicelib.usecases.context import Author, Inbox
from tests.fleet import HOUR, Service


def call(inbox: Inbox, **query: str) -> ApiRequest[FindingQuery, None]:
    wanted = msgspec.convert({"format": "csv", **query}, FindingQuery)
    return ApiRequest(inbox, Author("oncall"), {}, wanted, None, None)


@pytest.fixture(scope="module")
def service() -> Service:
    """10,500 findings whose CSV is larger than an answer may be."""
    service = Service()
    for node in range(21):
        service.report(f"i-{node}", *(f'{number} {"x" * 490}"' for number in range(500)))
    service.run()
    return service


def test_what_fits_is_answered_whole(service: Service) -> None:
    answer = list_findings(call(service.inbox, instance_id="i-7"))
    assert isinstance(answer.body, str)
    assert answer.body.count("\r\n") == 501
    assert len(msgspec.json.encode(answer.body)) < LARGEST_CSV


def test_what_does_not_fit_names_the_filters_and_the_latest_report(service: Service) -> None:
    with pytest.raises(RuleBroken) as raised:
        list_findings(call(service.inbox))
    (fault,) = raised.value.faults
    assert (fault.pointer, fault.code) == ("format", "too_large")
    assert "instance_id, title, severity" in fault.message
    assert fault.message.endswith("none is stored yet")
    service.enqueue_month()
    service.run()
    with pytest.raises(RuleBroken) as raised:
        list_findings(call(service.inbox))
    key = "monthly/2026/11/non-compliant-2026-11-23.csv"
    assert raised.value.faults[0].message.endswith(key)


def test_an_answer_that_takes_too_long_is_refused_the_same_way(service: Service) -> None:
    start = service.clock.now
    ticks = iter([start, *[start + HOUR] * 99])
    hurried = replace(service.inbox, clock=lambda: next(ticks))
    with pytest.raises(RuleBroken):
        list_findings(call(hurried, q="absent"))


def test_what_is_not_ascii_counts_as_the_lambda_runtime_may_encode_it() -> None:
    service = Service()
    service.report("i-1", *(f"{number}{'語' * 490}" for number in range(2_000)))
    service.run()
    with pytest.raises(RuleBroken):
        list_findings(call(service.inbox))
