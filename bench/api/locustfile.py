"""Run by locust in its own environment: a few users send every request of a plan once.

`LOAD_PLAN` is a JSON file of a `bench.api.requests.RequestKind`. `LOAD_TOKEN` is sent with each
request. At the end this writes a `LoadResponse` for each response to `LOAD_RESPONSES`, as JSON.
"""

import json
import os
from pathlib import Path
from typing import Any

import gevent
from locust import FastHttpUser, events
from locust.exception import StopUser

# The characters kept of an error's body.
SHOWN = 200

plan = json.loads(Path(os.environ["LOAD_PLAN"]).read_text())
waiting = iter(enumerate(plan["requests"]))
headers = {"Authorization": f"Bearer {os.environ['LOAD_TOKEN']}"}
responses: list[tuple[int, float, float, str | None]] = []


def send_next(user: Any) -> None:
    """Send the next request that no user has sent. Anything but 2xx is an error."""
    number, request = next(waiting, (None, None))
    if request is None:
        raise StopUser
    with user.client.request(
        request["method"],
        request["path"],
        name=plan["name"],
        json=request["body"],
        headers=headers,
        allow_redirects=False,
        catch_response=True,
        context={"number": number},
    ) as response:
        if not 200 <= response.status_code < 300:
            detail = response.text[:SHOWN] if response.status_code else response.error
            status = f"{response.status_code} {detail}"
            response.failure(f"{request['method']} {request['path']}: {status}")


class Operator(FastHttpUser):  # type: ignore[misc]  # locust is in an environment of its own
    """Sends requests without a pause."""

    tasks = (send_next,)


def record_response(
    start_time: float, response_time: float, exception: object, context: Any, **_: object
) -> None:
    """Keep one response."""
    error = None if exception is None else str(exception)
    responses.append((context["number"], start_time, response_time, error))


def end_after_the_last(environment: Any, **_: object) -> None:
    """End the run after the last response."""

    def check_end(**_: object) -> None:
        if len(responses) == len(plan["requests"]):
            # in a greenlet of its own, because a user that ends the run would end itself halfway
            gevent.spawn(environment.runner.quit)

    events.request.add_listener(check_end)


def write_responses(**_: object) -> None:
    """Write all responses, also after a run that was cut short."""
    Path(os.environ["LOAD_RESPONSES"]).write_text(json.dumps(responses))


events.request.add_listener(record_response)
events.init.add_listener(end_after_the_last)
events.quitting.add_listener(write_responses)
