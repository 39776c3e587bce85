"""A list as CSV: every row, or a refusal that says what to do."""

import msgspec
import pytest
from msgspec.structs import replace

from chalicelib.domain.errors import RuleBroken
from chalicelib.entrypoints.api.call import ApiRequest
from chalicelib.entrypoints.api.findings import LARGEST_CSV, list_findings
from chalicelib.entrypoints.api.requests import FindingQuery
from chalicelib.usecases.context import Author, Inbox
from tests.fleet import HOUR, Service


def make_request(inbox: Inbox, **query: str) -> ApiRequest[FindingQuery, None]:
    converted = msgspec.convert({"format": "csv", **query}, FindingQuery)
    return ApiRequest(inbox, Author("oncall"), None, {}, converted, None, None)


@pytest.fixture(scope="module")
def service() -> Service:
    """A service with 10,500 findings, whose CSV is too large for a response."""
    service = Service()
    for node in range(21):
        service.report(f"i-{node}", *(f'{number} {"x" * 490}"' for number in range(500)))
    service.run()
    return service


def test_a_csv_that_fits_has_every_row(service: Service) -> None:
    response = list_findings(make_request(service.inbox, instance_id="i-7"))

    assert isinstance(response.body, str)
    assert response.body.count("\r\n") == 501
    assert len(msgspec.json.encode(response.body)) < LARGEST_CSV


def test_the_refusal_of_a_large_csv_names_the_filters_and_the_latest_monthly_report(
    service: Service,
) -> None:
    with pytest.raises(RuleBroken) as before:
        list_findings(make_request(service.inbox))
    service.enqueue_month()
    service.run()
    with pytest.raises(RuleBroken) as after:
        list_findings(make_request(service.inbox))

    (fault,) = before.value.faults
    assert (fault.pointer, fault.code) == ("format", "too_large")
    assert "instance_id, title, severity" in fault.message
    assert fault.message.endswith("none is stored yet")
    key = "monthly/2026/11/non-compliant-2026-11-23.csv"
    assert after.value.faults[0].message.endswith(key)


def test_a_csv_that_takes_too_long_is_refused(service: Service) -> None:
    start = service.clock.now
    times = iter([start, *[start + HOUR] * 99])
    inbox = replace(service.inbox, clock=lambda: next(times))

    with pytest.raises(RuleBroken):
        list_findings(make_request(inbox, q="absent"))


def test_the_size_of_a_csv_allows_for_escaped_characters() -> None:
    # the Lambda runtime may write each of them as six ASCII characters
    service = Service()
    service.report("i-1", *(f"{number}{'語' * 490}" for number in range(2_000)))
    service.run()

    with pytest.raises(RuleBroken):
        list_findings(make_request(service.inbox))
