"""The routes about nodes, passes and totals."""

from chalicelib.entrypoints import api_answers, api_bodies, api_shapes
from chalicelib.entrypoints.api_bodies import or_none
from chalicelib.entrypoints.api_call import ApiRequest, ApiResponse
from chalicelib.entrypoints.api_lists import paginate
from chalicelib.entrypoints.cursors import make_cursor, read_cursor
from chalicelib.usecases import overview


def list_nodes(call: ApiRequest) -> ApiResponse:
    """List nodes: coverage and what was last read of each."""
    query: api_bodies.PageQuery = call.query
    after = read_cursor("nodes", query, or_none(query.cursor))
    page = overview.list_nodes(call.inbox, after, query.limit)
    following = make_cursor("nodes", query, page.after)
    items = [api_answers.node_response(each) for each in page.nodes]
    return paginate(api_shapes.NodeList(items, following), query, following)


def list_scans(call: ApiRequest) -> ApiResponse:
    """List passes, newest first, with the state of their delivery."""
    query: api_bodies.PageQuery = call.query
    after = read_cursor("scans", query, or_none(query.cursor))
    page = overview.list_scans(call.inbox, after, query.limit)
    following = make_cursor("scans", query, page.after)
    items = [api_answers.scan_response(scan, delivery) for scan, delivery in page.scans]
    return paginate(api_shapes.ScanList(items, following), query, following)


def summary(call: ApiRequest) -> ApiResponse:
    """Show the totals: findings by severity, nodes, snoozes by state."""
    return ApiResponse(api_answers.summary_response(overview.summarize(call.inbox)))
