"""The routes of the API: the table, and how a request runs through it.

The blueprint and the specification are both built from the table.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from chalice.app import Blueprint, Request, Response
from msgspec import Struct

from chalicelib import bootstrap
from chalicelib.domain.errors import NotFound, ServiceError
from chalicelib.entrypoints import telemetry
from chalicelib.entrypoints.api import findings, overview, problems, requests, responses, snoozes
from chalicelib.entrypoints.api.call import (
    ApiRequest,
    ApiResponse,
    read_body,
    read_caller,
    read_query,
    read_role,
)
from chalicelib.usecases.context import Author

NO_BODY = None


class Route(Struct, frozen=True):
    """One route.

    `answers` maps each success status to the type of its body. `problems` are
    the statuses that this route can return beside those of every route.
    """

    name: str
    method: str
    path: str
    handle: Callable[[ApiRequest[Any, Any]], ApiResponse]
    answers: Mapping[int, type[msgspec.Struct] | None]
    query: type[msgspec.Struct] = requests.NoQuery
    body: type[requests.Body] | None = None
    problems: tuple[int, ...] = ()
    if_match: bool = False
    csv: bool = False

    @property
    def summary(self) -> str:
        """The first line of the handler's docstring."""
        return (self.handle.__doc__ or "").strip().splitlines()[0].rstrip(".")


# The form of each id in a path. Any other value is not found.
ID_FORMS = {
    "finding_id": "[0-9a-f]{32}",
    "snooze_id": "[A-Za-z0-9-]{1,64}",
    "instance_id": "(i|mi)-[0-9a-f]{1,32}",
}

FINDING = "/v1/findings/{finding_id}"
SNOOZE = "/v1/snoozes/{snooze_id}"

FINDINGS = (
    Route(
        "listFindings",
        "GET",
        "/v1/findings",
        findings.list_findings,
        {200: responses.FindingList},
        query=requests.FindingQuery,
        problems=(422,),
        csv=True,
    ),
    Route(
        "getFinding",
        "GET",
        FINDING,
        findings.get_finding,
        {200: responses.FindingDetailResponse},
        problems=(404,),
    ),
    Route(
        "getFindingEvents",
        "GET",
        f"{FINDING}/events",
        findings.list_finding_events,
        {200: responses.EventList},
        problems=(404,),
    ),
    Route(
        "snoozeFinding",
        "PUT",
        f"{FINDING}/snooze",
        findings.snooze_finding,
        {200: responses.SnoozeResponse, 201: responses.SnoozeResponse},
        body=requests.SnoozeFinding,
        problems=(404, 412, 413, 422),
        if_match=True,
    ),
    Route(
        "snoozeFindings",
        "POST",
        "/v1/findings/snooze",
        findings.snooze_findings,
        {200: responses.SnoozeResults},
        body=requests.SnoozeFindings,
        problems=(413, 422),
    ),
    Route(
        "unsnoozeFindings",
        "POST",
        "/v1/findings/unsnooze",
        findings.unsnooze_findings,
        {200: responses.SnoozeResults},
        body=requests.UnsnoozeFindings,
        problems=(413, 422),
    ),
    Route(
        "unsnoozeFinding",
        "DELETE",
        f"{FINDING}/snooze",
        findings.unsnooze_finding,
        {204: NO_BODY},
        problems=(404, 412),
        if_match=True,
    ),
)

SNOOZES = (
    Route(
        "listSnoozes",
        "GET",
        "/v1/snoozes",
        snoozes.list_snoozes,
        {200: responses.SnoozeList},
        query=requests.SnoozeQuery,
    ),
    Route(
        "createSnooze",
        "POST",
        "/v1/snoozes",
        snoozes.create_snooze,
        {201: responses.SnoozeResponse, 200: responses.SnoozePreviewResponse},
        query=requests.DryRunQuery,
        body=requests.CreateSnooze,
        problems=(409, 413, 422),
    ),
    Route(
        "previewSnooze",
        "POST",
        "/v1/snoozes/preview",
        snoozes.preview_snooze,
        {200: responses.SnoozePreviewResponse},
        body=requests.CreateSnooze,
        problems=(413, 422),
    ),
    Route(
        "getSnooze",
        "GET",
        SNOOZE,
        snoozes.get_snooze,
        {200: responses.SnoozeResponse},
        problems=(404,),
    ),
    Route(
        "changeSnooze",
        "PATCH",
        SNOOZE,
        snoozes.change_snooze,
        {200: responses.SnoozeResponse},
        body=requests.ChangeSnooze,
        problems=(404, 412, 413, 422),
        if_match=True,
    ),
    Route(
        "endSnooze",
        "DELETE",
        SNOOZE,
        snoozes.end_snooze,
        {204: NO_BODY},
        problems=(404, 412),
        if_match=True,
    ),
    Route(
        "getSnoozeEvents",
        "GET",
        f"{SNOOZE}/events",
        snoozes.list_snooze_events,
        {200: responses.EventList},
        problems=(404,),
    ),
)

OVERVIEW = (
    Route(
        "listNodes",
        "GET",
        "/v1/nodes",
        overview.list_nodes,
        {200: responses.NodeList},
        query=requests.PageQuery,
    ),
    Route(
        "getNode",
        "GET",
        "/v1/nodes/{instance_id}",
        overview.get_node,
        {200: responses.NodeResponse},
        problems=(404,),
    ),
    Route(
        "listTitles",
        "GET",
        "/v1/titles",
        overview.list_titles,
        {200: responses.TitleList},
        query=requests.TitleQuery,
    ),
    Route("getCaller", "GET", "/v1/me", overview.show_caller, {200: responses.CallerResponse}),
    Route(
        "listScans",
        "GET",
        "/v1/scans",
        overview.list_scans,
        {200: responses.ScanList},
        query=requests.PageQuery,
    ),
    Route(
        "getTrends",
        "GET",
        "/v1/trends",
        overview.list_trends,
        {200: responses.TrendList},
        query=requests.TrendQuery,
    ),
    Route(
        "getSummary", "GET", "/v1/summary", overview.get_summary, {200: responses.SummaryResponse}
    ),
)

ROUTES = (*FINDINGS, *SNOOZES, *OVERVIEW)


def blueprint(authorizer: Any) -> Blueprint:
    """Registers every route behind the authorizer."""
    routes = Blueprint(__name__)
    for route in ROUTES:
        register = routes.route(
            route.path, methods=[route.method], name=route.name, authorizer=authorizer
        )
        register(_make_view(routes, route))
    return routes


def handle_request(route: Route, request: Request, path: dict[str, str]) -> Response:
    """Validates a request, runs its handler, responds. A `ServiceError` becomes a problem."""
    request_id = problems.read_request_id(request.context, request.lambda_context)
    try:
        check_ids(path)
        query = read_query(request, route.query)
        inbox = bootstrap.runtime().inbox
        body = read_body(request, route.body, inbox) if route.body else None
        call = ApiRequest(
            inbox=inbox,
            author=Author(read_caller(request)),
            role=read_role(request),
            path=path,
            query=query,
            body=body,
            if_match=request.headers.get("if-match"),
        )
        return route.handle(call).to_chalice()
    except ServiceError as error:
        response = problems.respond_to_error(error, request_id)
        if response.status_code >= problems.SERVER_ERROR:
            telemetry.report_request(request_id, error)
        return response


def check_ids(path: Mapping[str, str]) -> None:
    """Raises `NotFound` for a malformed id; ids may arrive percent-encoded."""
    for name, value in path.items():
        if not re.fullmatch(ID_FORMS[name], value):
            raise NotFound(f"{name} must match {ID_FORMS[name]}, so nothing has this id.")


def _make_view(routes: Blueprint, route: Route) -> Callable[..., Response]:
    def view(**path: str) -> Response:
        return handle_request(route, routes.current_request, path)

    view.__name__ = route.name
    return view
