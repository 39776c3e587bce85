"""The routes about snoozes."""

from chalicelib.domain.snooze import Snooze
from chalicelib.domain.snooze_rules import SnoozeChange, SnoozeEnd, SnoozeRequest
from chalicelib.entrypoints import api_answers, api_bodies, api_shapes
from chalicelib.entrypoints.api_bodies import or_none
from chalicelib.entrypoints.api_call import ApiRequest, ApiResponse
from chalicelib.entrypoints.api_lists import paginate
from chalicelib.entrypoints.cursors import make_cursor, read_cursor
from chalicelib.entrypoints.etags import make_etag, parse_if_match
from chalicelib.usecases import snoozes

ROUTE = "snoozes"


def list_snoozes(call: ApiRequest) -> ApiResponse:
    """List snoozes, newest first."""
    query: api_bodies.SnoozeQuery = call.query
    now = call.inbox.clock()

    def keep(snooze: Snooze) -> bool:
        return (
            or_none(query.instance_id) in (None, snooze.instance_id)
            and or_none(query.title) in (None, snooze.title)
            and or_none(query.state) in (None, snooze.state(now))
        )

    after = read_cursor(ROUTE, query, or_none(query.cursor))
    page = snoozes.list_snoozes(call.inbox, keep, after, query.limit)
    following = make_cursor(ROUTE, query, page.after)
    items = [api_answers.snooze_response(each, now) for each in page.snoozes]
    return paginate(api_shapes.SnoozeList(items, following), query, following)


def create_snooze(call: ApiRequest) -> ApiResponse:
    """Make a rule by instance, title or both, or count what it would mute."""
    body: api_bodies.CreateSnooze = call.body
    wanted = SnoozeRequest(
        instance_id=body.instance_id,
        title=body.title,
        end=SnoozeEnd(body.ends_at, body.duration, permanent=bool(body.permanent)),
        reason=body.reason,
        comment=body.comment,
        until_resolved=body.until_resolved,
    )
    if call.query.dry_run:
        return ApiResponse(api_answers.preview_response(snoozes.preview_snooze(call.inbox, wanted)))
    snooze = snoozes.create_snooze(call.inbox, wanted, call.author)
    return _answer(call, snooze, 201, {"Location": f"snoozes/{snooze.id}"})


def get_snooze(call: ApiRequest) -> ApiResponse:
    """Show one snooze."""
    return _answer(call, snoozes.get_snooze(call.inbox, call.path["snooze_id"]))


def change_snooze(call: ApiRequest) -> ApiResponse:
    """Change the end, the reason or the comment."""
    body: api_bodies.ChangeSnooze = call.body
    end = SnoozeEnd(body.ends_at, body.duration, permanent=bool(body.permanent))
    wish = SnoozeChange(end if end.given else None, body.reason, body.comment)
    versions = parse_if_match(call.if_match)
    snooze_id = call.path["snooze_id"]
    return _answer(call, snoozes.change_snooze(call.inbox, snooze_id, wish, versions, call.author))


def end_snooze(call: ApiRequest) -> ApiResponse:
    """End a snooze now; its history is kept."""
    versions = parse_if_match(call.if_match)
    snoozes.end_snooze(call.inbox, call.path["snooze_id"], versions, call.author)
    return ApiResponse(status=204)


def snooze_events(call: ApiRequest) -> ApiResponse:
    """Show what happened to a snooze."""
    lines = snoozes.list_snooze_history(call.inbox, call.path["snooze_id"])
    return ApiResponse(api_answers.history_response((), lines))


def _answer(
    call: ApiRequest, snooze: Snooze, status: int = 200, headers: dict[str, str] | None = None
) -> ApiResponse:
    body = api_answers.snooze_response(snooze, call.inbox.clock())
    return ApiResponse(body, status, {"ETag": make_etag(snooze), **(headers or {})})
