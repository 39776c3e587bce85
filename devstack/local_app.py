"""Calls the three handlers of app.py as Lambda would, with the settings of a stack."""

import os
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, redirect_stdout
from datetime import UTC, datetime
from threading import Thread
from typing import Any, TextIO

from chalice.config import Config
from chalice.local import (
    ChaliceRequestHandler,
    LambdaContext,
    LocalChalice,
    LocalDevServer,
    create_local_server,
)

from chalicelib.adapters.access_tokens import ParameterTokens
from chalicelib.domain.access import Role
from devstack.aws.session import make_session
from devstack.environment import ACCOUNT, ASSOCIATION, REGION
from devstack.events import build_association_event, build_scheduled_event
from devstack.serving import HOST, POLL_INTERVAL
from ops.token_commands import add_token

MAX_SECONDS = 900


class Handlers:
    """The deployed functions; what they log goes to `log`, one JSON object a line."""

    def __init__(self, env: Mapping[str, str], log: TextIO) -> None:
        os.environ.update(env)
        self._log = log
        with redirect_stdout(log):
            # app.py reads three settings at import, so it comes after the environment
            import app  # noqa: PLC0415

            self._app = app

    def scan(
        self, executed_at: datetime, nodes: Mapping[str, int], status: str = "Success"
    ) -> dict[str, Any]:
        """Hand over the event of an association execution; `nodes` counts nodes by status."""
        now = datetime.now(UTC)
        event = build_association_event(
            ASSOCIATION, status, executed_at, nodes, now, account=ACCOUNT, region=REGION
        )
        return self._call("ec2_inspec_scan", event)

    def report_month(self) -> dict[str, Any]:
        """Hand over the tick of the monthly schedule."""
        return self._call("monthly_alert", self._tick("monthly-alert"))

    def reconcile(self, payload: Mapping[str, bool] | None = None) -> dict[str, Any]:
        """Hand over the tick of every 15 minutes, with what a person may add by hand."""
        return self._call("reconcile", self._tick("reconcile") | dict(payload or {}))

    def _tick(self, rule: str) -> dict[str, Any]:
        return build_scheduled_event(datetime.now(UTC), rule, ACCOUNT, REGION)

    def _call(self, function: str, event: dict[str, Any]) -> dict[str, Any]:
        context = LambdaContext(function, 1024, max_runtime_ms=MAX_SECONDS * 1000)
        with redirect_stdout(self._log):
            answer: dict[str, Any] = getattr(self._app, function)(event, context)
        return answer


# Seconds that Lambda gives an API call, as .chalice/config.json says.
API_TIMEOUT = 60


class _SilentHandler(ChaliceRequestHandler):
    # head and body are two writes: on a kept connection the second would wait 40 ms for the first
    disable_nagle_algorithm = True

    def log_message(self, *_: object) -> None:
        """Keep requests out of the terminal: a title may stand in a query."""


@contextmanager
def serve_api(port: int = 0) -> Iterator[str]:
    """Serve on `port`, on a free one when it is 0; yields the URL, without a slash at its end.

    The settings must stand in the environment before. OSError when the port is taken.
    """
    # app.py reads three settings at import
    import app  # noqa: PLC0415

    config = Config.create(lambda_timeout=API_TIMEOUT)
    if not isinstance(app.app, LocalChalice):
        create_local_server(app.app, config, HOST, 0).server.server_close()
    local = LocalDevServer(app.app, config, HOST, port, handler_cls=_SilentHandler)
    server = local.server
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, args=(POLL_INTERVAL,), daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def open_token_store(env: Mapping[str, str]) -> Iterator[ParameterTokens]:
    """The store that the settings `env` name, at the stand-in."""
    with closing(make_session().client("ssm", endpoint_url=env["AWS_ENDPOINT_URL"])) as ssm:
        yield ParameterTokens(ssm, env["API_TOKENS_PARAMETER"])


def create_tokens(env: Mapping[str, str], **roles: Role) -> dict[str, str]:
    """Make a token for each name; returns them by name, they are nowhere else."""
    now = datetime.now(UTC)
    with open_token_store(env) as store:
        return {name: add_token(store, name, role, now) for name, role in roles.items()}
