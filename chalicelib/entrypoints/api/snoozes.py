"""Handlers of the routes about snoozes."""

from chalicelib.domain.snooze import Snooze
from chalicelib.entrypoints.api import responses
from chalicelib.entrypoints.api.call import ApiRequest, ApiResponse, make_etag, parse_if_match
from chalicelib.entrypoints.api.paging import make_cursor, paginate, read_cursor
from chalicelib.entrypoints.api.requests import (
    ChangeSnooze,
    CreateSnooze,
    DryRunQuery,
    NoQuery,
    SnoozeQuery,
    or_none,
)
from chalicelib.usecases.inbox import snoozes

ROUTE = "snoozes"


def list_snoozes(request: ApiRequest[SnoozeQuery, None]) -> ApiResponse:
    """List snoozes, newest first."""
    query = request.query
    now = request.inbox.clock()

    def keep(snooze: Snooze) -> bool:
        return (
            or_none(query.instance_id) in (None, snooze.instance_id)
            and or_none(query.title) in (None, snooze.title)
            and or_none(query.state) in (None, snooze.state(now))
        )

    after = read_cursor(ROUTE, query, or_none(query.cursor))
    page = snoozes.list_snoozes(request.inbox, keep, after, query.limit)
    following = make_cursor(ROUTE, query, page.after)
    items = [responses.build_snooze_response(each, now) for each in page.snoozes]
    return paginate(responses.SnoozeList(items, following), query, following)


def create_snooze(request: ApiRequest[DryRunQuery, CreateSnooze]) -> ApiResponse:
    """Make a rule by instance, title or both, or count what it would mute."""
    scope, terms = request.body.scope, request.body.terms
    if request.query.dry_run:
        preview = snoozes.preview_snooze(request.inbox, scope, terms)
        return ApiResponse(responses.build_preview_response(preview))
    snooze = snoozes.create_snooze(request.inbox, scope, terms, request.author)
    return _respond(request, snooze, 201, {"Location": f"snoozes/{snooze.id}"})


def get_snooze(request: ApiRequest[NoQuery, None]) -> ApiResponse:
    """Show one snooze."""
    return _respond(request, snoozes.get_snooze(request.inbox, request.path["snooze_id"]))


def change_snooze(request: ApiRequest[NoQuery, ChangeSnooze]) -> ApiResponse:
    """Change the end, the reason or the comment."""
    snooze = snoozes.change_snooze(
        request.inbox,
        request.path["snooze_id"],
        request.body.change,
        parse_if_match(request.if_match),
        request.author,
    )
    return _respond(request, snooze)


def end_snooze(request: ApiRequest[NoQuery, None]) -> ApiResponse:
    """End a snooze now; its history is kept."""
    versions = parse_if_match(request.if_match)
    snoozes.end_snooze(request.inbox, request.path["snooze_id"], versions, request.author)
    return ApiResponse(status=204)


def list_snooze_events(request: ApiRequest[NoQuery, None]) -> ApiResponse:
    """Show what happened to a snooze."""
    lines = snoozes.list_snooze_history(request.inbox, request.path["snooze_id"])
    return ApiResponse(responses.build_history_response((), lines))


def _respond(
    request: ApiRequest[NoQuery, None]
    | ApiRequest[DryRunQuery, CreateSnooze]
    | ApiRequest[NoQuery, ChangeSnooze],
    snooze: Snooze,
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> ApiResponse:
    body = responses.build_snooze_response(snooze, request.inbox.clock())
    return ApiResponse(body, status, {"ETag": make_etag(snooze), **(headers or {})})
