"""Nodes, scans and totals, looked up by people and programs."""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from msgspec import Struct

from chalicelib.domain.finding import Severity
from chalicelib.domain.node import Node, sum_severities
from chalicelib.domain.scan import ScanRecord
from chalicelib.domain.snooze import State
from chalicelib.usecases.context import Inbox


class DeliveryState(StrEnum):
    """The state of a scan's message."""

    NO_MESSAGE = "no message"
    PENDING = "pending"
    SENT = "sent"


class NodePage(Struct, frozen=True):
    """A page of nodes, and the instance id to continue after; None at the end."""

    nodes: tuple[Node, ...]
    after: str | None


class ScanPage(Struct, frozen=True):
    """A page of scans, newest first, and the scan id to continue after; None at the end."""

    scans: tuple[tuple[ScanRecord, DeliveryState], ...]
    after: str | None


class Summary(Struct, frozen=True):
    """Totals of the store. Findings are summed over the node rows, not read.

    `unchecked` counts findings that are not checked any more and are remembered.
    """

    open: Mapping[Severity, int]
    unchecked: int
    nodes_known: int
    nodes_missing: int
    nodes_unverified: int
    snoozes: Mapping[State, int]
    messages_pending: int
    last_scan: ScanRecord | None


def list_nodes(inbox: Inbox, after: str | None, limit: int) -> NodePage:
    """Returns a page of at most `limit` nodes."""
    nodes = tuple(inbox.nodes.page(after, limit + 1))
    more = len(nodes) > limit
    return NodePage(nodes[:limit], nodes[limit - 1].instance_id if more else None)


def list_scans(inbox: Inbox, after: str | None, limit: int) -> ScanPage:
    """Returns a page of at most `limit` scans."""
    scans = tuple(inbox.archive.scans(after, limit + 1))
    pending = {message.id for message in inbox.work.open().messages}
    page = tuple((scan, _find_delivery(scan, pending)) for scan in scans[:limit])
    return ScanPage(page, scans[limit - 1].scan_id if len(scans) > limit else None)


def _find_delivery(scan: ScanRecord, pending: set[str]) -> DeliveryState:
    if scan.message_id is None:
        return DeliveryState.NO_MESSAGE
    return DeliveryState.PENDING if scan.message_id in pending else DeliveryState.SENT


def summarize(inbox: Inbox) -> Summary:
    """Returns the totals as of now."""
    now = inbox.clock()
    nodes: Sequence[Node] = inbox.nodes.all()
    states = dict.fromkeys(State, 0)
    for snooze in inbox.snoozes.all():
        states[snooze.state(now)] += 1
    return Summary(
        open=sum_severities(nodes),
        unchecked=sum(node.unchecked for node in nodes),
        nodes_known=len(nodes),
        nodes_missing=sum(node.missing_since is not None for node in nodes),
        nodes_unverified=sum(node.unverified_since is not None for node in nodes),
        snoozes=states,
        messages_pending=len(inbox.work.open().messages),
        last_scan=next(iter(inbox.archive.scans(None, 1)), None),
    )
