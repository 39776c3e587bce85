"""Serves the API over HTTP in a process of its own, over filled tables and with a token.

That process is `python -m bench.api.serve PORT`. It ends when its standard input ends, so it never
outlives its parent.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.api.tables import ROOT, FilledFleet, build_api_settings, fill_tables
from chalicelib.domain.access import Role
from devstack.aws.server import serve_aws
from devstack.dynamodb_local import run_dynamodb_local
from devstack.local_app import create_tokens, serve_api
from devstack.serving import HOST, find_free_port, wait_for_port

LOG = Path("build/bench/api.log")
_START_SECONDS = 60


@dataclass(frozen=True, slots=True)
class ServedApi:
    """The URL of the API and an operator's token, which is never shown."""

    url: str
    token: str = field(repr=False)


@contextmanager
def start_served_api(fleet: FilledFleet) -> Iterator[ServedApi]:
    """Serve the API over a fleet while the block lasts.

    Tables are on DynamoDB Local, and the list of tokens is in the AWS stand-in.
    """
    with serve_aws() as aws, run_dynamodb_local() as url:
        settings = {
            **build_api_settings(aws.url, fill_tables(url, fleet)),
            "AWS_ENDPOINT_URL_DYNAMODB": url,
            "API_AUTH": "token",
        }
        token = create_tokens(settings, operator=Role.OPERATOR)["operator"]
        with _start_server({**os.environ, **settings}) as api:
            yield ServedApi(api, token)


@contextmanager
def _start_server(env: Mapping[str, str]) -> Iterator[str]:
    """Run the server and yield its URL. Leaving the block closes its input, which ends it."""
    port = find_free_port()
    LOG.parent.mkdir(parents=True, exist_ok=True)
    with (
        LOG.open("wb") as log,
        subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "bench.api.serve", str(port)],
            cwd=ROOT,
            env=env,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
        ) as process,
    ):
        wait_for_port(process, port, "the API", _START_SECONDS)
        yield f"http://{HOST}:{port}"


def main() -> None:
    """Serve until standard input ends."""
    with serve_api(int(sys.argv[1])):
        sys.stdin.read()


if __name__ == "__main__":
    main()
