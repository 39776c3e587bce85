"""The routes about findings."""

import json

from chalicelib.domain.errors import FieldFault, RuleBroken
from chalicelib.domain.finding import Finding
from chalicelib.domain.monthly import Listed  # noqa: TC001 - annotates a local, as the others do
from chalicelib.domain.snooze_rules import End, Wanted
from chalicelib.entrypoints import api_answers, api_bodies, api_shapes
from chalicelib.entrypoints.api_bodies import given
from chalicelib.entrypoints.api_call import Answer, Call
from chalicelib.entrypoints.api_lists import linked
from chalicelib.entrypoints.cursors import cursor_of, position_of
from chalicelib.entrypoints.etags import etag_of, versions_of
from chalicelib.reports.csv_file import csv_file
from chalicelib.usecases import findings, snoozes

# Bytes of an encoded answer: Lambda ends at 6 MB (Lambda quotas, synchronous invocation).
LARGEST_CSV = 5 * 1024 * 1024
CSV_TYPE = "text/csv; charset=utf-8"
ROUTE = "findings"


def list_findings(call: Call) -> Answer:
    """List findings, a page at a time, or everything that matches as CSV."""
    query: api_bodies.FindingQuery = call.query
    wanted = findings.FindingFilter(
        instance_id=given(query.instance_id),
        title=given(query.title),
        severity=given(query.severity),
        control_id=given(query.control_id),
        state=given(query.state),
        q=given(query.q),
    )
    after = position_of(ROUTE, query, given(query.cursor))
    if query.format == "csv":
        return _as_csv(call, wanted)
    page = findings.list_findings(call.inbox, wanted, after, query.limit)
    following = cursor_of(ROUTE, query, page.after)
    items = [api_answers.finding_answer(row) for row in page.rows]
    return linked(api_shapes.FindingList(items, following), query, following)


def get_finding(call: Call) -> Answer:
    """Show one finding with its snoozes."""
    detail = findings.get_finding(call.inbox, call.path["finding_id"])
    return Answer(api_answers.detail_answer(detail, call.inbox.clock()))


def finding_events(call: Call) -> Answer:
    """Show what happened to a finding, resolved ones included."""
    events, lines = findings.history_of(call.inbox, call.path["finding_id"])
    return Answer(api_answers.history_answer(events, lines))


def snooze_finding(call: Call) -> Answer:
    """Snooze a stored finding."""
    body: api_bodies.SnoozeFinding = call.body

    def wish(finding: Finding) -> Wanted:
        return Wanted(
            instance_id=finding.instance_id,
            title=finding.title,
            end=End(body.ends_at, body.duration, permanent=bool(body.permanent)),
            reason=body.reason,
            comment=body.comment,
            until_resolved=body.until_resolved,
        )

    wanted_id = call.path["finding_id"]
    versions = versions_of(call.if_match)
    snooze, new = snoozes.snooze_finding(call.inbox, wanted_id, wish, versions, call.author)
    answer = api_answers.snooze_answer(snooze, call.inbox.clock())
    return Answer(answer, 201 if new else 200, {"ETag": etag_of(snooze)})


def unsnooze_finding(call: Call) -> Answer:
    """End the snooze of a finding now."""
    versions = versions_of(call.if_match)
    snoozes.unsnooze_finding(call.inbox, call.path["finding_id"], versions, call.author)
    return Answer(status=204)


def _as_csv(call: Call, wanted: findings.FindingFilter) -> Answer:
    rows: list[Listed] = []
    size = 0
    try:
        for row in findings.all_findings(call.inbox, wanted):
            rows.append(row)
            size += len(json.dumps(row.finding.title))
            if size > LARGEST_CSV:
                raise _too_much(call)
    except findings.OutOfTimeError as error:
        raise _too_much(call) from error
    content = b"".join(csv_file(rows)).decode()
    # as the Lambda runtime may encode it: six bytes for whatever is not ASCII
    if len(json.dumps(content)) > LARGEST_CSV:
        raise _too_much(call)
    disposition = 'attachment; filename="findings.csv"'
    return Answer(content, 200, {"Content-Type": CSV_TYPE, "Content-Disposition": disposition})


def _too_much(call: Call) -> RuleBroken:
    monthly = call.inbox.archive.latest_monthly() or "none is stored yet"
    text = (
        "Narrow the list by instance_id, title, severity, control_id, state or q, or take the "
        f"latest monthly report from the reports bucket: {monthly}"
    )
    return RuleBroken("Too many findings for one answer.", FieldFault("format", "too_large", text))
