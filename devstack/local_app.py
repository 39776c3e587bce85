"""Runs app.py on this machine: its three functions, its API, the tokens of the API."""

import os
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, redirect_stdout
from datetime import UTC, datetime
from threading import Thread
from typing import Any, TextIO

from chalice.config import Config
from chalice.local import LambdaContext, LocalChalice, LocalDevServer, create_local_server

from chalicelib.adapters.access_tokens import ParameterTokens
from chalicelib.domain.access import Role
from devstack.aws.session import make_session
from devstack.environment import ACCOUNT, ASSOCIATION, REGION
from devstack.events import build_association_event, build_scheduled_event
from devstack.local_gateway import Handler
from devstack.serving import HOST, POLL_INTERVAL
from ops.tokens import add_token

# Timeouts in seconds, as in .chalice/config.json.
FUNCTION_TIMEOUT = 900
API_TIMEOUT = 29


class Handlers:
    """The three functions, called as Lambda calls them with the settings `env`.

    They log to `log`, one JSON object a line.
    """

    def __init__(self, env: Mapping[str, str], log: TextIO) -> None:
        os.environ.update(env)
        self._log = log
        with redirect_stdout(log):
            # app.py reads three settings at import, so the environment comes first
            import app  # noqa: PLC0415

            self._app = app

    def scan(
        self, executed_at: datetime, nodes: Mapping[str, int], status: str = "Success"
    ) -> dict[str, Any]:
        """Send the event of an association execution. `nodes` counts nodes by status."""
        now = datetime.now(UTC)
        event = build_association_event(
            ASSOCIATION, status, executed_at, nodes, now, account=ACCOUNT, region=REGION
        )
        return self._call("ec2_inspec_scan", event)

    def report_month(self) -> dict[str, Any]:
        """Send the event of the monthly schedule."""
        return self._call("monthly_alert", self._build_tick("monthly-alert"))

    def reconcile(self, options: Mapping[str, bool] | None = None) -> dict[str, Any]:
        """Send the event of the 15-minute schedule, plus options that a person may add."""
        return self._call("reconcile", self._build_tick("reconcile") | dict(options or {}))

    def _build_tick(self, rule: str) -> dict[str, Any]:
        return build_scheduled_event(datetime.now(UTC), rule, ACCOUNT, REGION)

    def _call(self, function: str, event: dict[str, Any]) -> dict[str, Any]:
        context = LambdaContext(function, 1024, max_runtime_ms=FUNCTION_TIMEOUT * 1000)
        with redirect_stdout(self._log):
            response: dict[str, Any] = getattr(self._app, function)(event, context)
        return response


@contextmanager
def serve_api(port: int = 0) -> Iterator[str]:
    """Serve the API on `port`, or on a free port if it is 0.

    Yields the URL without a slash at the end. The settings must be in the environment before
    the call. Raises OSError if the port is taken.
    """
    # app.py reads three settings at import
    import app  # noqa: PLC0415

    config = Config.create(lambda_timeout=API_TIMEOUT)
    if not isinstance(app.app, LocalChalice):
        create_local_server(app.app, config, HOST, 0).server.server_close()
    local = LocalDevServer(app.app, config, HOST, port, handler_cls=Handler)
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
    """Open the token store that the settings `env` name."""
    with closing(make_session().client("ssm", endpoint_url=env["AWS_ENDPOINT_URL"])) as ssm:
        yield ParameterTokens(ssm, env["API_TOKENS_PARAMETER"])


def create_tokens(env: Mapping[str, str], **roles: Role) -> dict[str, str]:
    """Create a token for each name. Returns them by name; the store has only their hashes."""
    now = datetime.now(UTC)
    with open_token_store(env) as store:
        return {name: add_token(store, name, role, now) for name, role in roles.items()}
