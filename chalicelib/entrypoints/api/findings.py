"""Handlers of the routes about findings."""

import json

from chalicelib.domain.errors import FieldFault, RuleBroken
from chalicelib.domain.snooze import ListedFinding  # noqa: TC001 - consistent with the others
from chalicelib.entrypoints.api import responses
from chalicelib.entrypoints.api.call import ApiRequest, ApiResponse, make_etag, parse_if_match
from chalicelib.entrypoints.api.paging import make_cursor, paginate, read_cursor
from chalicelib.entrypoints.api.requests import (
    FindingQuery,
    NoQuery,
    SnoozeFinding,
    SnoozeFindings,
    UnsnoozeFindings,
    or_none,
    read_instant,
    read_part,
)
from chalicelib.reports.csv_file import SEPARATORS, render_csv
from chalicelib.usecases.inbox import bulk, findings, fixed, snoozes
from chalicelib.usecases.inventory import explain_matches

# Bytes of an encoded response: Lambda stops at 6 MB (Lambda quotas, synchronous invocation).
LARGEST_CSV = 5 * 1024 * 1024
CSV_TYPE = "text/csv; charset=utf-8"
ROUTE = "findings"
FIXED = "fixed"


def list_findings(request: ApiRequest[FindingQuery, None]) -> ApiResponse:
    """List findings, a page at a time, or everything that matches as CSV."""
    query = request.query
    wanted = findings.FindingFilter(
        instance_id=or_none(query.instance_id),
        title=or_none(query.title),
        severity=or_none(query.severity),
        control_id=or_none(query.control_id),
        state=or_none(query.state),
        q=read_part(or_none(query.q)),
        first_seen_after=read_instant("first_seen_after", or_none(query.first_seen_after)),
    )
    after = read_cursor(ROUTE, query, or_none(query.cursor))
    if query.format == "csv":
        return _respond_with_csv(request, wanted)
    read_page = fixed.list_fixed if wanted.state == FIXED else findings.list_findings
    page = read_page(request.inbox, wanted, after, query.limit)
    following = make_cursor(ROUTE, query, page.after)
    items = [responses.build_finding_response(row) for row in page.rows]
    return paginate(responses.FindingList(items, following, page.total), query, following)


def get_finding(request: ApiRequest[NoQuery, None]) -> ApiResponse:
    """Show one finding with its snoozes."""
    detail = findings.get_finding(request.inbox, request.path["finding_id"])
    return ApiResponse(responses.build_detail_response(detail, request.inbox.clock()))


def list_finding_events(request: ApiRequest[NoQuery, None]) -> ApiResponse:
    """Show what happened to a finding, also if it is fixed."""
    events, lines = findings.list_finding_history(request.inbox, request.path["finding_id"])
    return ApiResponse(responses.build_history_response(events, lines))


def snooze_finding(request: ApiRequest[NoQuery, SnoozeFinding]) -> ApiResponse:
    """Snooze a stored finding."""
    snooze, is_new = snoozes.snooze_finding(
        request.inbox,
        request.path["finding_id"],
        request.body.terms,
        parse_if_match(request.if_match),
        request.author,
    )
    matches = explain_matches(request.inbox, snooze)
    body = responses.build_snooze_response(snooze, matches, request.inbox.clock())
    return ApiResponse(body, 201 if is_new else 200, {"ETag": make_etag(snooze)})


def snooze_findings(request: ApiRequest[NoQuery, SnoozeFindings]) -> ApiResponse:
    """Snooze up to 100 findings on the same terms."""
    body = request.body
    results = bulk.snooze_findings(request.inbox, body.finding_ids, body.terms, request.author)
    return ApiResponse(responses.build_snooze_results(results))


def unsnooze_findings(request: ApiRequest[NoQuery, UnsnoozeFindings]) -> ApiResponse:
    """End the snoozes of up to 100 findings now."""
    results = bulk.unsnooze_findings(request.inbox, request.body.finding_ids, request.author)
    return ApiResponse(responses.build_snooze_results(results))


def unsnooze_finding(request: ApiRequest[NoQuery, None]) -> ApiResponse:
    """End the snooze of a finding now."""
    versions = parse_if_match(request.if_match)
    snoozes.unsnooze_finding(request.inbox, request.path["finding_id"], versions, request.author)
    return ApiResponse(status=204)


def _respond_with_csv(
    request: ApiRequest[FindingQuery, None], wanted: findings.FindingFilter
) -> ApiResponse:
    rows: list[ListedFinding] = []
    size = 0
    try:
        read_all = fixed.all_fixed if wanted.state == FIXED else findings.all_findings
        for row in read_all(request.inbox, wanted):
            rows.append(row)
            size += len(json.dumps(row.finding.title))
            if size > LARGEST_CSV:
                raise _too_large(request)
    except findings.OutOfTimeError as error:
        raise _too_large(request) from error
    chunks = render_csv(findings.add_ages(request.inbox, rows), SEPARATORS[request.query.separator])
    content = b"".join(chunks).decode()
    # as the Lambda runtime may encode it: six bytes for every character outside ASCII
    if len(json.dumps(content)) > LARGEST_CSV:
        raise _too_large(request)
    disposition = 'attachment; filename="findings.csv"'
    return ApiResponse(content, 200, {"Content-Type": CSV_TYPE, "Content-Disposition": disposition})


def _too_large(request: ApiRequest[FindingQuery, None]) -> RuleBroken:
    monthly = request.inbox.archive.latest_monthly() or "none is stored yet"
    text = (
        "Narrow the list by instance_id, title, severity, control_id, state or q, or take the "
        f"latest monthly report from the reports bucket: {monthly}"
    )
    return RuleBroken(
        "Too many findings for one response.", FieldFault("format", "too_large", text)
    )
