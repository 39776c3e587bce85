"""Calls the three handlers of app.py as Lambda would, with the settings of a stack."""

import os
from collections.abc import Mapping
from contextlib import redirect_stdout
from datetime import UTC, datetime
from typing import Any, TextIO

from chalice.local import LambdaContext

from devstack.inspec.event import association_event, scheduled_event
from devstack.names import ACCOUNT, ASSOCIATION, REGION

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
        event = association_event(
            ASSOCIATION, status, executed_at, nodes, now, account=ACCOUNT, region=REGION
        )
        return self._call("ec2_inspec_scan", event)

    def monthly(self) -> dict[str, Any]:
        """Hand over the tick of the monthly schedule."""
        return self._call("monthly_alert", self._tick("monthly-alert"))

    def reconcile(self, payload: Mapping[str, bool] | None = None) -> dict[str, Any]:
        """Hand over the tick of every 15 minutes, with what a person may add by hand."""
        return self._call("reconcile", self._tick("reconcile") | dict(payload or {}))

    def _tick(self, rule: str) -> dict[str, Any]:
        return scheduled_event(datetime.now(UTC), rule, ACCOUNT, REGION)

    def _call(self, function: str, event: dict[str, Any]) -> dict[str, Any]:
        context = LambdaContext(function, 1024, max_runtime_ms=MAX_SECONDS * 1000)
        with redirect_stdout(self._log):
            answer: dict[str, Any] = getattr(self._app, function)(event, context)
        return answer
