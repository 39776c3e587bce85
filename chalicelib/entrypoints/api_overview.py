"""The routes about nodes, passes and totals."""

from chalicelib.entrypoints import api_answers, api_bodies, api_shapes
from chalicelib.entrypoints.api_bodies import given
from chalicelib.entrypoints.api_call import Answer, Call
from chalicelib.entrypoints.api_lists import linked
from chalicelib.entrypoints.cursors import cursor_of, position_of
from chalicelib.usecases import overview


def list_nodes(call: Call) -> Answer:
    """List nodes: coverage and what was last read of each."""
    query: api_bodies.PageQuery = call.query
    after = position_of("nodes", query, given(query.cursor))
    page = overview.list_nodes(call.inbox, after, query.limit)
    following = cursor_of("nodes", query, page.after)
    items = [api_answers.node_answer(each) for each in page.nodes]
    return linked(api_shapes.NodeList(items, following), query, following)


def list_scans(call: Call) -> Answer:
    """List passes, newest first, with the state of their delivery."""
    query: api_bodies.PageQuery = call.query
    after = position_of("scans", query, given(query.cursor))
    page = overview.list_scans(call.inbox, after, query.limit)
    following = cursor_of("scans", query, page.after)
    items = [api_answers.scan_answer(scan, delivery) for scan, delivery in page.scans]
    return linked(api_shapes.ScanList(items, following), query, following)


def summary(call: Call) -> Answer:
    """Show the totals: findings by severity, nodes, snoozes by state."""
    return Answer(api_answers.summary_answer(overview.summarize(call.inbox)))
