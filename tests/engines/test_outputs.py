"""A Slack or a bucket that fails at each of its steps: all is stored, and told in the end."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from threading import Event

import pytest
from slack_sdk import WebClient

from chalicelib.adapters.slack import SlackChannel
from chalicelib.adapters.slack.client import web_client
from chalicelib.bootstrap import SLACK_WAIT
from chalicelib.domain.errors import DeliveryError
from chalicelib.usecases.context import Context
from chalicelib.usecases.run import ScanReport, run_scans
from devstack.environment import CHANNEL_ID, TOKEN
from tests.engines.engines import S3, SLACK, Engines, node_id
from tests.engines.proxy import Answer, Call, Fault, answered, dropped, lost, refused, silent

pytestmark = pytest.mark.enable_socket

LAMBDA = timedelta(minutes=15)
POST = "chat.postMessage"
ANNOUNCE, UPLOAD, SHARE = "files.getUploadURLExternal", "upload", "files.completeUploadExternal"
STEPS = [POST, ANNOUNCE, UPLOAD, SHARE]
TITLES = ["title 1", "title 2"]
TOLD = sorted((node_id(0), title) for title in TITLES)
HEADER = "2 new non-compliant findings"
GARBAGE = answered(200, b"<html>Sign in</html>", Content_Type="text/html")


def all_is_stored(engines: Engines) -> bool:
    return engines.stored() == TOLD and len(engines.objects()) == 1


def delivered(engines: Engines) -> tuple[int, int]:
    """How many posts and how many files; nothing else was said, and nothing is left to do."""
    assert set(engines.posts()) == {HEADER}
    assert set(engines.announced()) == set(TOLD)
    assert engines.settled()
    return len(engines.posts()), len(engines.files())


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(
    ("fault", "doubled"),
    [
        pytest.param(answered(429, b"", Retry_After="11"), False, id="429-long"),
        pytest.param(answered(500, b"oops"), False, id="500"),
        pytest.param(GARBAGE, False, id="garbage"),
        pytest.param(dropped, False, id="dropped"),
        pytest.param(lost(dropped), True, id="lost"),
    ],
)
def test_slack_may_fail_at_any_step(
    engines: Engines, step: str, fault: Fault, *, doubled: bool
) -> None:
    engines.report(0, TITLES)
    engines.faults.at(step, fault, 1)
    with pytest.raises(DeliveryError):
        engines.scan()
    assert all_is_stored(engines)
    assert engines.faults.calls.count(step) == 1
    engines.reconcile()
    expected = {POST: (2, 1), SHARE: (1, 2)}.get(step, (1, 1)) if doubled else (1, 1)
    assert delivered(engines) == expected


@pytest.mark.parametrize("step", [POST, SHARE])
@pytest.mark.parametrize("answer", [GARBAGE, answered(500, b"oops")], ids=["garbage", "500"])
def test_what_slack_took_without_saying_so_is_doubled_once(
    engines: Engines, step: str, answer: Fault
) -> None:
    engines.report(0, TITLES)
    engines.faults.at(step, lost(answer), 1)
    with pytest.raises(DeliveryError):
        engines.scan()
    assert all_is_stored(engines)
    engines.reconcile()
    assert delivered(engines) == ((2, 1) if step == POST else (1, 2))


@pytest.mark.parametrize("step", [POST, SHARE])
def test_a_short_wait_is_obeyed_within_the_pass(engines: Engines, step: str) -> None:
    times: list[float] = []

    def timed(fault: Fault) -> Fault:
        def answer(call: Call) -> Answer | None:
            times.append(time.monotonic())
            return fault(call)

        return answer

    engines.report(0, TITLES)
    engines.faults.at(step, timed(answered(429, b"", Retry_After="1")), 1)
    engines.faults.at(step, timed(Call.forward), 2)
    engines.scan()
    assert delivered(engines) == (1, 1)
    first, second = times
    assert 1 <= second - first < 3


def test_a_slack_that_is_down_for_long_gets_everything_once(engines: Engines) -> None:
    engines.faults.at(SLACK, answered(503, b""))
    for number in range(3):
        engines.report(0, [f"title {each}" for each in range(number + 1)], f"run {number}")
        with pytest.raises(DeliveryError):
            engines.scan()
    assert len(engines.stored()) == 3
    assert len(engines.objects()) == 3
    engines.faults.end()
    engines.reconcile()
    assert engines.posts() == ["1 new non-compliant finding"] * 3
    assert engines.announced() == engines.stored()
    assert engines.settled()


# Silence


def impatient(engines: Engines) -> Context:
    """The context as it is composed, but with little time for each request to Slack."""
    context = engines.context()
    url = engines.slack_url

    def connect() -> WebClient:
        client = web_client(lambda: TOKEN, url, 1, SLACK_WAIT, time.sleep)
        client.timeout = 0.2  # type: ignore[assignment] # declared int, taken as seconds
        return client

    return replace(context, channel=SlackChannel(connect, CHANNEL_ID))


@pytest.fixture
def heard() -> Iterator[Event]:
    """Ends all silence at the end."""
    event = Event()
    yield event
    event.set()


def one_pass(context: Context, left: timedelta = LAMBDA) -> ScanReport:
    (report,) = run_scans(context, context.clock() + left)
    return report


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_silent_slack_is_not_waited_for(
    engines: Engines, heard: Event, step: str, *, after: bool
) -> None:
    engines.report(0, TITLES)
    fault = lost(silent(heard)) if after else silent(heard)
    engines.faults.at(step, fault, 1)
    context = impatient(engines)
    (failed,) = one_pass(context).undelivered
    assert isinstance(failed.error, DeliveryError)
    assert (failed.error.code, failed.error.retryable) == ("timeout", True)
    assert all_is_stored(engines)
    engines.reconcile()
    expected = {POST: (2, 1), SHARE: (1, 2)}.get(step, (1, 1)) if after else (1, 1)
    assert delivered(engines) == expected


def test_no_step_begins_that_may_not_end_in_time(engines: Engines) -> None:
    engines.report(0, TITLES)
    engines.faults.at(SLACK, answered(500, b""))
    one_pass(engines.context())
    engines.faults.end()
    late = one_pass(engines.context(), timedelta(seconds=29))
    assert (late.deliveries, len(late.pending)) == ((), 1)
    assert not set(STEPS) & set(engines.faults.calls)
    engines.reconcile()
    assert delivered(engines) == (1, 1)


# The bucket


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(refused("AccessDenied", 403), id="denied"),
        pytest.param(refused("SlowDown", 503), id="slow-down"),
        pytest.param(dropped, id="dropped"),
        pytest.param(answered(500, b"oops"), id="garbage"),
    ],
)
def test_a_bucket_that_refuses_delays_the_object_and_nothing_else(
    engines: Engines, fault: Fault
) -> None:
    engines.report(0, TITLES)
    engines.faults.at(S3, fault)
    with pytest.raises(DeliveryError):
        engines.scan()
    assert (engines.posts(), engines.announced()) == ([HEADER], TOLD)
    assert not engines.settled()
    engines.faults.end()
    engines.reconcile()
    assert delivered(engines) == (1, 1)
    assert engines.objects() == engines.files()


def test_an_object_whose_answer_was_lost_is_put_once_more(engines: Engines) -> None:
    engines.report(0, TITLES)
    engines.faults.at("PutObject", lost(dropped))
    with pytest.raises(DeliveryError):
        engines.scan()
    engines.faults.end()
    engines.reconcile()
    assert delivered(engines) == (1, 1)
    assert engines.objects() == engines.files()


def test_a_file_that_cannot_be_read_back_waits_for_the_bucket(engines: Engines) -> None:
    engines.report(0, TITLES)
    engines.faults.at(UPLOAD, dropped)
    with pytest.raises(DeliveryError):
        engines.scan()
    engines.faults.end()
    engines.faults.at("GetObject", refused("SlowDown", 503))
    with pytest.raises(DeliveryError):
        engines.reconcile()
    assert (engines.posts(), engines.files()) == ([HEADER], [])
    engines.faults.end()
    engines.reconcile()
    assert delivered(engines) == (1, 1)
    assert engines.objects() == engines.files()


def test_neither_slack_nor_bucket_and_the_file_is_made_again(engines: Engines) -> None:
    engines.report(0, TITLES)
    engines.faults.at(S3, refused("SlowDown", 503))
    engines.faults.at(SLACK, dropped)
    with pytest.raises(DeliveryError):
        engines.scan()
    assert (engines.stored(), engines.posts(), engines.objects()) == (TOLD, [], [])
    engines.faults.end()
    engines.reconcile()
    assert delivered(engines) == (1, 1)
    assert engines.objects() == engines.files()
