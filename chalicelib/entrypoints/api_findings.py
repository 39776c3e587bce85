"""The routes about findings."""

import json

from chalicelib.domain.errors import FieldFault, RuleBroken
from chalicelib.domain.finding import Finding
from chalicelib.domain.monthly import ListedFinding  # noqa: TC001 - annotates a local, as the others do
from chalicelib.domain.snooze_rules import SnoozeEnd, SnoozeRequest
from chalicelib.entrypoints import api_answers, api_bodies, api_shapes
from chalicelib.entrypoints.api_bodies import or_none
from chalicelib.entrypoints.api_call import ApiRequest, ApiResponse
from chalicelib.entrypoints.api_lists import paginate
from chalicelib.entrypoints.cursors import make_cursor, read_cursor
from chalicelib.entrypoints.etags import make_etag, parse_if_match
from chalicelib.reports.csv_file import render_csv
from chalicelib.usecases import findings, snoozes

# Bytes of an encoded answer: Lambda ends at 6 MB (Lambda quotas, synchronous invocation).
LARGEST_CSV = 5 * 1024 * 1024
CSV_TYPE = "text/csv; charset=utf-8"
ROUTE = "findings"


def list_findings(call: ApiRequest) -> ApiResponse:
    """List findings, a page at a time, or everything that matches as CSV."""
    query: api_bodies.FindingQuery = call.query
    wanted = findings.FindingFilter(
        instance_id=or_none(query.instance_id),
        title=or_none(query.title),
        severity=or_none(query.severity),
        control_id=or_none(query.control_id),
        state=or_none(query.state),
        q=or_none(query.q),
    )
    after = read_cursor(ROUTE, query, or_none(query.cursor))
    if query.format == "csv":
        return _as_csv(call, wanted)
    page = findings.list_findings(call.inbox, wanted, after, query.limit)
    following = make_cursor(ROUTE, query, page.after)
    items = [api_answers.finding_response(row) for row in page.rows]
    return paginate(api_shapes.FindingList(items, following), query, following)


def get_finding(call: ApiRequest) -> ApiResponse:
    """Show one finding with its snoozes."""
    detail = findings.get_finding(call.inbox, call.path["finding_id"])
    return ApiResponse(api_answers.detail_response(detail, call.inbox.clock()))


def finding_events(call: ApiRequest) -> ApiResponse:
    """Show what happened to a finding, resolved ones included."""
    events, lines = findings.list_finding_history(call.inbox, call.path["finding_id"])
    return ApiResponse(api_answers.history_response(events, lines))


def snooze_finding(call: ApiRequest) -> ApiResponse:
    """Snooze a stored finding."""
    body: api_bodies.SnoozeFinding = call.body

    def wish(finding: Finding) -> SnoozeRequest:
        return SnoozeRequest(
            instance_id=finding.instance_id,
            title=finding.title,
            end=SnoozeEnd(body.ends_at, body.duration, permanent=bool(body.permanent)),
            reason=body.reason,
            comment=body.comment,
            until_resolved=body.until_resolved,
        )

    wanted_id = call.path["finding_id"]
    versions = parse_if_match(call.if_match)
    snooze, new = snoozes.snooze_finding(call.inbox, wanted_id, wish, versions, call.author)
    answer = api_answers.snooze_response(snooze, call.inbox.clock())
    return ApiResponse(answer, 201 if new else 200, {"ETag": make_etag(snooze)})


def unsnooze_finding(call: ApiRequest) -> ApiResponse:
    """End the snooze of a finding now."""
    versions = parse_if_match(call.if_match)
    snoozes.unsnooze_finding(call.inbox, call.path["finding_id"], versions, call.author)
    return ApiResponse(status=204)


def _as_csv(call: ApiRequest, wanted: findings.FindingFilter) -> ApiResponse:
    rows: list[ListedFinding] = []
    size = 0
    try:
        for row in findings.all_findings(call.inbox, wanted):
            rows.append(row)
            size += len(json.dumps(row.finding.title))
            if size > LARGEST_CSV:
                raise _too_much(call)
    except findings.OutOfTimeError as error:
        raise _too_much(call) from error
    content = b"".join(render_csv(rows)).decode()
    # as the Lambda runtime may encode it: six bytes for whatever is not ASCII
    if len(json.dumps(content)) > LARGEST_CSV:
        raise _too_much(call)
    disposition = 'attachment; filename="findings.csv"'
    return ApiResponse(content, 200, {"Content-Type": CSV_TYPE, "Content-Disposition": disposition})


def _too_much(call: ApiRequest) -> RuleBroken:
    monthly = call.inbox.archive.latest_monthly() or "none is stored yet"
    text = (
        "Narrow the list by instance_id, title, severity, control_id, state or q, or take the "
        f"latest monthly report from the reports bucket: {monthly}"
    )
    return RuleBroken("Too many findings for one answer.", FieldFault("format", "too_large", text))
