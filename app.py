"""The table of triggers: what calls the service, and which function answers."""

import os
from typing import Any

from chalice.app import AuthRequest, AuthResponse, IAMAuthorizer, Rate

from chalicelib import startup
from chalicelib.entrypoints.api import auth
from chalicelib.entrypoints.api.problems import ProblemChalice
from chalicelib.entrypoints.events import handlers
from chalicelib.settings import Triggers

triggers = Triggers.from_env(os.environ)
# The service has its own JSON logger. Chalice's would write every line twice.
app = ProblemChalice(app_name="ec2-inspec-scan", configure_logs=False)

ASSOCIATION_PATTERN = {
    "source": ["aws.ssm"],
    "detail-type": ["EC2 State Manager Association State Change"],
    "detail": {
        "document-name": list(triggers.association_documents),
        "status": list(handlers.STATUSES),
    },
}
# Seconds for which API Gateway caches what a token may do.
POLICY_AGE = 300


@app.on_cw_event(ASSOCIATION_PATTERN, name="ec2-inspec-scan")
def ec2_inspec_scan(event: handlers.RawEvent) -> dict[str, Any]:
    """Scan because an association execution has ended."""
    return handlers.on_association(event)


@app.schedule(triggers.monthly_schedule, name="monthly-alert")
def monthly_alert(event: handlers.RawEvent) -> dict[str, Any]:
    """Report the month."""
    return handlers.on_month(event)


@app.schedule(Rate(15, unit=Rate.MINUTES), name="reconcile")
def reconcile(event: handlers.RawEvent) -> dict[str, Any]:
    """Repair what lost events and failed scans left behind."""
    return handlers.on_reconcile(event)


for handler in (ec2_inspec_scan, monthly_alert, reconcile):
    handler.event_class = handlers.RawEvent

if triggers.api_auth == "iam":
    authorizer: Any = IAMAuthorizer()
else:

    @app.authorizer(name="authorizer", ttl_seconds=POLICY_AGE)
    def authorizer(request: AuthRequest) -> AuthResponse:
        """Identify the caller of the API by bearer token."""
        return auth.authorize(request)


without_requests = [each.handler_string for each in app.event_sources]
without_requests += [each.handler_string for each in app.builtin_auth_handlers]
if startup.needs_routes(without_requests, os.environ):
    from chalicelib.entrypoints.api import openapi, routes

    app.register_blueprint(routes.blueprint(authorizer))
    app.register_blueprint(openapi.blueprint())
