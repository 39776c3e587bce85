"""Events, and calls of the handlers as Lambda makes them."""

from datetime import UTC, datetime
from typing import Any

from chalice.local import LambdaContext

import app
from devstack.environment import ACCOUNT, REGION
from devstack.events import build_association_event


def build_event(**detail: object) -> dict[str, Any]:
    """Builds an association event of now with these fields of its detail."""
    now = datetime.now(UTC)
    event = build_association_event(
        "assoc-1", "Success", now, {"Success": 1}, now, account=ACCOUNT, region=REGION
    )
    return event | {"detail": event["detail"] | detail}


def call(event: object, function: str = "ec2_inspec_scan") -> dict[str, Any]:
    """Calls a function of app.py and returns its response."""
    context = LambdaContext(function, 512, max_runtime_ms=900_000)
    response: dict[str, Any] = getattr(app, function)(event, context)
    return response
