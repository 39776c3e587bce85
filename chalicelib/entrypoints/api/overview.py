"""Handlers of the routes about nodes, scans and totals."""

from chalicelib.entrypoints.api import responses
from chalicelib.entrypoints.api.call import ApiRequest, ApiResponse
from chalicelib.entrypoints.api.paging import make_cursor, paginate, read_cursor
from chalicelib.entrypoints.api.requests import (
    NoQuery,
    PageQuery,
    TitleQuery,
    TrendQuery,
    or_none,
    read_part,
)
from chalicelib.usecases.inbox import overview


def list_nodes(request: ApiRequest[PageQuery, None]) -> ApiResponse:
    """List nodes: their last verified executions and their open findings."""
    query = request.query
    after = read_cursor("nodes", query, or_none(query.cursor))
    page = overview.list_nodes(request.inbox, after, query.limit)
    following = make_cursor("nodes", query, page.after)
    items = [responses.build_node_response(each) for each in page.nodes]
    return paginate(responses.NodeList(items, following), query, following)


def get_node(request: ApiRequest[NoQuery, None]) -> ApiResponse:
    """Show one node."""
    node = overview.get_node(request.inbox, request.path["instance_id"])
    return ApiResponse(responses.build_node_response(node))


def list_titles(request: ApiRequest[TitleQuery, None]) -> ApiResponse:
    """List titles over the fleet, worst first."""
    query = request.query
    wanted = overview.TitleFilter(
        severity=or_none(query.severity),
        control_id=or_none(query.control_id),
        q=read_part(or_none(query.q)),
    )
    after = read_cursor("titles", query, or_none(query.cursor))
    page = overview.list_titles(request.inbox, wanted, after, query.limit)
    following = make_cursor("titles", query, page.after)
    items = [responses.build_title_response(group, number) for group, number in page.titles]
    return paginate(responses.TitleList(items, following, page.total), query, following)


def show_caller(request: ApiRequest[NoQuery, None]) -> ApiResponse:
    """Show who calls, and what the caller may do."""
    limits = request.inbox.limits
    return ApiResponse(
        responses.CallerResponse(
            request.author.name, request.role, limits.longest.days, limits.allow_permanent
        )
    )


def list_scans(request: ApiRequest[PageQuery, None]) -> ApiResponse:
    """List scans, newest first, with the state of their delivery."""
    query = request.query
    after = read_cursor("scans", query, or_none(query.cursor))
    page = overview.list_scans(request.inbox, after, query.limit)
    following = make_cursor("scans", query, page.after)
    items = [responses.build_scan_response(scan, delivery) for scan, delivery in page.scans]
    return paginate(responses.ScanList(items, following), query, following)


def list_trends(request: ApiRequest[TrendQuery, None]) -> ApiResponse:
    """Show the last days in numbers, oldest first."""
    days = overview.list_days(request.inbox, request.query.days)
    return ApiResponse(responses.build_trends_response(days))


def get_summary(request: ApiRequest[NoQuery, None]) -> ApiResponse:
    """Show the totals: findings by severity, nodes, snoozes by state."""
    return ApiResponse(responses.build_summary_response(overview.summarize(request.inbox)))
