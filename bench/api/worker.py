"""One process of the API, as in Lambda. Reads a path per line, and writes a `Response` per line.

The first line is also the first request of the process, so its time includes imports.
"""

import sys
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
from chalice.local import LambdaContext

TIMEOUT_MS = 60_000


class Response(msgspec.Struct, frozen=True):
    """Milliseconds, status, number of findings, and modules of slack_sdk loaded so far."""

    milliseconds: float
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


def main() -> None:
    """Handle each line of standard input until it ends."""
    for line in sys.stdin:
        began = time.perf_counter()
        # imported here, so that the first request includes it, as a cold start does
        import app  # noqa: PLC0415

        answer = app.app(make_event(line.strip()), LambdaContext("api", 512, TIMEOUT_MS))
        milliseconds = (time.perf_counter() - began) * 1000
        body = msgspec.json.decode(answer["body"])
        slack = sum(name.split(".")[0] == "slack_sdk" for name in sys.modules)
        response = Response(milliseconds, answer["statusCode"], len(body.get("items", ())), slack)
        sys.stdout.write(f"{msgspec.json.encode(response).decode()}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
