"""A reader who follows one request opens few files. A profiler counts those that run code."""

import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, SimpleNamespace
from typing import Any

import pytest

import app
from chalicelib.domain.finding import finding_id
from tests.functional.service import NODE, Service

pytestmark = pytest.mark.enable_socket

ROOT = Path(app.__file__).parent
OURS = (f"{ROOT}/chalicelib/", f"{ROOT}/app.py")
MOST_FOR_A_SNOOZE = 18
MOST_FOR_AN_EVENT = 40
SNOOZE = {"reason": "fix_scheduled", "comment": "ticket 42", "duration": "P1D"}


@contextmanager
def record_files() -> Iterator[set[str]]:
    """Yields the set of our files in which a function is called, in every thread.

    Generated code, as of a dataclass, has no file and does not count.
    """
    files: set[str] = set()

    def profile(frame: FrameType, event: str, _: object) -> None:
        name = frame.f_code.co_filename
        if event == "call" and name.startswith(OURS):
            files.add(name.removeprefix(f"{ROOT}/"))

    # covers this thread and those that start within the block, as the pool of a scan does
    threading.setprofile(profile)
    sys.setprofile(profile)
    try:
        yield files
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


def build_put(finding: str) -> dict[str, Any]:
    """Returns the event with which API Gateway asks for a snooze."""
    resource = "/v1/findings/{finding_id}/snooze"
    return {
        "resource": resource,
        "path": resource.replace("{finding_id}", finding),
        "httpMethod": "PUT",
        "headers": {"Content-Type": "application/json"},
        "multiValueHeaders": {},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": {"finding_id": finding},
        "stageVariables": None,
        "requestContext": {
            "httpMethod": "PUT",
            "resourcePath": resource,
            "requestId": "1",
            "authorizer": {"principalId": "oncall", "role": "operator"},
            "identity": {},
        },
        "body": json.dumps(SNOOZE),
        "isBase64Encoded": False,
    }


def put_snooze(title: str) -> int:
    """Snoozes a finding through the handler of the API; returns the status."""
    context = SimpleNamespace(aws_request_id="1")
    response = app.app(build_put(finding_id(NODE, title)), context)
    return int(response["statusCode"])


def describe(what: str, files: set[str]) -> str:
    return "\n".join([f"{what} runs code in {len(files)} files:", *sorted(files)])


def test_a_put_of_a_snooze_runs_code_in_few_files(
    service: Service, record_property: Callable[[str, object], None]
) -> None:
    service.report("A", "B")
    service.scan()
    assert put_snooze("A") == 201

    with record_files() as files:
        status = put_snooze("B")

    assert status == 201
    record_property("summary", f"files run: {len(files)} for a PUT of a snooze")
    assert len(files) <= MOST_FOR_A_SNOOZE, describe("A PUT of a snooze", files)


def test_the_first_event_of_a_process_runs_code_in_few_files(
    service: Service, record_property: Callable[[str, object], None]
) -> None:
    service.report("A", "B")

    with record_files() as files:
        facts = service.scan()

    assert (facts["findings_new"], facts["announced"]) == (2, 2)
    record_property("summary", f"files run: {len(files)} for the first event of a process")
    assert len(files) <= MOST_FOR_AN_EVENT, describe("The first event", files)
