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
    read_instant,
)
from chalicelib.usecases.context import Inbox
from chalicelib.usecases.inbox import snoozes
from chalicelib.usecases.inventory import explain_matches

ROUTE = "snoozes"


def list_snoozes(request: ApiRequest[SnoozeQuery, None]) -> ApiResponse:
    """List snoozes, newest first, each with the number of findings that it matches."""
    query = request.query
    now = request.inbox.clock()
    wanted = snoozes.SnoozeFilter(
        instance_id=or_none(query.instance_id),
        title=or_none(query.title),
        control_id=or_none(query.control_id),
        state=or_none(query.state),
        created_by=or_none(query.created_by),
        reason=or_none(query.reason),
        permanent=or_none(query.permanent),
        unused=or_none(query.unused),
        ends_before=read_instant("ends_before", or_none(query.ends_before)),
    )
    after = read_cursor(ROUTE, query, or_none(query.cursor))
    page = snoozes.list_snoozes(request.inbox, wanted, after, query.limit)
    following = make_cursor(ROUTE, query, page.after)
    items = [
        responses.build_snooze_response(each, page.matches[each.id], now) for each in page.snoozes
    ]
    return paginate(responses.SnoozeList(items, following), query, following)


def create_snooze(request: ApiRequest[DryRunQuery, CreateSnooze]) -> ApiResponse:
    """Make a rule by instance, title, pattern or control, or count what it would mute."""
    if request.query.dry_run:
        return _respond_with_preview(request.inbox, request.body)
    body = request.body
    snooze = snoozes.create_snooze(
        request.inbox, body.scope, body.terms, request.author, body.confirm_matches
    )
    return _respond(request, snooze, 201, {"Location": f"snoozes/{snooze.id}"})


def preview_snooze(request: ApiRequest[NoQuery, CreateSnooze]) -> ApiResponse:
    """Count what a rule would mute, without making it."""
    return _respond_with_preview(request.inbox, request.body)


def _respond_with_preview(inbox: Inbox, body: CreateSnooze) -> ApiResponse:
    preview = snoozes.preview_snooze(inbox, body.scope, body.terms)
    return ApiResponse(responses.build_preview_response(preview))


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
    matches = explain_matches(request.inbox, snooze)
    body = responses.build_snooze_response(snooze, matches, request.inbox.clock())
    return ApiResponse(body, status, {"ETag": make_etag(snooze), **(headers or {})})
