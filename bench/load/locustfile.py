"""What locust runs, in its own environment: every request of a plan once, by a few users at once.

`LOAD_PLAN` is a file with the requests of `bench.load.kinds.Kind` as JSON, `LOAD_TOKEN` the token
that is sent with them. `LOAD_ANSWERS` is written in the end: for each answer the number of its
request, when it was asked (seconds since 1970), milliseconds, and what was wrong or null.
"""

import json
import os
from pathlib import Path
from typing import Any

import gevent
from locust import FastHttpUser, events
from locust.exception import StopUser

# Characters of a refusal that are kept.
SHOWN = 200

plan = json.loads(Path(os.environ["LOAD_PLAN"]).read_text())
left = iter(enumerate(plan["requests"]))
headers = {"Authorization": f"Bearer {os.environ['LOAD_TOKEN']}"}
answers: list[tuple[int, float, float, str | None]] = []


def ask(user: Any) -> None:
    """Send the next request that nobody has sent; anything but 2xx is a failure."""
    number, asked = next(left, (None, None))
    if asked is None:
        raise StopUser
    with user.client.request(
        asked["method"],
        asked["path"],
        name=plan["name"],
        json=asked["body"],
        headers=headers,
        allow_redirects=False,
        catch_response=True,
        context={"number": number},
    ) as answer:
        if not 200 <= answer.status_code < 300:
            said = answer.text[:SHOWN] if answer.status_code else answer.error
            answer.failure(f"{asked['method']} {asked['path']}: {answer.status_code} {said}")


class Operator(FastHttpUser):  # type: ignore[misc]  # locust is in an environment of its own
    """Asks without a pause between."""

    tasks = (ask,)


def note(
    start_time: float, response_time: float, exception: object, context: Any, **_: object
) -> None:
    """Keep an answer."""
    fault = None if exception is None else str(exception)
    answers.append((context["number"], start_time, response_time, fault))


def end_after_the_last(environment: Any, **_: object) -> None:
    """End the run once every request is answered."""

    def look(**_: object) -> None:
        if len(answers) == len(plan["requests"]):
            # from a greenlet of its own: a user that ends the run would end itself halfway
            gevent.spawn(environment.runner.quit)

    events.request.add_listener(look)


def write(**_: object) -> None:
    """Say what was answered, whatever ended the run."""
    Path(os.environ["LOAD_ANSWERS"]).write_text(json.dumps(answers))


events.request.add_listener(note)
events.init.add_listener(end_after_the_last)
events.quitting.add_listener(write)
