"""Slack or the bucket fails at each of its steps. Everything is stored and announced in the end."""

import time
from collections.abc import Iterator
from datetime import timedelta
from threading import Event

import pytest
from msgspec.structs import replace
from slack_sdk import WebClient

from chalicelib.adapters.slack import SlackChannel, SlackOutput
from chalicelib.adapters.slack.client import web_client
from chalicelib.bootstrap import SLACK_WAIT
from chalicelib.domain.errors import DeliveryError
from chalicelib.domain.message import FIRST_PAUSE
from chalicelib.usecases.context import Context
from chalicelib.usecases.run import ScanReport, run_scans
from devstack.environment import CHANNEL_ID, TOKEN
from tests.engines.engines import S3, SLACK, Engines, build_node_id
from tests.engines.proxy import (
    Call,
    Fault,
    Response,
    drop_connection,
    fail_afterwards,
    refuse,
    respond,
    stay_silent,
)

pytestmark = pytest.mark.enable_socket

LAMBDA = timedelta(minutes=15)
POST = "chat.postMessage"
ANNOUNCE, UPLOAD, SHARE = "files.getUploadURLExternal", "upload", "files.completeUploadExternal"
STEPS = [POST, ANNOUNCE, UPLOAD, SHARE]
TITLES = ["title 1", "title 2"]
FINDINGS = sorted((build_node_id(0), title) for title in TITLES)
HEADER = "2 new non-compliant findings"
LOGIN_PAGE = respond(200, b"<html>Sign in</html>", Content_Type="text/html")


def is_everything_stored(engines: Engines) -> bool:
    return engines.list_findings() == FINDINGS and len(engines.list_objects()) == 1


def count_deliveries(engines: Engines) -> tuple[int, int]:
    """Returns the numbers of posts and files, after checking that nothing else was sent."""
    assert set(engines.list_headers()) == {HEADER}
    assert set(engines.list_announced()) == set(FINDINGS)
    assert engines.is_work_done()
    return len(engines.list_headers()), len(engines.list_files())


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(
    ("fault", "duplicated"),
    [
        pytest.param(respond(429, b"", Retry_After="11"), False, id="429-long"),
        pytest.param(respond(500, b"oops"), False, id="500"),
        pytest.param(LOGIN_PAGE, False, id="garbage"),
        pytest.param(drop_connection, False, id="dropped"),
        pytest.param(fail_afterwards(drop_connection), True, id="lost"),
    ],
)
def test_a_failure_of_any_slack_step_is_completed_by_the_next_scan(
    engines: Engines, step: str, fault: Fault, *, duplicated: bool
) -> None:
    engines.report(0, TITLES)
    engines.faults.plan(step, fault, 1)

    with pytest.raises(DeliveryError):
        engines.scan()

    assert is_everything_stored(engines)
    assert engines.faults.calls.count(step) == 1

    engines.reconcile()
    expected = {POST: (2, 1), SHARE: (1, 2)}.get(step, (1, 1)) if duplicated else (1, 1)
    assert count_deliveries(engines) == expected


@pytest.mark.parametrize("step", [POST, SHARE])
@pytest.mark.parametrize("response", [LOGIN_PAGE, respond(500, b"oops")], ids=["garbage", "500"])
def test_a_step_that_slack_accepted_without_a_response_is_duplicated_once(
    engines: Engines, step: str, response: Fault
) -> None:
    engines.report(0, TITLES)
    engines.faults.plan(step, fail_afterwards(response), 1)

    with pytest.raises(DeliveryError):
        engines.scan()

    assert is_everything_stored(engines)

    engines.reconcile()
    assert count_deliveries(engines) == ((2, 1) if step == POST else (1, 2))


@pytest.mark.parametrize("step", [POST, SHARE])
def test_a_short_retry_after_is_waited_for_within_the_scan(engines: Engines, step: str) -> None:
    times: list[float] = []

    def record_time(fault: Fault) -> Fault:
        def handle(call: Call) -> Response | None:
            times.append(time.monotonic())
            return fault(call)

        return handle

    engines.report(0, TITLES)
    engines.faults.plan(step, record_time(respond(429, b"", Retry_After="1")), 1)
    engines.faults.plan(step, record_time(Call.forward), 2)
    engines.scan()
    assert count_deliveries(engines) == (1, 1)
    first, second = times
    assert 1 <= second - first < 3


def test_after_a_long_outage_slack_gets_everything_once(engines: Engines) -> None:
    engines.faults.plan(SLACK, respond(503, b""))
    titles = ["title 0", "title 1", "title 2"]
    for number in (1, 2):
        engines.report(0, titles[:number], f"run {number}")
        with pytest.raises(DeliveryError):
            engines.scan()
    # two failures begin a pause
    engines.report(0, titles, "run 3")
    engines.scan()
    assert len(engines.list_findings()) == 3
    assert len(engines.list_objects()) == 3

    engines.faults.clear()
    scan_once(engines.build_context(FIRST_PAUSE))
    assert engines.list_headers() == ["1 new non-compliant finding"] * 3
    assert engines.list_announced() == engines.list_findings()
    assert engines.is_work_done()


# Silence


def build_impatient_context(engines: Engines) -> Context:
    """Builds the context with a short timeout for each request to Slack."""
    context = engines.build_context()
    url = engines.slack_url

    def connect(token: str) -> WebClient:
        client = web_client(token, url, 1, SLACK_WAIT, time.sleep)
        client.timeout = 0.2  # type: ignore[assignment] # declared int, taken as seconds
        return client

    slack, s3 = context.outputs
    assert isinstance(slack, SlackOutput)
    channel = SlackChannel(CHANNEL_ID, lambda: TOKEN, connect)
    return replace(context, outputs=(replace(slack, channel=channel), s3))


@pytest.fixture
def silence_over() -> Iterator[Event]:
    """An event that ends all silence after the test."""
    event = Event()
    yield event
    event.set()


def scan_once(context: Context, left: timedelta = LAMBDA) -> ScanReport:
    (report,) = run_scans(context, context.clock() + left)
    return report


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_silent_slack_is_a_timeout(
    engines: Engines, silence_over: Event, step: str, *, after: bool
) -> None:
    engines.report(0, TITLES)
    fault = fail_afterwards(stay_silent(silence_over)) if after else stay_silent(silence_over)
    engines.faults.plan(step, fault, 1)
    context = build_impatient_context(engines)
    (failed,) = scan_once(context).undelivered
    assert isinstance(failed.error, DeliveryError)
    assert (failed.error.code, failed.error.retryable) == ("timeout", True)
    assert is_everything_stored(engines)

    engines.reconcile()
    expected = {POST: (2, 1), SHARE: (1, 2)}.get(step, (1, 1)) if after else (1, 1)
    assert count_deliveries(engines) == expected


def test_no_step_starts_that_may_not_end_in_time(engines: Engines) -> None:
    engines.report(0, TITLES)
    engines.faults.plan(SLACK, respond(500, b""))
    scan_once(engines.build_context())
    engines.faults.clear()
    late = scan_once(engines.build_context(), timedelta(seconds=29))
    assert (late.deliveries, len(late.pending)) == ((), 1)
    assert not set(STEPS) & set(engines.faults.calls)

    engines.reconcile()
    assert count_deliveries(engines) == (1, 1)


# The bucket


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(refuse("AccessDenied", 403), id="denied"),
        pytest.param(refuse("SlowDown", 503), id="slow-down"),
        pytest.param(drop_connection, id="dropped"),
        pytest.param(respond(500, b"oops"), id="garbage"),
    ],
)
def test_a_refusing_bucket_delays_only_its_object(engines: Engines, fault: Fault) -> None:
    engines.report(0, TITLES)
    engines.faults.plan(S3, fault)

    with pytest.raises(DeliveryError):
        engines.scan()

    assert (engines.list_headers(), engines.list_announced()) == ([HEADER], FINDINGS)
    assert not engines.is_work_done()

    engines.faults.clear()
    engines.reconcile()
    assert count_deliveries(engines) == (1, 1)
    assert engines.list_objects() == engines.list_files()


def test_an_object_with_a_lost_response_is_stored_again(engines: Engines) -> None:
    engines.report(0, TITLES)
    engines.faults.plan("PutObject", fail_afterwards(drop_connection))

    with pytest.raises(DeliveryError):
        engines.scan()

    engines.faults.clear()
    engines.reconcile()
    assert count_deliveries(engines) == (1, 1)
    assert engines.list_objects() == engines.list_files()


def test_a_file_that_cannot_be_read_back_waits_for_the_bucket(engines: Engines) -> None:
    engines.report(0, TITLES)
    engines.faults.plan(UPLOAD, drop_connection)

    with pytest.raises(DeliveryError):
        engines.scan()

    engines.faults.clear()
    engines.faults.plan("GetObject", refuse("SlowDown", 503))

    with pytest.raises(DeliveryError):
        engines.reconcile()

    assert (engines.list_headers(), engines.list_files()) == ([HEADER], [])

    engines.faults.clear()
    engines.reconcile()
    assert count_deliveries(engines) == (1, 1)
    assert engines.list_objects() == engines.list_files()


def test_if_slack_and_the_bucket_are_down_the_file_is_rebuilt_later(engines: Engines) -> None:
    engines.report(0, TITLES)
    engines.faults.plan(S3, refuse("SlowDown", 503))
    engines.faults.plan(SLACK, drop_connection)

    with pytest.raises(DeliveryError):
        engines.scan()

    assert engines.list_findings() == FINDINGS
    assert (engines.list_headers(), engines.list_objects()) == ([], [])

    engines.faults.clear()
    engines.reconcile()
    assert count_deliveries(engines) == (1, 1)
    assert engines.list_objects() == engines.list_files()
