"""The table of routes: what is asked where, by whom, in which shape, and what is answered.

Blueprints and the specification are both made of it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import msgspec

from chalicelib.entrypoints import api_bodies as bodies
from chalicelib.entrypoints import api_findings, api_overview, api_snoozes
from chalicelib.entrypoints import api_shapes as answers
from chalicelib.entrypoints.api_call import ApiRequest, ApiResponse

NO_BODY = None


@dataclass(frozen=True, slots=True)
class Route:
    """One route.

    `answers` maps each status of success to the shape of its body; `problems`
    are the statuses beside those that any route can give.
    """

    name: str
    method: str
    path: str
    handle: Callable[[ApiRequest], ApiResponse]
    answers: Mapping[int, type[msgspec.Struct] | None]
    query: type[msgspec.Struct] = bodies.NoQuery
    body: type[msgspec.Struct] | None = None
    problems: tuple[int, ...] = ()
    if_match: bool = False
    csv: bool = field(default=False)

    @property
    def summary(self) -> str:
        """The first line of what the handler says of itself."""
        return (self.handle.__doc__ or "").strip().splitlines()[0].rstrip(".")


# What an id in a path looks like; anything else names nothing.
ID_FORMS = {"finding_id": "[0-9a-f]{32}", "snooze_id": "[A-Za-z0-9-]{1,64}"}

FINDING = "/v1/findings/{finding_id}"
SNOOZE = "/v1/snoozes/{snooze_id}"

FINDINGS = (
    Route(
        "listFindings",
        "GET",
        "/v1/findings",
        api_findings.list_findings,
        {200: answers.FindingList},
        query=bodies.FindingQuery,
        problems=(422,),
        csv=True,
    ),
    Route(
        "getFinding",
        "GET",
        FINDING,
        api_findings.get_finding,
        {200: answers.FindingDetailResponse},
        problems=(404,),
    ),
    Route(
        "getFindingEvents",
        "GET",
        f"{FINDING}/events",
        api_findings.finding_events,
        {200: answers.EventList},
        problems=(404,),
    ),
    Route(
        "snoozeFinding",
        "PUT",
        f"{FINDING}/snooze",
        api_findings.snooze_finding,
        {200: answers.SnoozeResponse, 201: answers.SnoozeResponse},
        body=bodies.SnoozeFinding,
        problems=(404, 412, 413, 422),
        if_match=True,
    ),
    Route(
        "unsnoozeFinding",
        "DELETE",
        f"{FINDING}/snooze",
        api_findings.unsnooze_finding,
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
        api_snoozes.list_snoozes,
        {200: answers.SnoozeList},
        query=bodies.SnoozeQuery,
    ),
    Route(
        "createSnooze",
        "POST",
        "/v1/snoozes",
        api_snoozes.create_snooze,
        {201: answers.SnoozeResponse, 200: answers.SnoozePreviewResponse},
        query=bodies.DryRunQuery,
        body=bodies.CreateSnooze,
        problems=(409, 413, 422),
    ),
    Route(
        "getSnooze",
        "GET",
        SNOOZE,
        api_snoozes.get_snooze,
        {200: answers.SnoozeResponse},
        problems=(404,),
    ),
    Route(
        "changeSnooze",
        "PATCH",
        SNOOZE,
        api_snoozes.change_snooze,
        {200: answers.SnoozeResponse},
        body=bodies.ChangeSnooze,
        problems=(404, 412, 413, 422),
        if_match=True,
    ),
    Route(
        "endSnooze",
        "DELETE",
        SNOOZE,
        api_snoozes.end_snooze,
        {204: NO_BODY},
        problems=(404, 412),
        if_match=True,
    ),
    Route(
        "getSnoozeEvents",
        "GET",
        f"{SNOOZE}/events",
        api_snoozes.snooze_events,
        {200: answers.EventList},
        problems=(404,),
    ),
)

OVERVIEW = (
    Route(
        "listNodes",
        "GET",
        "/v1/nodes",
        api_overview.list_nodes,
        {200: answers.NodeList},
        query=bodies.PageQuery,
    ),
    Route(
        "listScans",
        "GET",
        "/v1/scans",
        api_overview.list_scans,
        {200: answers.ScanList},
        query=bodies.PageQuery,
    ),
    Route("getSummary", "GET", "/v1/summary", api_overview.summary, {200: answers.SummaryResponse}),
)

ROUTES = (*FINDINGS, *SNOOZES, *OVERVIEW)
