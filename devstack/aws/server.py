"""The embedded AWS: a real HTTP endpoint on localhost for the life of a `with` block."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from moto.core.base_backend import BackendDict
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)

from devstack.aws.ssm_compliance import register
from devstack.serving import served


@dataclass(frozen=True, slots=True)
class AwsServer:
    """A running server; `url` is the endpoint of every service, `http://127.0.0.1:<port>`."""

    url: str

    def reset(self) -> None:
        """Forget all data of all services, as `POST /moto-api/reset` does from outside."""
        BackendDict.reset()


class _QuietHandler(MotoRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Keep the terminal for the people who look at it."""


@contextmanager
def aws_server(port: int = 0) -> Iterator[AwsServer]:
    """Serve AWS on `port`, on a free one when it is 0; all data is gone afterwards.

    moto keeps its data per process, so one server at a time.
    Raises OSError when the port is taken.
    """
    register()
    with served(DomainDispatcherApplication(create_backend_app), port, _QuietHandler) as url:
        aws = AwsServer(url)
        try:
            yield aws
        finally:
            aws.reset()
