"""One process of the API, as Lambda has it: a path a line comes in, milliseconds go out.

The first answer is also the first request of the process, and says what was imported for it.
"""

import sys
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
from chalice.local import LambdaContext

TIMEOUT_MS = 60_000


class Measured(msgspec.Struct, frozen=True):
    """One request: its time, its status, the findings in its answer, modules of Slack so far."""

    milliseconds: float
    status: int
    items: int
    slack_modules: int


def event(target: str) -> dict[str, Any]:
    """What API Gateway hands over for a GET of an operator; `target` is a path with a query."""
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
    """Answer each line of standard input by a line of standard output, until it ends."""
    for line in sys.stdin:
        began = time.perf_counter()
        # here, so that the first request has it in its time as a cold start has
        import app  # noqa: PLC0415

        answer = app.app(event(line.strip()), LambdaContext("api", 512, TIMEOUT_MS))
        took = (time.perf_counter() - began) * 1000
        body = msgspec.json.decode(answer["body"])
        slack = sum(name.split(".")[0] == "slack_sdk" for name in sys.modules)
        made = Measured(took, answer["statusCode"], len(body.get("items", ())), slack)
        sys.stdout.write(f"{msgspec.json.encode(made).decode()}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
