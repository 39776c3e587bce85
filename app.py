"""The table of triggers: what calls the service, and which function answers."""

import os
from typing import Any

from chalice.app import AuthRequest, AuthResponse, IAMAuthorizer, Rate

from chalicelib.entrypoints import auth, events
from chalicelib.entrypoints.problems import ProblemChalice
from chalicelib.settings import Triggers

triggers = Triggers.from_env(os.environ)
# the service has its own JSON logger of the same name; Chalice would say everything twice
app = ProblemChalice(app_name="ec2-inspec-scan", configure_logs=False)

ASSOCIATION_PATTERN = {
    "source": ["aws.ssm"],
    "detail-type": ["EC2 State Manager Association State Change"],
    "detail": {
        "document-name": list(triggers.association_documents),
        "status": list(events.STATUSES),
    },
}
# Seconds for which API Gateway remembers what a token may do.
POLICY_AGE = 300


@app.on_cw_event(ASSOCIATION_PATTERN, name="ec2-inspec-scan")
def ec2_inspec_scan(event: events.RawEvent) -> dict[str, Any]:
    """An association execution ended."""
    return events.on_association(event)


@app.schedule(triggers.monthly_schedule, name="monthly-alert")
def monthly_alert(event: events.RawEvent) -> dict[str, Any]:
    """The month is to be reported."""
    return events.on_month(event)


@app.schedule(Rate(15, unit=Rate.MINUTES), name="reconcile")
def reconcile(event: events.RawEvent) -> dict[str, Any]:
    """Whatever events left behind is to be repaired."""
    return events.on_reconcile(event)


for handler in (ec2_inspec_scan, monthly_alert, reconcile):
    handler.event_class = events.RawEvent

if triggers.api_auth == "iam":
    authorizer: Any = IAMAuthorizer()
else:

    @app.authorizer(name="authorizer", ttl_seconds=POLICY_AGE)
    def authorizer(request: AuthRequest) -> AuthResponse:
        """Who calls the API, by bearer token."""
        return auth.authorize(request)


# Lambda names the handler of the function that it starts; these never see a request to the API.
# Anywhere else, as when Chalice deploys, all routes are there.
without_routes = {each.handler_string for each in app.event_sources}
without_routes |= {each.handler_string for each in app.builtin_auth_handlers}
if os.environ.get("_HANDLER") not in without_routes:
    from chalicelib.entrypoints import api_blueprints
    from chalicelib.entrypoints.api_routes import ROUTES

    app.register_blueprint(api_blueprints.blueprint(ROUTES, authorizer))
    app.register_blueprint(api_blueprints.public())
