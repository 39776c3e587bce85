"""The routes about snoozes."""

from chalicelib.domain.snooze import Snooze
from chalicelib.domain.snooze_rules import Change, End, Wanted
from chalicelib.entrypoints import api_answers, api_bodies, api_shapes
from chalicelib.entrypoints.api_bodies import given
from chalicelib.entrypoints.api_call import Answer, Call
from chalicelib.entrypoints.api_lists import linked
from chalicelib.entrypoints.cursors import cursor_of, position_of
from chalicelib.entrypoints.etags import etag_of, versions_of
from chalicelib.usecases import snoozes

ROUTE = "snoozes"


def list_snoozes(call: Call) -> Answer:
    """List snoozes, newest first."""
    query: api_bodies.SnoozeQuery = call.query
    now = call.inbox.clock()

    def keep(snooze: Snooze) -> bool:
        return (
            given(query.instance_id) in (None, snooze.instance_id)
            and given(query.title) in (None, snooze.title)
            and given(query.state) in (None, snooze.state(now))
        )

    after = position_of(ROUTE, query, given(query.cursor))
    page = snoozes.list_snoozes(call.inbox, keep, after, query.limit)
    following = cursor_of(ROUTE, query, page.after)
    items = [api_answers.snooze_answer(each, now) for each in page.snoozes]
    return linked(api_shapes.SnoozeList(items, following), query, following)


def create_snooze(call: Call) -> Answer:
    """Make a rule by instance, title or both, or count what it would mute."""
    body: api_bodies.CreateSnooze = call.body
    wanted = Wanted(
        instance_id=body.instance_id,
        title=body.title,
        end=End(body.ends_at, body.duration, permanent=bool(body.permanent)),
        reason=body.reason,
        comment=body.comment,
        until_resolved=body.until_resolved,
    )
    if call.query.dry_run:
        return Answer(api_answers.muted_answer(snoozes.dry_run(call.inbox, wanted)))
    snooze = snoozes.create(call.inbox, wanted, call.author)
    return _answer(call, snooze, 201, {"Location": f"snoozes/{snooze.id}"})


def get_snooze(call: Call) -> Answer:
    """Show one snooze."""
    return _answer(call, snoozes.get(call.inbox, call.path["snooze_id"]))


def change_snooze(call: Call) -> Answer:
    """Change the end, the reason or the comment."""
    body: api_bodies.ChangeSnooze = call.body
    end = End(body.ends_at, body.duration, permanent=bool(body.permanent))
    wish = Change(end if end.given else None, body.reason, body.comment)
    versions = versions_of(call.if_match)
    snooze_id = call.path["snooze_id"]
    return _answer(call, snoozes.change(call.inbox, snooze_id, wish, versions, call.author))


def end_snooze(call: Call) -> Answer:
    """End a snooze now; its history is kept."""
    versions = versions_of(call.if_match)
    snoozes.end(call.inbox, call.path["snooze_id"], versions, call.author)
    return Answer(status=204)


def snooze_events(call: Call) -> Answer:
    """Show what happened to a snooze."""
    lines = snoozes.history_of(call.inbox, call.path["snooze_id"])
    return Answer(api_answers.history_answer((), lines))


def _answer(
    call: Call, snooze: Snooze, status: int = 200, headers: dict[str, str] | None = None
) -> Answer:
    body = api_answers.snooze_answer(snooze, call.inbox.clock())
    return Answer(body, status, {"ETag": etag_of(snooze), **(headers or {})})
