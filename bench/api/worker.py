"""One process of the API, as in Lambda. Reads a path per line, and writes a `Response` per line.

The first line is also the first request of the process, so its time includes imports.
"""

import os
import sys
import time
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
from chalice.local import LambdaContext

TIMEOUT_MS = 60_000


class Response(msgspec.Struct, frozen=True):
    """What a request took, its status and its number of rows.

    milliseconds: on the clock · cpu_ms: of this process · read_units: of DynamoDB ·
    slack_modules: modules of slack_sdk loaded so far.
    """

    milliseconds: float
    cpu_ms: float
    read_units: float
    status: int
    items: int
    slack_modules: int


def make_event(target: str) -> dict[str, Any]:
    """API Gateway's event for an operator's GET. `target` is a path with a query."""
    parts = urlsplit(target)
    return {
        "requestContext": {
            "httpMethod": "GET",
            "resourcePath": parts.path,
            "path": parts.path,
            "requestId": "bench",
            "authorizer": {"principalId": "bench", "role": "operator"},
            "identity": {"sourceIp": "127.0.0.1"},
        },
        "headers": {"accept": "application/json"},
        "multiValueQueryStringParameters": parse_qs(parts.query) or None,
        "pathParameters": None,
        "stageVariables": None,
        "body": None,
        "isBase64Encoded": False,
    }


@cache
def watch_calls() -> Any:
    """Gives the process a session that counts read units, and returns the meter."""
    from bench.meter import CallMeter  # noqa: PLC0415 - imports boto3
    from chalicelib import bootstrap  # noqa: PLC0415
    from chalicelib.settings import Settings  # noqa: PLC0415
    from chalicelib.startup import open_session  # noqa: PLC0415

    session = open_session()
    runtime = bootstrap.Runtime(Settings.from_env(os.environ), session)
    bootstrap.runtime = cache(lambda: runtime)
    return CallMeter(session)


def main() -> None:
    """Handle each line of standard input until it ends."""
    for line in sys.stdin:
        began, cpu_began = time.perf_counter(), time.process_time()
        # imported here, so that the first request includes it, as a cold start does
        import app  # noqa: PLC0415

        meter = watch_calls()
        meter.read_units = 0.0
        answer = app.app(make_event(line.strip()), LambdaContext("api", 512, TIMEOUT_MS))
        milliseconds = (time.perf_counter() - began) * 1000
        cpu_ms = (time.process_time() - cpu_began) * 1000
        body = msgspec.json.decode(answer["body"])
        response = Response(
            milliseconds,
            cpu_ms,
            meter.read_units,
            answer["statusCode"],
            len(body.get("items", ())),
            slack_modules=sum(name.split(".")[0] == "slack_sdk" for name in sys.modules),
        )
        sys.stdout.write(f"{msgspec.json.encode(response).decode()}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
