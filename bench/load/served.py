"""The API over HTTP: tables filled, a token made, a process of its own that serves it."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.api_fleet import ROOT, api_settings, filled
from chalicelib.domain.access import Role
from devstack.aws.server import serve_aws
from devstack.dynamodb_local import run_dynamodb_local
from devstack.local_app import create_tokens
from devstack.serving import HOST, find_free_port, wait_for_port

LOG = Path("build/bench/api.log")
_START_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Served:
    """Where the API is, and a token of an operator; the token is never shown."""

    url: str
    token: str = field(repr=False)


@contextmanager
def served(findings: int) -> Iterator[Served]:
    """Serve the API over so many findings while the block lasts.

    Tables are in DynamoDB Local, the list of tokens in the stand-in of AWS.
    """
    with serve_aws() as aws, run_dynamodb_local() as url:
        settings = {
            **api_settings(aws.url, filled(url, findings)),
            "AWS_ENDPOINT_URL_DYNAMODB": url,
            "API_AUTH": "token",
        }
        token = create_tokens(settings, operator=Role.OPERATOR)["operator"]
        with _process({**os.environ, **settings}) as api:
            yield Served(api, token)


@contextmanager
def _process(env: Mapping[str, str]) -> Iterator[str]:
    """Run the server and yield its URL; leaving the block closes its input, which ends it."""
    port = find_free_port()
    LOG.parent.mkdir(parents=True, exist_ok=True)
    with (
        LOG.open("wb") as log,
        subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "bench.load.server", str(port)],
            cwd=ROOT,
            env=env,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
        ) as process,
    ):
        wait_for_port(process, port, "the API", _START_SECONDS)
        yield f"http://{HOST}:{port}"
